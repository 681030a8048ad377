"""The model card: in Markdown, what the model is for, what it learnt from, how good it is, and where it ends."""

from __future__ import annotations

import math
from typing import Any

from pipelines.report import coverage, numbers, shipped, tables
from pipelines.report.figures import unit_of, units
from pipelines.report.palette import rival


def model_card(record: dict[str, Any]) -> str:
    """Markdown for the registry: intended use, data, metrics beside the baselines, limits, how to run it again."""
    blocks = [
        f"# {_plain(record.get('title'))}",
        _notice(record),
        _plain(numbers.prose(record.get("verdict") or "", units(record))),
        _shipped(record),
        "## Intended use\n\n" + _use(record),
        "## Data\n\n" + _data(record),
        "## Metrics\n\n" + _metrics(record),
        "## Exports\n\n" + _exports(record),
        "## Limits\n\n" + "\n".join(f"- {line}" for line in _limits(record)),
        "## Run it again\n\n" + _again(record),
    ]
    return "\n\n".join(b.strip() for b in blocks if b.strip()) + "\n"


def _notice(record: dict[str, Any]) -> str:
    if not _source(record).get("sample"):
        return ""
    return "> **SAMPLE.** Trained on made data: the numbers say that the run works, and nothing about the world."


def _shipped(record: dict[str, Any]) -> str:
    """What the files beside this card hold, where that is not the trained model."""
    said = shipped.sentence(record)
    return f"**{_plain(said)}**" if said else ""


def _use(record: dict[str, Any]) -> str:
    series, model = record.get("series") or {}, record.get("model") or {}
    targets = series.get("targets") or []
    named = ", ".join(f"`{_code(t)}`" for t in targets[:6]) + (f" and {len(targets) - 6} more" if targets[6:] else "")
    look_back, horizon = (_plain(numbers.span(series.get(k, k))) for k in ("look_back", "horizon"))
    every = _plain(numbers.every(series.get("step", "step")))
    said = (
        f"Forecasts {named or 'its targets'} up to {horizon} ahead from the last {look_back} of "
        f"{numbers.count(len(series.get('columns') or []), 'column')}, one reading every {every}."
    )
    count, name = model.get("parameters"), shipped.baseline(record)
    parameters = f" ({numbers.whole(count)} parameters)" if numbers.is_number(count) else ""
    tag = f"`{_code(model.get('tag'))}`{parameters}"
    what = f"the {_plain(name)}, a simple model beside which {tag} was trained" if name else tag
    return f"{said}\n\nModel: {what}."


def _data(record: dict[str, Any]) -> str:
    source, series = _source(record), record.get("series") or {}
    several = f" in {numbers.whole(series['count'])} series" if (series.get("count") or 1) > 1 else ""
    lines = [
        f"- Source: {_plain(source.get('name'))}{' (SAMPLE)' if source.get('sample') else ''}, "
        f"{numbers.whole(source.get('rows'))} rows{several}, {_between(source)}",
        f"- SHA-256: `{_code(source.get('sha256'))}`",
    ]
    lines += [
        f"- {_plain(p['part'])}: {_between(p)}, {numbers.whole(p['windows'])} windows"
        for p in record.get("splits") or []
    ]
    total, listed = tables.repairs(record)
    lines += [f"- {_plain(total)}", *(f"  - {_plain(text)}" for text in listed)]
    passed = [_plain(c["name"]) for c in record.get("checks") or [] if c.get("passed")]
    if passed:
        lines += [f"- {numbers.count(len(passed), 'leak check').capitalize()} passed:", *(f"  - {n}" for n in passed)]
    return "\n".join(lines)


