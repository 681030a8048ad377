"""The tables of a backtest: each candidate's figures over the folds with their spread, and its error fold by fold."""

from __future__ import annotations

from typing import Any

from pipelines.report import numbers
from pipelines.report.figures import scaled
from pipelines.report.folds import tested
from pipelines.report.palette import shown_name
from pipelines.report.tables import Cell, Line, Table, errors, finish, marked, unit_for


def summary(record: dict[str, Any]) -> Table:
    """A line a candidate: mean ± standard deviation over the folds, the lowest to the highest, and how often best."""
    rows, folds = record["summary"], len(record["folds"])
    heads, columns = [], []
    for key, head in errors(rows, ("mae", "mase", "pinball")):
        values = [r.get(key) for r in rows]
        texts = numbers.spreads(values, [r.get(f"{key}_sd") for r in rows])
        heads.append((head, unit_for(record, key)))
        columns.append(marked(values, texts, _ranges(rows) if key == "mae" else None))
    most = max((r.get("best_in") or 0 for r in rows), default=0)
    heads.append(("best in", f"of{numbers.GAP}{folds}"))
    columns.append([Cell(str(r.get("best_in") or 0), bool(most) and r.get("best_in") == most) for r in rows])
    return finish(record, rows, heads, columns)


def by_fold(record: dict[str, Any]) -> tuple[Table, str]:
    """A line a fold: every candidate's error on its test part, the lowest marked; and what is measured."""
    key, unit = ("mase", "") if scaled(record) else ("mae", unit_for(record, "mae"))
    names = [row["name"] for row in record["summary"]]
    lines = []
    for fold in record["folds"]:
        found = {row["name"]: row.get(key) for row in fold.get("metrics") or []}
        values = [found.get(name) for name in names]
        lines.append(Line(_named(fold), "", marked(values)))
    what = f"{'Mean absolute scaled error' if key == 'mase' else 'Mean absolute error'}{f', {unit}' if unit else ''}"
    return Table([(shown_name(record, n), "") for n in names], lines), f"{what}; the lowest of each fold in bold."


def _named(fold: dict[str, Any]) -> str:
    """`1: 2 Feb 2024 to 9 Apr 2024`, when the fold was tested."""
    span = tested(fold)
    said = f": {' to '.join(numbers.when(at, clock=False) for at in span)}" if span else ""
    return f"{fold['number']}{said}"


def _ranges(rows: list[dict[str, Any]]) -> list[str]:
    """`1.98 to 2.31`: the errors of the best and of the worst fold."""
    texts = numbers.column([v for row in rows for v in (row.get("mae_low"), row.get("mae_high"))])
    return [f"{low} to {high}" for low, high in zip(texts[::2], texts[1::2], strict=True)]
