"""Rows put in order of time, each series apart and each time once; the hours that a clock's change repeats or skips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.columns import Repair, Table
from data.durations import DAY, HOUR
from data.errors import DataError
from data.tables import row_number

#: A series in which more than this share of the rows repeats a time with other values is two series.
REPEATS = 0.1
#: The months in which clocks are changed somewhere, always in a Sunday's first hours.
CHANGES = (3, 4, 9, 10, 11)
BACK = "rows of the hour that a clock set back runs twice, the first kept (with offsets, or in UTC, both are)"
FORWARD = "hours that a clock set forward skips (with offsets, or in UTC, there is no such hole)"


@dataclass(frozen=True)
class Ordered:
    """Series' name → its rows in order of time, each time once; and what was done to that end."""

    parts: dict[str, np.ndarray]
    repairs: list[Repair]


def in_order(ids: pd.Series | None, times: np.ndarray, table: Table, index: pd.Index) -> Ordered:
    """Sort the rows; of those with the same time keep the first.

    Args:
        ids: the series of each row; None where there is but one.
        times: int64 seconds.
        table: the cells, to tell copies from rows that differ.
        index: the rows' numbers in the file, for the errors.

    Raises:
        DataError: a series holds so many times twice, with different values, that it must be two.
    """
    if ids is None:
        codes, names = np.zeros(len(times), np.int64), ["series"]
    else:
        codes, found = pd.factorize(ids, sort=True)
        names = [str(n) for n in found]
    repairs = []
    order = np.lexsort((times, codes))
    within = (np.diff(codes) == 0) & (np.diff(times) < 0)
    if within.any():
        repairs.append(Repair("rows out of order, sorted", int(within.sum())))
    same = np.zeros(len(order), bool)
    same[1:] = (np.diff(codes[order]) == 0) & (np.diff(times[order]) == 0)
    kept = order[~same]
    edges = np.searchsorted(codes[kept], np.arange(len(names) + 1))
    parts = {name: kept[edges[i] : edges[i + 1]] for i, name in enumerate(names)}
    if same.any():
        first = order[np.maximum.accumulate(np.where(same, 0, np.arange(len(order))))][same]
        again = order[same]
        differ = np.logical_not(_equal(table.values[first], table.values[again]).all(axis=1))
        _refuse_two_in_one(codes, names, times, first[differ], again[differ], index, one=ids is None)
        repairs += _repeats(times, codes, parts, again, differ)
    skipped = sum(_skipped(times[rows]) for rows in parts.values())
    if skipped:
        repairs.append(Repair(FORWARD, skipped))
    return Ordered(parts, repairs)


def _equal(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a == b) | (np.isnan(a) & np.isnan(b))


def _refuse_two_in_one(
    codes: np.ndarray,
    names: list[str],
    times: np.ndarray,
    first: np.ndarray,
    again: np.ndarray,
    index: pd.Index,
    *,
    one: bool,
) -> None:
    """Refuse a series whose times come twice with different values."""
    repeats = np.bincount(codes[again], minlength=len(names))
    rows = np.bincount(codes, minlength=len(names))
    worst = int(np.argmax(repeats / rows))
    if repeats[worst] <= REPEATS * rows[worst]:
        return
    pair = int(np.flatnonzero(codes[again] == worst)[0])
    a, b = sorted(row_number(index[rows[pair]]) for rows in (first, again))
    which = "" if one else f"Series '{names[worst]}': "
    hint = (
        "Is this a panel? Name the column that tells its series apart with data.id."
        if one
        else "Are these two series under one id? Give each its own."
    )
    raise DataError(
        f"{which}{repeats[worst]} of {rows[worst]} rows repeat the time of another with other values, the first in "
        f"rows {a} and {b} ({_text(times[again[pair]])}). {hint}"
    )


def _repeats(
    times: np.ndarray, codes: np.ndarray, parts: dict[str, np.ndarray], again: np.ndarray, differ: np.ndarray
) -> list[Repair]:
    """What to say of the rows that were left aside."""
    turned = np.zeros(len(again), bool)
    for code, rows in enumerate(parts.values()):
        mine = codes[again] == code
        if mine.any():
            turned[mine] = _set_back(times[rows], times[again[mine]])
    kinds = (
        ("rows that are copies of another, dropped", ~differ & ~turned),
        ("repeated times with other values, the first kept", differ & ~turned),
        (BACK, turned),
    )
    return [Repair(what, int(which.sum())) for what, which in kinds if which.any()]


def _set_back(times: np.ndarray, repeated: np.ndarray) -> np.ndarray:
    """Which repeated times belong to an hour of a Sunday night that comes twice as a whole.

    Args:
        times: a series' times, sorted, each once.
        repeated: those that came again.
    """
    if len(times) < 3 or np.median(np.diff(times)) > HOUR:
        return np.zeros(len(repeated), bool)
    hours, once = np.unique(times // HOUR, return_counts=True)
    twice = pd.Series(repeated // HOUR).value_counts()
    whole = [h for h, n in twice.items() if n == once[np.searchsorted(hours, h)] and _changes(h * HOUR)]
    return np.isin(repeated // HOUR, whole)


def _skipped(times: np.ndarray) -> int:
    """How many hours of Sunday nights are missing from a series as a whole, and nothing beside them."""
    if len(times) < 3:
        return 0
    gaps = np.diff(times)
    step = int(np.median(gaps))
    if not 0 < step <= HOUR:
        return 0
    return sum(_changes(int(times[i]) + step) for i in np.flatnonzero(gaps == HOUR + step))


def _changes(time: int) -> bool:
    """Whether clocks are changed somewhere at about this time: on a Sunday before four, in spring or autumn."""
    day = np.datetime64(time, "s").astype("datetime64[M]")
    sunday = (time // DAY + 3) % 7 == 6
    return bool(sunday and time % DAY < 4 * HOUR and int(day.astype(int)) % 12 + 1 in CHANGES)


def _text(seconds: int) -> str:
    return str(np.datetime64(int(seconds), "s")).replace("T", " ")
