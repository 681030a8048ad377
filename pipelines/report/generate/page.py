"""The page of a generator's run: everything its record says, put into the template."""

from __future__ import annotations

from typing import Any

from pipelines.report import numbers, palette, shipped, template
from pipelines.report.generate import figures, sentences, tables, units
from pipelines.report.generate.roll import pieces
from pipelines.report.generate.writings import writings

#: What the page looks for in a record beyond what every page does.
ENTRIES = (*("representation", "unit", "corpus", "pieces", "comparison", "by_position", "samples", "voice_leading"),)
#: So many samples are shown; the others are folded.
SHOWN = 4


def render(record: dict[str, Any]) -> str:
    """The whole page as HTML."""
    record = dict.fromkeys(ENTRIES) | record
    metrics, validation = record.get("metrics"), record.get("validation")
    rolled = any("notes" in sample for sample in record["samples"] or [])
    samples = pieces(record) if rolled else writings(record)
    return template.run(
        "generate/page.html.jinja",
        record,
        tiles=tiles(record),
        styles=("generate/style.css",),
        holds=units.holds(record),
        unit=units.unit(record),
        each=units.each(record),
        parts=tables.parts(record),
        facts=sentences.data(record),
        metrics=tables.metrics(record, metrics) if metrics else None,
        validation=tables.metrics(record, validation) if validation else None,
        comparison=sentences.comparison(record),
        by_position=figures.by_position(record),
        whose=sentences.whose(record),
        rolled=rolled,
        shown=samples[:SHOWN],
        folded=samples[SHOWN:],
        voice_leading=tables.voice_leading(record),
    )


def tiles(record: dict[str, Any]) -> list[dict[str, str]]:
    """The few numbers to take away: the model's loss, its rival's, what is between them, and the naive baseline's."""
    told = palette.leading(record)
    texts = numbers.column([row.get("loss") for row in told], tables.DIGITS)
    found = [_loss(record, row, text) for row, text in zip(told, texts, strict=True)]
    other = shipped.baseline(record) or palette.rival(record)
    pair = next((r for r in record.get("comparison") or [] if found and r["name"] == other), None)
    if pair and numbers.is_number(pair.get("difference")):
        value, low, high = (sentences.signed(pair.get(key)) for key in ("difference", "low", "high"))
        note = f"{low} to {high} (95{numbers.GAP}% interval); below nought the model is better"
        tile = {"style": "skill", "name": f"the model less the {other}", "value": value, "unit": "nats", "note": note}
        found.insert(2, tile)
    return found


def _loss(record: dict[str, Any], row: dict[str, Any], text: str) -> dict[str, str]:
    name = "the model" if row.get("role") == "model" else row["name"]
    if row["name"] == shipped.baseline(record):
        name += f" ({shipped.fate(record)})"
    likely = f"perplexity {numbers.number(row['perplexity'])}; " if numbers.is_number(row.get("perplexity")) else ""
    time = f"fitted in {numbers.duration(row['seconds'])}" if row.get("seconds") else "nothing to fit"
    note, style = f"{units.each(record)}; {likely}{time}", palette.styles(record)[row["name"]]
    return {"style": style, "name": name, "value": text, "unit": "nats", "note": note}
