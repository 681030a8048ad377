"""Bands around a forecast: which quantiles make them, what they should hold, and how they lie inside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.report import numbers
from pipelines.report.chart import Chart, Key, area

#: How dark one band is, and how dark many of them may become where they lie on top of each other.
FAINT, DARKEST = 0.13, 0.45

#: The column of a metrics table that bands have, followed by the share that they should hold in per cent.
COVERAGE = "coverage_"


@dataclass(frozen=True)
class Band:
    """What lies between two quantiles; `share` of the truth should."""

    share: float
    low: Sequence[float]
    high: Sequence[float]

    def holds(self, truth: Sequence[float]) -> int:
        """How many readings lie inside, its edges included."""
        rows = [r for r in zip(self.low, truth, self.high, strict=False) if all(map(numbers.is_number, r))]
        return sum(low <= value <= high for low, value, high in rows)


def nested(quantiles: Mapping[str, Sequence[float]] | None) -> list[Band]:
    """Bands from quantiles by level, the widest first; a level q goes with 1 − q, and without that makes no band."""
    levels = {round(float(level), 6): values for level, values in (quantiles or {}).items()}
    tails = sorted(q for q in levels if q < 0.5 and round(1 - q, 6) in levels)
    return [Band(round(1 - 2 * q, 6), levels[q], levels[round(1 - q, 6)]) for q in tails]


def hundredths(share: float) -> str:
    """0.8 → 80, 0.999 → 99.9."""
    return f"{100 * share:.6g}"


def cases(shares: Sequence[float]) -> str:
    """`50, 80 and 95 of 100 cases`."""
    return f"{numbers.listed(hundredths(s) for s in sorted(shares))} of 100 cases"


def draw(chart: Chart, xs: Sequence[float], bands: Sequence[Band], known: Sequence[float]) -> None:
    """The bands on top of each other, so that the widest is the lightest; all begin at the last reading, `known`."""
    for band in bands:
        chart.band(xs, [*known, *band.low], [*known, *band.high], "model", _opacity(len(bands)))


def legend(bands: Sequence[Band]) -> list[Key]:
    """What each shade stands for, the narrowest band first."""
    once = _opacity(len(bands))
    keys = []
    for at in range(len(bands), 0, -1):
        text = hundredths(bands[at - 1].share) + (" of 100 cases" if at == 1 else "")
        keys.append(Key(area("model", 1 - (1 - once) ** at), f"bands for {text}" if at == len(bands) else text))
    return keys


def _opacity(count: int) -> float:
    return min(FAINT, 1 - (1 - DARKEST) ** (1 / max(1, count)))


def column(rows: Sequence[Mapping[str, Any]]) -> tuple[str, float] | None:
    """The coverage that a table has room for: its key and its share, the 80 % band's or else the widest's."""
    keys = {key for row in rows for key, value in row.items() if key.startswith(COVERAGE) and value is not None}
    shares = {float(key.removeprefix(COVERAGE)) / 100: key for key in keys}
    if not shares:
        return None
    share = 0.8 if 0.8 in shares else max(shares)
    return shares[share], share
