"""The tables of a generator: losses beside baselines, the parts, counted facts of voice-leading."""

from __future__ import annotations

from typing import Any

from pipelines.report import numbers
from pipelines.report.generate import units
from pipelines.report.tables import Cell, Line, Table, finish, marks

#: The columns, by their entry; a table of all of them has no room for units below its heads.
LOSSES = {
    "loss": "loss",
    "loss_64": "loss in 64",
    "loss_256": "loss in 256",
    "perplexity": "perplexity",
    "bits": "bits",
}
#: The columns that are told in per cent, where the highest is the best.
SHARES = {"top_1": "top 1", "top_5": "top 5", "accuracy": "accuracy"}
#: Significant digits of losses, whose differences are small, and of what is e to a loss.
DIGITS, FEWER = 4, 3
#: What is counted of voice-leading, by its entry, for one and for several.
COUNTED = {
    "voice_crossings": ("voice crossing", "voice crossings"),
    "parallel_fifths": ("parallel fifth", "parallel fifths"),
    "parallel_octaves": ("parallel octave", "parallel octaves"),
    "notes_out_of_key": ("note out of key", "notes out of key"),
}


def metrics(record: dict[str, Any], rows: list[dict[str, Any]]) -> Table:
    """Candidates in the record's order, baselines first; the best of each column is marked."""
    heads: list[tuple[str, str]] = []
    columns: list[list[Cell]] = []
    for key, head in (LOSSES | SHARES).items():
        values = [r.get(key) for r in rows]
        if all(v is None for v in values):
            continue
        share = key in SHARES
        digits = FEWER if key == "perplexity" else DIGITS
        texts = [numbers.percent(v) for v in values] if share else numbers.column(values, digits)
        heads.append((head, ""))
        columns.append([Cell(*pair) for pair in zip(texts, marks(texts, values, highest=share), strict=True)])
    return finish(record, rows, heads, columns)


def parts(record: dict[str, Any]) -> Table | None:
    """A column a part: how much it holds, and its share of all; and how many documents or pieces."""
    given = record.get("splits") or []
    if not given:
        return None
    (key, name), (of, document) = units.sizes(record)
    total = sum(p[key] for p in given if numbers.is_number(p.get(key)))
    lines = [Line(f"{name}s", "", [_share(p.get(key), total) for p in given])]
    if any(numbers.is_number(p.get(of)) for p in given):
        lines.append(Line(f"{document}s", "", [Cell(numbers.whole(p.get(of))) for p in given]))
    return Table([(p["part"], "") for p in given], lines)


def _share(count: Any, total: int) -> Cell:
    text = numbers.whole(count)
    return Cell(f"{text} ({numbers.percent(count / total)})" if numbers.is_number(count) and total else text)


def voice_leading(record: dict[str, Any]) -> Table | None:
    """What was counted, a line a fact: how often in a hundred frames, what was written beside the test pieces."""
    given = record.get("voice_leading") or {}
    sides = [(name, given[key]) for key, name in (("generated", "written"), ("test", "test pieces")) if given.get(key)]
    keys = [key for key in COUNTED if any(numbers.is_number(facts.get(key)) for _, facts in sides)]
    if not keys:
        return None
    frames = Line("frames looked at", "", [Cell(numbers.whole(facts.get("frames"))) for _, facts in sides])
    lines = [Line(COUNTED[key][1], "", [_often(facts, key) for _, facts in sides]) for key in keys]
    return Table([(name, "") for name, _ in sides], [*lines, frames])


def _often(facts: dict[str, Any], key: str) -> Cell:
    count, frames = facts.get(key), facts.get("frames")
    if not (numbers.is_number(count) and numbers.is_number(frames) and frames):
        return Cell(numbers.ABSENT)
    return Cell(f"{numbers.fixed(100 * count / frames, 1)} ({numbers.whole(count)})")
