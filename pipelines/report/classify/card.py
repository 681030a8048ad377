"""The model card of a classifier: what the model is for, what it learnt from, how good it is, and where it ends."""

from __future__ import annotations

from typing import Any

from pipelines.report import markdown, numbers
from pipelines.report.classify import sentences, shares, tables
from pipelines.report.markdown import code, plain, source

#: So many classes are named.
NAMED = 12
#: A class is told as weak whose F1 is this far below the mean of all.
WEAK = 0.1


def model_card(record: dict[str, Any]) -> str:
    """Markdown for the registry: intended use, data, metrics beside the baselines, limits, how to run it again."""
    return markdown.card(
        record,
        numbers.prose(record.get("verdict") or "", []),
        {
            "Intended use": _use(record),
            "Data": _data(record),
            "Metrics": _metrics(record),
            "Exports": markdown.exports(record, "log loss"),
            "Limits": markdown.bullets(_limits(record)),
            "Run it again": markdown.again(record),
        },
    )


def _use(record: dict[str, Any]) -> str:
    classes = (record.get("texts") or {}).get("classes") or []
    named = ", ".join(f"`{code(c)}`" for c in classes[:NAMED])
    named += f" and {len(classes) - NAMED} more" if len(classes) > NAMED else ""
    said = f"Says of a text which of {numbers.count(len(classes), 'class', 'classes')} it is"
    chosen = plain(sentences.threshold(record))
    return f"{said}{f': {named}' if named else ''}. {chosen}".strip() + f"\n\n{markdown.model(record)}"


def _data(record: dict[str, Any]) -> str:
    lines = markdown.origin(record, f"{numbers.whole(source(record).get('rows'))} texts")
    lines += [f"- {plain(p['part'])}: {_part(p)}" for p in record.get("splits") or []]
    lines += [f"- {plain(what.capitalize())}: {plain(said)}" for what, said in sentences.texts(record)]
    return "\n".join(lines + markdown.cleaned(record))


def _part(part: dict[str, Any]) -> str:
    """`25,000 texts, negative 12,500, positive 12,500; 1,200 groups`."""
    counts = list((part.get("classes") or {}).items())
    named = [f"{plain(name)} {numbers.whole(count)}" for name, count in counts[:NAMED]]
    named += [f"{len(counts) - NAMED} classes more"] if len(counts) > NAMED else []
    groups = f"; {numbers.count(part['groups'], 'group')}" if numbers.is_number(part.get("groups")) else ""
    return ", ".join([f"{numbers.whole(part.get('rows'))} texts", *named]) + groups


def _metrics(record: dict[str, Any]) -> str:
    rows = record.get("metrics") or []
    if not rows:
        return "None were recorded."
    table = markdown.metrics(tables.metrics(record, rows), "classifier")
    said = [*(f"Of the trained model: {text}" for text in sentences.comparison(record))]
    said += [sentences.without_shared(record), sentences.calibration(record)]
    below = markdown.bullets([plain(text) for text in said if text])
    return f"On the test part, read once; the best of each column in bold.\n\n{table}\n\n{below}"


def _limits(record: dict[str, Any]) -> list[str]:
    given, found = source(record), []
    if given.get("sample"):
        found.append("Trained on a made sample: not for use on real texts.")
    found.append(
        f"Learnt and tested on texts of {plain(given.get('name'))}; texts of another domain, another language or "
        "another time are outside what was tested, and it gives one of its classes to every text."
    )
    found += markdown.losses(record, "error", f"No better than the {plain(record.get('best_naive'))}")
    found += _weak(record)
    longest = (record.get("texts") or {}).get("longest")
    if numbers.is_number(longest):
        found.append(f"Of a text of more than {numbers.whole(longest)} tokens a part is not read.")
    found.append("The words that drove a prediction say what the model went by, not why the text is what it is.")
    return found


def _weak(record: dict[str, Any]) -> list[str]:
    """Classes that it finds much worse than the others."""
    rows = [r for r in record.get("per_class") or [] if numbers.is_number(r.get("f1"))]
    mean = sum(r["f1"] for r in rows) / len(rows) if rows else 0.0
    weak = sorted((r for r in rows if r["f1"] < mean - WEAK), key=lambda r: r["f1"])[:NAMED]
    if not weak:
        return []
    named = [f"{plain(r['class'])} (F1 {shares.share(record, r['f1'])})" for r in weak]
    return [f"Much worse than the others it finds {numbers.listed(named)}."]
