"""The tables of a report: metrics beside baselines, target by target, exports, repairs, checks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pipelines.report import bands, numbers
from pipelines.report.chart import escape
from pipelines.report.figures import several_targets, unit_of
from pipelines.report.palette import shown_name, styles
from pipelines.report.shipped import fate

FORMATS = {"saved_model": "SavedModel", "litert_float32": "LiteRT float32", "litert_int8": "LiteRT int8"}
#: Repairs, by their first words, that are of a whole column or setting: their count of rows says nothing.
UNCOUNTED = ("column", "look-back")
#: So many columns are named in a repair.
MOST_COLUMNS = 12
#: What is odd in the data of a family, by the entry of its record; else a reading is.
ODD = {"texts": "odd text", "corpus": "odd passage", "pieces": "odd piece"}
#: What the columns of errors are called.
HEADS = {"mae": "MAE", "rmse": "RMSE", "mase": "MASE", "pinball": "pinball"}
#: Beside more columns of figures, or beside spreads, the bars of skills have no room.
MOST_WITH_BARS = 5
STATUS = {"proven": "✓", "refused": "–", "failed": "✕"}


@dataclass(frozen=True)
class Cell:
    text: str
    best: bool = False
    bar: str = ""
    note: str = ""


@dataclass(frozen=True)
class Line:
    """A line's head, its colour, its cells, and `exported` or `chosen` where it is what the run ships."""

    name: str
    style: str
    cells: list[Cell]
    chosen: str = ""


@dataclass(frozen=True)
class Table:
    """Column heads as (name, unit), and the lines below them."""

    heads: list[tuple[str, str]]
    lines: list[Line]

    @property
    def across(self) -> int:
        """How many columns stand side by side on a phone; the others go below them."""
        longest = max((len(cell.text) for line in self.lines for cell in line.cells), default=0)
        return min(len(self.heads), 3) if longest > 11 else len(self.heads) if len(self.heads) <= 5 else 4


def metrics(record: dict[str, Any], rows: list[dict[str, Any]]) -> Table:
    """Candidates in the record's order, baselines first; the lowest error of each column is marked."""
    heads, columns = [], []
    for key, head in errors(rows, HEADS):
        values = [r.get(key) for r in rows]
        heads.append((head, unit_for(record, key)))
        columns.append(marked(values))
    return finish(record, rows, heads, columns)


def errors(rows: list[dict[str, Any]], keys: Iterable[str]) -> list[tuple[str, str]]:
    """The columns of errors, of `keys`, that any row has, as (key, head)."""
    return [(key, HEADS[key]) for key in keys if any(r.get(key) is not None for r in rows)]


def unit_for(record: dict[str, Any], key: str) -> str:
    """The unit below the head of a column of errors."""
    return "" if key == "mase" else unit_of(record) or ("mixed units" if several_targets(record) else "")


def marked(values: list[Any], texts: list[str] | None = None, notes: list[str] | None = None) -> list[Cell]:
    """A column of errors, the lowest of it marked; one that a single row has is not the best of anything."""
    plain = numbers.column(values)
    columns = zip(texts or plain, marks(plain, values), notes or [""] * len(values), strict=True)
    return [Cell(text, mark, note=note) for text, mark, note in columns]


def marks(texts: list[str], values: list[Any], highest: bool = False) -> list[bool]:
    """Which entries of a column are its best, as far as its texts can tell; none where a single row has one."""
    losses = [-v if highest and numbers.is_number(v) else v for v in values]
    return numbers.best(texts, losses) if sum(v is not None for v in values) > 1 else [False] * len(values)


def finish(
    record: dict[str, Any], rows: list[dict[str, Any]], heads: list[tuple[str, str]], columns: list[list[Cell]]
) -> Table:
    """The columns that tables of candidates end with: coverage of one band, skill, seconds; and their lines."""
    kinds, chosen = styles(record), (record.get("chosen") or {}).get("name")
    covered = bands.column(rows)
    if covered:
        key, share = covered
        heads.append(("coverage", f"{bands.hundredths(share)}{numbers.GAP}%{numbers.GAP}band"))
        columns.append([Cell(numbers.percent(r.get(key))) for r in rows])
    skills = [r.get("skill") for r in rows]
    spread = any(numbers.is_number(r.get("skill_sd")) for r in rows)
    bare = spread or len(heads) > MOST_WITH_BARS
    scale = _scale(skills)
    bars = ["" if bare else skill_bar(r.get("skill"), scale, kinds.get(r["name"], "first")) for r in rows]
    texts = [_skill(r) for r in rows]
    highest = marks([numbers.percent(s) for s in skills], skills, highest=True)
    heads.append(("skill", ""))
    columns.append([Cell(t, m, bar) for t, m, bar in zip(texts, highest, bars, strict=True)])
    heads.append(("fitted in", "a fold" if spread else ""))
    columns.append([Cell(numbers.duration(r["seconds"]) if r.get("seconds") else numbers.ABSENT) for r in rows])
    pairs = zip(rows, zip(*columns, strict=True), strict=True)
    return Table(
        heads,
        [
            Line(r["name"], kinds.get(r["name"], "first"), list(c), fate(record) if r["name"] == chosen else "")
            for r, c in pairs
        ],
    )


