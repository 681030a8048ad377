"""The page of a classifier's run: everything its record says, put into the template."""

from __future__ import annotations

from typing import Any

from pipelines.report import numbers, palette, shipped, template
from pipelines.report.classify import figures, sentences, shares, tables
from pipelines.report.classify.confusion import confusion, wrong
from pipelines.report.classify.mistakes import mistakes

#: What the page looks for in a record beyond what every page does.
ENTRIES = (
    *("texts", "comparison", "without_shared", "temperature", "reliability", "threshold", "roc", "precision_recall"),
    *("confusion", "per_class", "mistakes"),
)
#: So many mistakes are shown; the others are folded.
SHOWN = 6


def render(record: dict[str, Any]) -> str:
    """The whole page as HTML."""
    record = dict.fromkeys(ENTRIES) | record
    metrics, validation = record.get("metrics"), record.get("validation")
    cards = mistakes(record)
    return template.run(
        "classify/page.html.jinja",
        record,
        tiles=tiles(record),
        styles=("classify/style.css",),
        parts=tables.parts(record),
        facts=sentences.texts(record),
        metrics=tables.metrics(record, metrics) if metrics else None,
        validation=tables.metrics(record, validation) if validation else None,
        comparison=sentences.comparison(record),
        without_shared=sentences.without_shared(record),
        whose=sentences.whose(record),
        reliability=figures.reliability(record),
        calibration=sentences.calibration(record),
        threshold=figures.threshold(record),
        chosen_threshold=sentences.threshold(record),
        ranked=[f for f in (figures.roc(record), figures.precision_recall(record)) if f],
        confusion=confusion(record),
        per_class=tables.per_class(record),
        wrong=wrong(record),
        shown=cards[:SHOWN],
        folded=cards[SHOWN:],
    )


def tiles(record: dict[str, Any]) -> list[dict[str, str]]:
    """The few numbers to take away: the model's accuracy, its rival's, what is between them, and the majority's."""
    found = [_accuracy(record, row) for row in palette.leading(record)]
    if not found:
        return []
    other = shipped.baseline(record) or palette.rival(record)
    row = next((r for r in record.get("comparison") or [] if r["name"] == other), None)
    if row and numbers.is_number(row.get("difference")):
        value, low, high = (shares.signed(record, row.get(k)) for k in ("difference", "low", "high"))
        note = f"{low} to {high} (95{numbers.GAP}%, text by text)"
        tile = {"style": "skill", "name": f"against the {other}", "value": value, "unit": "points", "note": note}
        found.insert(2, tile)
    return found


def _accuracy(record: dict[str, Any], row: dict[str, Any]) -> dict[str, str]:
    name = "the model" if row.get("role") == "model" else row["name"]
    if row["name"] == shipped.baseline(record):
        name += f" ({shipped.fate(record)})"
    span = shares.between(record, row.get("accuracy_low"), row.get("accuracy_high"))
    time = f"fitted in {numbers.duration(row['seconds'])}" if row.get("seconds") else "nothing to fit"
    note = f"accuracy{f', {span}' if span else ''}; {time}"
    style = palette.styles(record)[row["name"]]
    return {"style": style, "name": name, "value": shares.share(record, row.get("accuracy")), "unit": "", "note": note}
