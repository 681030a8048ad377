"""The tables of a report: metrics beside baselines, target by target, exports, repairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipelines.report import numbers
from pipelines.report.chart import escape
from pipelines.report.figures import unit_of
from pipelines.report.palette import shown_name, styles

FORMATS = {"saved_model": "SavedModel", "litert_float32": "LiteRT float32", "litert_int8": "LiteRT int8"}
STATUS = {"proven": "✓", "refused": "–", "failed": "✕"}


@dataclass(frozen=True)
class Cell:
    text: str
    best: bool = False
    bar: str = ""


@dataclass(frozen=True)
class Line:
    name: str
    style: str
    cells: list[Cell]


@dataclass(frozen=True)
class Table:
    """Column heads as (name, unit), and the lines below them."""

    heads: list[tuple[str, str]]
    lines: list[Line]


def metrics(record: dict[str, Any], rows: list[dict[str, Any]]) -> Table:
    """Candidates in the record's order, baselines first; the lowest error of each column is marked."""
    unit, kinds = unit_of(record), styles(record)
    several = len((record.get("series") or {}).get("targets") or []) > 1
    heads, columns = [], []
    for key, head in (("mae", "MAE"), ("rmse", "RMSE"), ("mase", "MASE"), ("pinball", "pinball")):
        values = [r.get(key) for r in rows]
        if all(v is None for v in values):
            continue
        texts = numbers.column(values)
        heads.append((head, "" if key == "mase" else unit or ("mixed units" if several else "")))
        # a quantile loss that the model alone has is not the best of anything
        marks = numbers.best(texts, values) if sum(v is not None for v in values) > 1 else [False] * len(rows)
        columns.append([Cell(t, b) for t, b in zip(texts, marks, strict=True)])
    if any(r.get("coverage") is not None for r in rows):
        heads.append(("coverage", nominal(record)))
        columns.append([Cell(numbers.percent(r.get("coverage"))) for r in rows])
    skills = [r.get("skill") for r in rows]
    losses = [-s if s is not None and numbers.is_number(s) else s for s in skills]
    marks = numbers.best([numbers.percent(s) for s in skills], losses)
    heads.append(("skill", ""))
    scale = _scale(skills)
    columns.append(
        [
            Cell(numbers.percent(s), m, skill_bar(s, scale, kinds.get(r["name"], "first")))
            for s, m, r in zip(skills, marks, rows, strict=True)
        ]
    )
    heads.append(("fitted in", ""))
    columns.append([Cell(numbers.duration(r["seconds"]) if r.get("seconds") else numbers.ABSENT) for r in rows])
    cells = list(zip(*columns, strict=True))
    pairs = zip(rows, cells, strict=True)
    return Table(heads, [Line(r["name"], kinds.get(r["name"], "first"), list(c)) for r, c in pairs])


def nominal(record: dict[str, Any]) -> str:
    """The share of the truth that should lie inside the outermost quantiles, `nominal 80 %`."""
    for window in record.get("windows") or []:
        levels = sorted(float(q) for q in window.get("quantiles") or {})
        if len(levels) > 1:
            return f"nominal {numbers.percent(levels[-1] - levels[0], 0)}"
    return ""


def _scale(skills: list[Any]) -> tuple[float, float]:
    known = [min(1.0, max(-1.0, s)) for s in skills if numbers.is_number(s)]
    low, high = min(0.0, *known, 0.0), max(0.0, *known, 0.0)
    return (low, high) if high > low else (0.0, 1.0)


def skill_bar(skill: Any, scale: tuple[float, float], style: str, width: int = 84) -> str:
    """A bar to the right of nought for less error than the best naive forecast, to the left for more."""
    low, high = scale
    zero = -low / (high - low) * width
    bar = ""
    if numbers.is_number(skill):
        end = (min(1.0, max(-1.0, skill)) - low) / (high - low) * width
        at, size = min(zero, end), abs(end - zero)
        bar = f'<rect class="bar {escape(style)}" x="{at:.1f}" y="2" width="{max(size, 0.5):.1f}" height="8"/>'
    return (
        f'<svg class="skill" viewBox="0 0 {width} 12" aria-hidden="true">{bar}'
        f'<path class="axis" d="M{min(max(zero, 0.5), width - 0.5):.1f} 0v12"/></svg>'
    )


