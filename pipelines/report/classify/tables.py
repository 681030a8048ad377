"""The tables of a classifier: metrics beside baselines, the parts, class by class."""

from __future__ import annotations

from typing import Any

from pipelines.report import numbers
from pipelines.report.classify import shares
from pipelines.report.tables import Cell, Line, Table, finish, marks

#: The columns, and whether the highest of one is its best.
COLUMNS = {
    "accuracy": ("accuracy", True),
    "log_loss": ("log loss", False),
    "f1": ("F1", True),
    "auc": ("AUC", True),
    "ece": ("ECE", False),
}
#: What is told in per cent.
SHARES = ("accuracy", "f1", "ece")


def metrics(record: dict[str, Any], rows: list[dict[str, Any]]) -> Table:
    """Candidates in the record's order, baselines first; the best of each column is marked.

    A majority class has no calibration error worth the name, so that it is not compared by it.
    """
    heads: list[tuple[str, str]] = []
    columns: list[list[Cell]] = []
    for key, (head, highest) in COLUMNS.items():
        values = [r.get(key) for r in rows]
        if all(v is None for v in values):
            continue
        texts = [shares.share(record, v) for v in values] if key in SHARES else numbers.column(values)
        judged = [None if key == "ece" and r["name"] == record.get("best_naive") else r.get(key) for r in rows]
        ranges = [shares.between(record, r.get("accuracy_low"), r.get("accuracy_high")) for r in rows]
        notes = ranges if key == "accuracy" else [""] * len(rows)
        heads.append((head, ""))
        cells = zip(texts, marks(texts, judged, highest), notes, strict=True)
        columns.append([Cell(text, mark, note=note) for text, mark, note in cells])
    return finish(record, rows, heads, columns)


def parts(record: dict[str, Any]) -> Table | None:
    """A line a class and a column a part: how many texts, and their share of the part."""
    given = record.get("splits") or []
    if not given:
        return None
    names = list(dict.fromkeys([*_classes(record), *(name for p in given for name in p.get("classes") or {})]))
    lines = [Line("all texts", "", [Cell(numbers.whole(p.get("rows"))) for p in given])]
    for name in names:
        lines.append(Line(name, "", [_counted((p.get("classes") or {}).get(name), p.get("rows")) for p in given]))
    if any(numbers.is_number(p.get("groups")) for p in given):
        lines.append(Line("groups", "", [Cell(numbers.whole(p.get("groups"))) for p in given]))
    return Table([(p["part"], "") for p in given], lines)


def _counted(count: Any, of: Any) -> Cell:
    text = numbers.whole(count)
    return Cell(f"{text} ({numbers.percent(count / of)})" if numbers.is_number(count) and of else text)


def per_class(record: dict[str, Any]) -> Table | None:
    """Precision, recall and F1 of each class, and how many texts of it were tested."""
    rows = record.get("per_class") or []
    if not rows:
        return None
    keys = ("precision", "recall", "f1")
    heads = [*((key.replace("f1", "F1"), "") for key in keys), ("texts", "")]
    lines = [
        Line(
            r["class"], "", [*(Cell(shares.share(record, r.get(k))) for k in keys), Cell(numbers.whole(r.get("count")))]
        )
        for r in rows
    ]
    return Table(heads, lines)


def _classes(record: dict[str, Any]) -> list[str]:
    return [str(name) for name in (record.get("texts") or {}).get("classes") or []]