def _skill(row: dict[str, Any]) -> str:
    deviation = row.get("skill_sd")
    if not (numbers.is_number(row.get("skill")) and numbers.is_number(deviation)):
        return numbers.percent(row.get("skill"))
    mean, spread = (numbers.fixed(100 * v, 1) for v in (row["skill"], deviation))
    return f"{mean}{numbers.GAP}±{numbers.GAP}{spread}{numbers.GAP}%"


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
        cells = marked(values)
        for name, cell in zip(names, cells, strict=True):
            wins[name] += cell.best
        lines.append(Line(target, "", cells))
    times = {n: "all" if wins[n] == len(targets) else str(wins[n]) for n in names}
    said = [f"the {shown_name(record, n)} for {times[n]}" for n in names if wins[n]]
    summary = f"Lowest error of {len(targets)} targets: {', '.join(said)}" if said else "No target has a finite error"
    tied = " (ties count for each)" if sum(wins.values()) > len(targets) else ""
    return Table([(shown_name(record, n), "") for n in names], lines), f"{summary}{tied}."


def exports(record: dict[str, Any]) -> list[dict[str, Any]]:
    """A line an export, every number with its unit."""
    unit, rows = "" if several_targets(record) else unit_of(record), record.get("exports") or []
    found = []
    for row in rows:
        status = row.get("status", "failed")
        pair = numbers.column([row.get("metric"), row.get("metric_keras")], 4)
        metric, keras = (_with(value, unit) for value in pair)
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
    """A sentence with the sums, and one for each kind of repair with the columns it touched.

    What was noticed and kept comes first: it may want a word in the configuration.
    """
    rows = [r for r in record.get("repairs") or [] if r.get("count")]
    whats = sorted(dict.fromkeys(r["what"] for r in rows), key=lambda what: not _kept(what))
    listed = [_repair(what, [r for r in rows if r["what"] == what]) for what in whats]
    counted = [r for r in rows if not r["what"].startswith(UNCOUNTED)]
    repaired, kept = (sum(r["count"] for r in counted if _kept(r["what"]) == odd) for odd in (False, True))
    columns = sum(1 for r in rows if r["what"].startswith("column") and not _kept(r["what"]))
    said = [numbers.count(repaired, "repair")] if repaired else []
    said += [f"{numbers.count(columns, 'column')} left out"] if columns else []
    odd_one = next((name for entry, name in ODD.items() if record.get(entry)), "odd reading")
    said += [f"{numbers.count(kept, odd_one)} noticed and kept"] if kept else []
    if not said:
        return "Nothing had to be repaired.", listed
    total = numbers.listed(said)
    return f"{total[0].upper()}{total[1:]}.", listed


def _kept(what: str) -> bool:
    return ", kept" in what


def _repair(what: str, rows: list[dict[str, Any]]) -> str:
    """`Marked as missing (-9999): 38 – 18 in wv (m/s), 20 in max. wv (m/s)`."""
    head, columns = what[0].upper() + what[1:], [r["column"] for r in rows if r.get("column")]
    if what.startswith(UNCOUNTED):
        return f"{head}{': ' + _some(columns) if columns else ''}"
    total = f"{head}: {numbers.whole(sum(r['count'] for r in rows))}"
    if len(rows) > 1:
        return f"{total} – " + _some([f"{numbers.whole(r['count'])} in {r['column'] or 'the rows'}" for r in rows])
    return f"{total} in {columns[0]}" if columns else total


def _some(texts: list[str]) -> str:
    """As many as can be read, and how many more."""
    more = len(texts) - MOST_COLUMNS
    return ", ".join(texts[:MOST_COLUMNS]) + (f" and {more} more" if more > 0 else "")


def _with(text: str, unit: str) -> str:
    return text if text == numbers.ABSENT or not unit else f"{text}{numbers.GAP}{unit}"
