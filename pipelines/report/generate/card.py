"""The model card of a generator: what the model is for, what it learnt from, how good it is, and where it ends."""

from __future__ import annotations

from typing import Any

from pipelines.report import markdown, numbers
from pipelines.report.generate import sentences, tables, units
from pipelines.report.markdown import plain, source


def model_card(record: dict[str, Any]) -> str:
    """Markdown for the registry: intended use, data, metrics beside the baselines, limits, how to run it again."""
    return markdown.card(
        record,
        numbers.prose(record.get("verdict") or "", []),
        {
            "Intended use": f"{_use(record)}\n\n{markdown.model(record)}",
            "Data": _data(record),
            "Metrics": _metrics(record),
            "Exports": markdown.exports(record, f"loss, nats {units.each(record)}"),
            "Limits": markdown.bullets(_limits(record)),
            "Run it again": markdown.again(record),
        },
    )


def _use(record: dict[str, Any]) -> str:
    if sentences.has_given(record):
        return (
            f"Writes the other voices to a given {plain(record['pieces']['given'])}, and says how likely a setting is."
        )
    unit = units.unit(record)
    what = "music" if units.music(record) else "text"
    return (
        f"Writes {what}, {unit} by {unit}, from nothing or as the continuation of what is given, "
        f"and says how likely given {what} is."
    )


def _data(record: dict[str, Any]) -> str:
    (key, name), (of, document) = units.sizes(record)
    lines = markdown.origin(record, units.holds(record) or "of unknown size")
    for part in record.get("splits") or []:
        several = f" in {numbers.count(part[of], document)}" if numbers.is_number(part.get(of)) else ""
        lines.append(f"- {plain(part['part'])}: {numbers.count(part.get(key), name)}{several}")
    lines += [f"- {plain(what.capitalize())}: {plain(said)}" for what, said in sentences.data(record)]
    return "\n".join(lines + markdown.cleaned(record))


def _metrics(record: dict[str, Any]) -> str:
    rows = record.get("metrics") or []
    if not rows:
        return "None were recorded."
    table = markdown.metrics(tables.metrics(record, rows), "candidate")
    below = markdown.bullets([plain(f"Of the trained model: {text}") for text in sentences.comparison(record)])
    what = f"losses in nats {units.each(record)}, the best of each column in bold"
    return f"On the test part, read once; {what}.\n\n{table}\n\n{below}"


def _limits(record: dict[str, Any]) -> list[str]:
    given, music, found = source(record), units.music(record), []
    if given.get("sample"):
        found.append(f"Trained on the built-in sample: it writes {'exercises' if music else 'nothing of use'}.")
    other = "music of another style is" if music else "texts of another kind or language are"
    found.append(f"Learnt and tested on {plain(given.get('name'))}; {other} outside what was tested.")
    found += markdown.losses(record, "error", f"No better than the {plain(record.get('best_naive'))}")
    found.append(
        "What it writes may hold passages of what it learnt from, note by note."
        if music
        else "What it writes is made up: nothing in it is checked, and it may hold passages of what it learnt from."
    )
    if not units.notes(record):
        found.append(f"Of {units.each(record)} that train does not hold it knows only that it is unknown.")
    if said := sentences.counted((record.get("voice_leading") or {}).get("generated")):
        frames = numbers.whole(record["voice_leading"]["generated"].get("frames"))
        found.append(f"In {frames} frames that it wrote were counted: {said}.")
    return found
