"""Whether bands hold what they promise: measured coverage against the nominal one, step by step and in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.report import axes, numbers
from pipelines.report.bands import hundredths
from pipelines.report.chart import Chart, Key, Size, area, both, stroke
from pipelines.report.figures import SPREAD, Figure, is_sample, step_ticks
from pipelines.report.palette import shown_name, styles
from pipelines.report.tables import Cell, Line, Table

#: A band that is further than this from its nominal share is said to be off.
OFF = 0.03


@dataclass(frozen=True)
class Measured:
    """One band: the share that it should hold, and what it holds at each step."""

    share: float
    steps: list[float | None]
    before: list[float | None]
    width: list[float | None]

    @property
    def name(self) -> str:
        return f"{hundredths(self.share)}{numbers.GAP}%"

    @property
    def overall(self) -> float | None:
        return mean(self.steps)


def measured(record: dict[str, Any]) -> list[Measured]:
    """The bands of `record["intervals"]`, the narrowest first."""
    given = record.get("intervals") or {}
    before, width = (given.get(key) or {} for key in ("uncalibrated", "width"))
    found = []
    for share in sorted(given.get("bands") or []):
        key = f"{share:g}"
        found.append(Measured(share, list(given["coverage"][key]), list(before.get(key, [])), list(width.get(key, []))))
    return found


def section(record: dict[str, Any]) -> dict[str, Any] | None:
    """What the page says of coverage: a figure, a table, sentences; None without bands."""
    if not measured(record):
        return None
    return {
        "source": source(record),
        "sentences": sentences(record),
        "figure": figure(record),
        "table": table(record),
    }


def figure(record: dict[str, Any]) -> Figure | None:
    """Coverage by time ahead, each band's measured line around its nominal one; None for a single step."""
    found, given = measured(record), record.get("intervals") or {}
    if not found or len(given["hours"]) < 2:
        return None
    steps, ahead, spread = list(given["hours"]), given.get("unit", "steps"), given.get("spread") or {}
    style = styles(record).get(given.get("of") or "", "model")
    everything = [v for m in found for v in [m.share, *m.steps, *m.before] if numbers.is_number(v)]
    everything += [v for low, _ in spread.values() for v in low if numbers.is_number(v)]
    low = 10 * max(0, int(10 * (min(everything) - 0.02)))

    def draw(size: Size) -> str:
        chart = Chart(size, (min(0.0, steps[0]), steps[-1]), (low, 100), [m.name for m in found], bottom=46)
        title = "share of the truth inside (%)"
        chart.axes(step_ticks(steps, ahead, size), axes.linear(low, 100, size.y_ticks), f"time ahead ({ahead})", title)
        for m in found:
            if f"{m.share:g}" in spread:
                lowest, highest = map(_percents, spread[f"{m.share:g}"])
                chart.band(steps, lowest, highest, style, SPREAD)
            chart.line([chart.x[0], steps[-1]], [100 * m.share] * 2, "nominal")
            chart.line(steps, _percents(m.before), f"{style} before")
            chart.line(steps, _percents(m.steps), f"{style} solid", m.name)
        return chart.finish(alt, is_sample(record))

    ranges = [(m, [v for v in m.steps if numbers.is_number(v)]) for m in found]
    said = [f"{m.name} band between {_share(min(vs))} and {_share(max(vs))}" for m, vs in ranges if vs]
    alt = f"Coverage by time ahead, measured: {'; '.join(said)}."
    keys = [Key(stroke(f"{style} solid"), "measured"), Key(stroke("nominal"), "what it should be")]
    if any(m.before for m in found):
        keys.append(Key(stroke(f"{style} before"), "before calibration"))
    if spread:
        keys.append(Key(area(style, SPREAD), "from the lowest to the highest fold"))
    return Figure(both(draw), "", legend=keys)


