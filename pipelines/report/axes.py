"""Where the ticks of an axis stand, and what is written at them."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from pipelines.report import numbers

EPOCH = datetime(1970, 1, 1)
MINUTE, HOUR, DAY = 60, 3600, 86400
_STEPS = [
    *(1, 2, 5, 10, 30),
    *(MINUTE * m for m in (1, 2, 5, 10, 15, 30)),
    *(HOUR * h for h in (1, 2, 3, 6, 12)),
    *(DAY * d for d in (1, 2, 4, 7, 14)),
]

Ticks = list[tuple[float, str]]


def linear(low: float, high: float, about: int) -> Ticks:
    """Round numbers from `low` to `high`, some `about` of them."""
    step = _round_step((high - low) / max(1, about))
    first = math.ceil(low / step - 1e-9)
    at = [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]
    places = next((p for p in range(12) if abs(round(step, p) - step) < step * 1e-9), 12)
    return [(v, numbers.fixed(v, places)) for v in at]


def whole(low: float, high: float, about: int) -> Ticks:
    """As `linear`, whole numbers alone: epochs."""
    step = max(1, round(_round_step((high - low) / max(1, about))))
    first = math.ceil(low / step) * step
    at = range(int(first), math.floor(high) + 1, step)
    return [(float(v), f"{v:,}") for v in at] or [(low, f"{low:,.0f}")]


def logarithmic(low: float, high: float, about: int) -> Ticks:
    """1, 2, 5, 10 … between two positive numbers."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        at = [f * 10.0**p for p in powers for f in factors if low * 0.999 <= f * 10.0**p <= high * 1.001]
        if len(at) <= about + 1:
            break
    return [(v, numbers.number(v, 1)) for v in at]


def times(low: float, high: float, about: int) -> Ticks:
    """Round instants between two times in seconds since 1970: minutes, hours, days, months or years."""
    span = max(1.0, high - low)
    step = next((s for s in _STEPS if span / s <= about), None)
    if step is None:
        return _calendar(low, high, about)
    shift = 4 * DAY if step in (7 * DAY, 14 * DAY) else 0  # 1970 began on a Thursday; weeks begin on Monday
    first = math.ceil((low - shift) / step) * step + shift
    at = [first + k * step for k in range(int((high - first) // step) + 1)] if first <= high else []
    return [(v, _label(EPOCH + timedelta(seconds=v), step)) for v in at]


def _label(at: datetime, step: int) -> str:
    if step < MINUTE:
        return f"{at:%H:%M:%S}"
    if step < DAY and (at.hour or at.minute):
        return f"{at:%H:%M}"
    return f"{at.day} {numbers.MONTHS[at.month - 1]}"


def _calendar(low: float, high: float, about: int) -> Ticks:
    start, end = (EPOCH + timedelta(seconds=s) for s in (low, high))
    months = (end.year - start.year) * 12 + end.month - start.month
    sizes = (1, 2, 3, 6, *(12 * y for y in (1, 2, 5, 10, 20, 50, 100, 200, 500)))
    step = next((s for s in sizes if months / s <= about), sizes[-1])
    at, found = start.year * 12 // step * step, []
    if step < 12:
        at = (start.year * 12 + start.month - 1) // step * step
    while at <= end.year * 12 + end.month:
        year, month = divmod(at, 12)
        if 1 <= year <= 9999:
            seconds = (datetime(year, month + 1, 1) - EPOCH).total_seconds()
            if low <= seconds <= high:
                found.append((seconds, str(year) if month == 0 else numbers.MONTHS[month]))
        at += step
    return found


def _round_step(rough: float) -> float:
    """The round number nearest to `rough`, as factors go."""
    if not rough > 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return min((f * power for f in (1, 2, 2.5, 5, 10)), key=lambda step: abs(math.log(step / rough)))