def per_target(record: dict[str, Any]) -> tuple[Table, str] | None:
    """MAE of every candidate, a line a target, the lowest of each line marked; and who is lowest how often."""
    rows = record.get("per_target") or []
    targets = list(dict.fromkeys(r["target"] for r in rows))
    if len(targets) < 2:
        return None
    names = list(dict.fromkeys(r["name"] for r in rows))
    found = {(r["target"], r["name"]): r.get("mae") for r in rows}
    lines, wins = [], dict.fromkeys(names, 0)
    for target in targets:
        values = [found.get((target, n)) for n in names]
        texts = numbers.column(values)
        marks = numbers.best(texts, values)
        for name, mark in zip(names, marks, strict=True):
            wins[name] += mark
        lines.append(Line(target, "", [Cell(t, m) for t, m in zip(texts, marks, strict=True)]))
    times = {n: "all" if wins[n] == len(targets) else str(wins[n]) for n in names}
    said = [f"the {shown_name(record, n)} for {times[n]}" for n in names if wins[n]]
    summary = f"Lowest error of {len(targets)} targets: {', '.join(said)}" if said else "No target has a finite error"
    tied = " (ties count for each)" if sum(wins.values()) > len(targets) else ""
    return Table([(shown_name(record, n), "") for n in names], lines), f"{summary}{tied}."


def exports(record: dict[str, Any]) -> list[dict[str, Any]]:
    """A line an export, every number with its unit."""
    several = len((record.get("series") or {}).get("targets") or []) > 1
    unit, rows = "" if several else unit_of(record), record.get("exports") or []
    found = []
    for row in rows:
        status = row.get("status", "failed")
        pair = numbers.column([row.get("metric"), row.get("metric_keras")], 4)
        metric, keras = (_with(v, unit) for v in pair)
        flex = row.get("flex_ops")
        needs = f"needs {numbers.count(flex, 'TensorFlow op')} beyond the builtins" if flex else ""
        found.append(
            {
                "format": FORMATS.get(row["format"], row["format"]),
                "status": status,
                "sign": STATUS.get(status, "?"),
                "error": numbers.scientific(row.get("max_error")),
                "metric": metric,
                "keras": keras,
                "size": _with(numbers.whole(row.get("size_kib")), "KiB"),
                "latency": _with(numbers.number(row.get("latency_ms"), 2), "ms"),
                "note": "; ".join(filter(None, [row.get("note"), needs])),
                "path": row.get("path") or "",
            }
        )
    return found


def repairs(record: dict[str, Any]) -> tuple[str, list[str]]:
    """A sentence with the sum, and one for each kind of repair with the columns it touched."""
    rows = [r for r in record.get("repairs") or [] if r.get("count")]
    whats = list(dict.fromkeys(r["what"] for r in rows))
    left_out = [w for w in whats if w.startswith("column")]
    listed = []
    for what in whats:
        mine = [r for r in rows if r["what"] == what]
        if what in left_out:
            listed.append(", ".join(str(r["column"]) for r in mine) + f": {what}")
            continue
        text = f"{numbers.whole(sum(r['count'] for r in mine))} {what}"
        if len(mine) > 1:
            text += ": " + ", ".join(f"{numbers.whole(r['count'])} in {r['column'] or 'the rows'}" for r in mine)
        elif mine[0].get("column"):
            text += f", in {mine[0]['column']}"
        listed.append(text)
    repaired = sum(r["count"] for r in rows if r["what"] not in left_out)
    columns = sum(1 for r in rows if r["what"] in left_out)
    said = [numbers.count(repaired, "repair")] if repaired else []
    said += [f"{numbers.count(columns, 'column')} left out"] if columns else []
    return (" and ".join(said).capitalize() + "." if said else "Nothing had to be repaired."), listed


def _with(text: str, unit: str) -> str:
    return text if text == numbers.ABSENT or not unit else f"{text}{numbers.GAP}{unit}"