def table(record: dict[str, Any]) -> Table | None:
    """A line a band: measured over all steps, how far off that is, the same before calibration, and the mean width."""
    found, given = measured(record), record.get("intervals") or {}
    if not found:
        return None
    unit = numbers.unit((record.get("by_step") or {}).get("of") or "")
    columns = {
        ("measured", ""): [_share(m.overall) for m in found],
        ("off by", "points"): [_signed(m) for m in found],
        ("before", "calibration"): [_share(mean(m.before)) for m in found],
        ("mean width", unit): numbers.column([mean(m.width) for m in found]),
    }
    if not given.get("uncalibrated"):
        del columns["before", "calibration"]
    style = styles(record).get(given.get("of") or "", "model")
    rows = zip(found, zip(*columns.values(), strict=True), strict=True)
    return Table(list(columns), [Line(f"{m.name} band", style, [Cell(t) for t in texts]) for m, texts in rows])


def sentences(record: dict[str, Any]) -> list[str]:
    """Of each band that is off, over all steps or at some, how far and where; one sentence where none is."""
    found, given = measured(record), record.get("intervals") or {}
    said = [_judged(m, given["hours"], given.get("unit", "steps")) for m in found]
    off = [text for text in said if text]
    allowed = numbers.points(OFF)
    if found and not off:
        off = [f"Every band holds what it should, to within {allowed}, over all and at each step."]
    elif len(off) < len(said):
        fine = numbers.listed(m.name for m, text in zip(found, said, strict=True) if not text)
        off.append(f"As they should, to within {allowed} over all and at each step: {fine}.")
    note = given.get("note")
    return [*off, numbers.sentence(numbers.prose(note, []))] if note else off


def source(record: dict[str, Any]) -> str:
    """Whose bands they are, how they were calibrated, and on what."""
    given = record.get("intervals")
    if not given:
        return ""
    name = shown_name(record, given.get("of") or "")
    whose = "the trained model" if name == "model" else f"the {name}"
    method = f" ({given['method']})" if given.get("method") else ""
    windows = f"{numbers.whole(given['windows'])} windows" if given.get("windows") else ""
    if given.get("folds"):
        least = f", {windows} or more" if windows else ""
        return f"Bands of {whose}, calibrated in each fold on its validation part{least}{method}; means over the folds."
    part = f"{windows} of the validation part" if windows else "the validation part"
    return f"Bands of {whose}, calibrated on {part}{method} and measured on the test part."


def mean(values: Sequence[float | None]) -> float | None:
    """Of what is finite; None where nothing is."""
    known = [v for v in values if numbers.is_number(v)]
    return sum(known) / len(known) if known else None


def _judged(m: Measured, hours: Sequence[float], unit: str) -> str:
    """What is wrong with a band, or nothing."""
    if m.overall is None:
        return f"Nothing finite was measured of the {m.name} band."
    miss = m.overall - m.share
    known = [(v, h) for v, h in zip(m.steps, hours, strict=True) if numbers.is_number(v)]
    least, most = min(known), max(known)
    over = miss > 0 if abs(miss) > OFF else most[0] - m.share > m.share - least[0]
    share, hour = most if over else least
    worst = f"{hour:g}{numbers.GAP}{unit} ahead: {_share(share)}"
    holds = f"The {m.name} band holds {'' if miss > 0 else 'only '}{_share(m.overall)} of the truth"
    if abs(miss) > OFF:
        how = f"{numbers.points(miss)} {'more' if over else 'less'} than it should"
        what = ": it is wider than it need be" if over else ""
        where = f"; {'most' if over else 'least'} {worst}" if len(known) > 1 else ""
        return f"{holds}, {how}{what}{where}."
    astray = sum(abs(v - m.share) > OFF for v, _ in known)
    if not astray:
        return ""
    return (
        f"The {m.name} band holds {_share(m.overall)} of the truth, as it should over all, but at "
        f"{astray} of {len(known)} steps it is more than {numbers.points(OFF)} off; furthest {worst}."
    )


def _percents(values: Sequence[float | None]) -> list[float]:
    return [100 * v if numbers.is_number(v) else float("nan") for v in values]


def _share(value: float | None) -> str:
    return numbers.percent(value)


def _signed(m: Measured) -> str:
    if m.overall is None:
        return numbers.ABSENT
    text = numbers.fixed(100 * (m.overall - m.share), 1)
    return text if text.startswith("−") or not text.strip("0.") else f"+{text}"
