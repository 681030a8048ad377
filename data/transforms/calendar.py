"""The calendar: where in the day, the week and the year a time falls, and the times that follow it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from data.durations import DAY, WEEK, YEAR
from data.grid import Grid
from data.transforms.forms import NUMPY

PERIODS = {"day": DAY, "week": WEEK, "year": YEAR}


def names(periods: tuple[str, ...]) -> tuple[str, ...]:
    """The features' names, in the order of `phases`."""
    return tuple(f"{f} of {period}" for period in periods for f in ("sin", "cos"))


def phases(times: Any, periods: tuple[str, ...], xp: Any = NUMPY) -> Any:
    r"""\((\sin 2πt/P,\ \cos 2πt/P)\) for each period P.

    The remainder t mod P is taken in int64: a float32 of today's seconds is off by a minute.

    Args:
        times: int64 seconds since 1970 (...).
        periods: some of day, week, year (of 365.2425 days).

    Returns:
        float32 (..., 2 × periods).
    """
    columns = []
    for period in periods:
        length = PERIODS[period]
        angle = xp.to_float(xp.mod(times, length)) * xp.constant(2.0 * math.pi / length)
        columns += [xp.sin(angle), xp.cos(angle)]
    return xp.stack(columns)


def following(last_time: Any, count: int, grid: Grid, xp: Any = NUMPY) -> Any:
    r"""The times of the next rows, k = 1 … count: \(t + k·\text{step}\), or the k-th month or weekday after t.

    Args:
        last_time: int64 seconds since 1970 (...).
        count: how many.
        grid: the series' grid.

    Returns:
        int64 (..., count).
    """
    last, ahead = xp.expand(last_time), xp.integers(np.arange(1, count + 1))
    if not grid.months and not grid.weekdays:
        return last + ahead * grid.step
    clock = xp.mod(last, DAY)
    days = _floor_divide(last, DAY, xp)
    if grid.weekdays:
        monday_based = days + 3  # 1970-01-01 was a Thursday
        weeks, weekday = _floor_divide(monday_based, 7, xp), xp.mod(monday_based, 7)
        position = weeks * 5 + xp.minimum(weekday, xp.integers(4)) + ahead
        return (_floor_divide(position, 5, xp) * 7 + xp.mod(position, 5) - 3) * DAY + clock
    month = _month_of(days, xp) + ahead * grid.months
    first = _first_day(month, xp)
    length = _first_day(month + 1, xp) - first
    return (first + xp.minimum(length, xp.integers(grid.day)) - 1) * DAY + clock


def _floor_divide(x: Any, by: int, xp: Any) -> Any:
    """⌊x / by⌋ of int64, exact for quotients below four million; LiteRT has no int64 division."""
    return xp.to_integer(xp.round(xp.to_float(x - xp.mod(x, by)) / xp.constant(by)))


def _month_of(days: Any, xp: Any) -> Any:
    """Days since 1970-01-01 → months since March of the year 0, in the Gregorian calendar (after H. Hinnant)."""
    shifted = days + 719468
    era, day = _floor_divide(shifted, 146097, xp), xp.mod(shifted, 146097)
    leap = _floor_divide(day, 1460, xp) - _floor_divide(day, 36524, xp) + _floor_divide(day, 146096, xp)
    year = _floor_divide(day - leap, 365, xp)
    day_of_year = day - (year * 365 + _floor_divide(year, 4, xp) - _floor_divide(year, 100, xp))
    return (era * 400 + year) * 12 + _floor_divide(day_of_year * 5 + 2, 153, xp)


def _first_day(month: Any, xp: Any) -> Any:
    """Months since March of the year 0 → days since 1970-01-01 of the month's first day."""
    year, since_march = _floor_divide(month, 12, xp), xp.mod(month, 12)
    leap = _floor_divide(year, 4, xp) - _floor_divide(year, 100, xp) + _floor_divide(year, 400, xp)
    return year * 365 + leap + _floor_divide(since_march * 153 + 2, 5, xp) - 719468
