"""What the folds of a backtest say together: error fold by fold, and means over the folds with their spread."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from pipelines.report import axes, numbers
from pipelines.report.chart import Chart, Size, both
from pipelines.report.coverage import mean
from pipelines.report.figures import Figure, ceiling, error_title, is_sample, leaving, scaled, unit_of
from pipelines.report.palette import rival, shown_name, styles


def averaged(record: dict[str, Any]) -> dict[str, Any]:
    """The backtest's record with the entries of a run: `metrics`, and `by_step` and `intervals` as means over folds.

    Both have a `spread`, name or band → (lowest, highest) by step, which their pictures draw.
    """
    folds = record["folds"]
    record = record | {"metrics": record["summary"]}
    return record | {
        "by_step": _by_step(record, [f["by_step"] for f in folds if f.get("by_step")]),
        "intervals": _intervals([f["intervals"] for f in folds if f.get("intervals")]),
    }


def by_fold(record: dict[str, Any]) -> Figure | None:
    """Every candidate's error on the test part of each fold, at the middle of that part."""
    folds = record["folds"]
    if len(folds) < 2:
        return None
    key, unit = ("mase", "MASE") if scaled(record) else ("mae", unit_of(record))
    rows = [{row["name"]: row.get(key) for row in fold.get("metrics") or []} for fold in folds]
    lines: dict[str, list[Any]] = {row["name"]: [found.get(row["name"]) for found in rows] for row in record["summary"]}
    spans = [span for span in map(tested, folds) if span is not None]
    in_time = len(spans) == len(folds)
    middles = [((start + (end - start) / 2) - axes.EPOCH).total_seconds() for start, end in spans]
    xs = middles if in_time else [float(fold["number"]) for fold in folds]
    kinds, title = styles(record), error_title(unit)
    names = {n: shown_name(record, n) for n in lines}
    top, towering = ceiling(record, lines)

    def draw(size: Size) -> str:
        span = (xs[0] - 0.04 * (xs[-1] - xs[0]), xs[-1] + 0.02 * (xs[-1] - xs[0]))
        chart = Chart(size, span, (0.0, top), list(names.values()), bottom=46)
        ticks = axes.times(*span, size.x_ticks) if in_time else [(x, f"{x:.0f}") for x in xs]
        chart.axes(ticks, axes.linear(0, top, size.y_ticks), "middle of the test part" if in_time else "fold", title)
        for name, ys in sorted(lines.items(), key=lambda item: kinds.get(item[0]) == "model"):
            chart.line(xs, ys, kinds.get(name, "first"), names[name], dots=True)
        return chart.finish(alt, is_sample(record))

    texts = {n: numbers.column(ys) for n, ys in lines.items()}
    alt = f"Error by fold ({title}): " + "; ".join(f"{names[n]} {', '.join(t)}" for n, t in texts.items()) + "."
    return Figure(both(draw), leaving(towering).strip())


def tested(fold: dict[str, Any]) -> tuple[datetime, datetime] | None:
    """When a fold's test part begins and ends."""
    test: dict[str, Any] = next((p for p in fold.get("splits") or [] if p["part"] == "test"), {})
    start, end = (numbers.instant(test.get(key)) for key in ("start", "end"))
    return None if start is None or end is None else (start, end)


def _by_step(record: dict[str, Any], folds: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Mean error of every candidate at each step; the spread of the model and of its best rival."""
    if not folds:
        return None
    lines = {name: _columns([f["mae"].get(name) or [] for f in folds]) for name in folds[0]["mae"]}
    shown = {rival(record), *(r["name"] for r in record["summary"] if r.get("role") == "model")}
    return folds[0] | {
        "mae": {name: [mean(values) for values in columns] for name, columns in lines.items()},
        "spread": {name: _extremes(columns) for name, columns in lines.items() if name in shown},
    }


def _intervals(folds: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Mean coverage and width of each band at each step, over the folds in which the same candidate has them."""
    if not folds:
        return None
    folds = [f for f in folds if f.get("of") == folds[-1].get("of")]
    bands = [f"{band:g}" for band in folds[-1]["bands"]]
    coverage = {band: _columns([f["coverage"][band] for f in folds]) for band in bands}
    found = folds[-1] | {
        "folds": len(folds),
        "note": next((f["note"] for f in folds if f.get("note")), None),
        "windows": min((f["windows"] for f in folds if numbers.is_number(f.get("windows"))), default=None),
        "coverage": {band: [mean(values) for values in columns] for band, columns in coverage.items()},
        "spread": {band: _extremes(columns) for band, columns in coverage.items()},
    }
    for key in ("width", "uncalibrated"):
        given = [f[key] for f in folds if f.get(key)]
        found[key] = {b: [mean(values) for values in _columns([g[b] for g in given])] for b in bands} if given else None
    return found


def _columns(lines: list[list[float]]) -> list[tuple[float, ...]]:
    """What all folds have at each step."""
    return list(zip(*(line for line in lines if line), strict=True))


def _extremes(columns: list[tuple[float, ...]]) -> tuple[list[float], list[float]]:
    known = [[v for v in values if numbers.is_number(v)] for values in columns]
    return [min(v, default=math.nan) for v in known], [max(v, default=math.nan) for v in known]