def _metrics(record: dict[str, Any]) -> str:
    rows = record.get("metrics") or []
    if not rows:
        return "None were recorded."
    table = tables.metrics(record, rows)
    heads = ["forecast", *(f"{name} ({_plain(unit)})" if unit else name for name, unit in table.heads)]
    lines = [_row(heads), _row(["---", *["---:"] * len(table.heads)])]
    for line in table.lines:
        name = f"**{_plain(line.name)}** (model)" if line.style == "model" else _plain(line.name)
        name += f" ({line.chosen})" if line.chosen else ""
        lines.append(_row([name, *(f"**{c.text}**" if c.best else c.text for c in line.cells)]))
    return "On the test part, read once; the lowest error of each column in bold.\n\n" + "\n".join(lines)


def _exports(record: dict[str, Any]) -> str:
    rows = tables.exports(record)
    if not rows:
        return "None."
    lines = [["format", "status", "max error", "MAE", "size", "note"], ["---", "---", "---:", "---:", "---:", "---"]]
    lines += [[_plain(r[k]) for k in ("format", "status", "error", "metric", "size", "note")] for r in rows]
    return "\n".join(map(_row, lines))


def _limits(record: dict[str, Any]) -> list[str]:
    source, found = _source(record), []
    if source.get("sample"):
        found.append("Trained on a made sample: not for use on real readings.")
    found.append(
        f"Learnt and tested on {_between(source)}; readings of another "
        "place, another instrument or a changed climate of the series are outside what was tested."
    )
    found += _losses(record)
    found += _worst(record)
    if record.get("intervals"):
        found += [_plain(text) for text in (coverage.source(record), *coverage.sentences(record))]
    else:
        found.append("Gives one number a step and no measure of its own uncertainty.")
    found.append("Readings must come at the step it was trained with, in the same units, without gaps.")
    return found


def _losses(record: dict[str, Any]) -> list[str]:
    """Where what is exported is no better than something simpler."""
    rows = {row["name"]: row for row in record.get("metrics") or []}
    model: dict[str, Any] = next((r for r in rows.values() if r.get("role") == "model"), {})
    ours = rows.get(shipped.baseline(record) or "", model)
    found = []
    if numbers.is_number(ours.get("skill")) and ours["skill"] <= 0:
        found.append(f"Worse than the {_plain(record.get('best_naive'))} forecast: not to be used.")
    other = rows.get(rival(record) or "", {})
    both = (ours.get("mase", math.nan), other.get("mase", math.nan))
    if ours is not other and all(map(numbers.is_number, both)) and both[1] <= both[0]:
        quicker = (other.get("seconds") or 0) < (ours.get("seconds") or 0)
        found.append(f"The {_plain(other['name'])} is at least as good{', and quicker to fit' if quicker else ''}.")
    return found


def _worst(record: dict[str, Any]) -> list[str]:
    """How bad a single forecast of the trained model became; of a baseline the windows are not told."""
    unit = unit_of(record)
    worst = [w for w in record.get("windows") or [] if w["label"] == "worst" and numbers.is_number(w.get("mae"))]
    if not worst or not unit or shipped.baseline(record):
        return []
    error = numbers.with_unit(worst[0]["mae"], unit)
    return [f"In the worst window of the test part its mean absolute error is {error}."]


def _again(record: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in (record.get("versions") or {}).items())
    facts = [f"seed {record.get('seed')}", f"commit {record.get('commit') or 'none'}", versions]
    command = " ".join(str(record.get("command") or "").splitlines())
    return (f"    {command}\n\n" if command else "") + _plain("; ".join(filter(None, facts))) + "."


def _source(record: dict[str, Any]) -> dict[str, Any]:
    return record.get("source") or {}


def _between(part: dict[str, Any]) -> str:
    return f"{numbers.when(part.get('start'))} to {numbers.when(part.get('end'))}"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(c.replace("\n", " ") for c in cells) + " |"


def _plain(text: Any) -> str:
    """Text that Markdown and the HTML inside it take as text."""
    said = " ".join(str("" if text is None else text).split())
    for sign in ("\\", "`", "*", "_", "[", "]", "|", "#"):
        said = said.replace(sign, "\\" + sign)
    return said.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _code(text: Any) -> str:
    """Text between backticks."""
    return " ".join(str("" if text is None else text).split()).replace("`", "'")
