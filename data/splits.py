"""Train, validation and test: intervals of time, the same instants for every series; one split, or several folds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from data.errors import DataError
from data.options import Split
from data.series import Series

PARTS = ("train", "validation", "test")

Interval = tuple[int, int]
Window = Literal["expanding", "sliding"]


@dataclass(frozen=True)
class Borders:
    """The parts as intervals [start, end) of int64 seconds; what lies between two of them belongs to none."""

    train: Interval
    validation: Interval
    test: Interval

    def rows(self, series: Series, part: str) -> np.ndarray:
        """(rows,) boolean: the rows of a part."""
        start, end = getattr(self, part)
        return (series.times >= start) & (series.times < end)

    def ranges(self, series: Series, part: str) -> tuple[np.ndarray, np.ndarray]:
        """The first row of a part, and the first after it, in each segment."""
        first, last = [], []
        for start, end in zip(series.bounds[:-1], series.bounds[1:], strict=True):
            cut = np.searchsorted(series.times[start:end], getattr(self, part))
            first.append(start + cut[0])
            last.append(start + cut[1])
        return np.array(first, np.int64), np.array(last, np.int64)


def borders(series: Series, split: Split) -> Borders:
    """The instants that cut all rows, put in order of time, into the shares of `split`.

    As in the long-horizon benchmarks, train and test are rounded down and validation takes what is left.
    """
    times = np.sort(series.times)
    validation, test = _edges(len(times), split)
    return _borders(times, (0, validation), (validation, test), (test, len(times)))


def folds(series: Series, split: Split, *, count: int, window: Window = "expanding", embargo: int = 0) -> list[Borders]:
    r"""A rolling origin: the test part of `split`, cut into `count` equal blocks, each forecast from what came before.

    With n rows in order of time, of which `split` gives v to validation and m to test, block i holds the
    ⌊m / count⌋ rows before row \(n - (\text{count} - 1 - i)⌊m / \text{count}⌋\). Before each stand v rows of
    validation, before those train: all from the first row on, or, where the window slides, as many as the first fold
    has. So every fold trains on no less than the split does (but for the embargo), and none is tested on rows that the
    split shows to whoever chooses a model.

    Args:
        series: the series.
        split: the shares.
        count: how many folds.
        window: `expanding` trains on everything before, `sliding` on the same number of rows in each fold.
        embargo: grid points left out between train and validation, and between validation and test; the test blocks
            stay where they are, and train gives way.

    Raises:
        DataError: fewer than one fold, more than there are rows, or an embargo that leaves no row to train on.
    """
    if window not in get_args(Window):
        raise DataError(f"window: {window!r} given. Accepted: {', '.join(get_args(Window))}.")
    if count < 1:
        raise DataError(f"{count} folds given. Accepted: 1 or more.")
    times = np.sort(series.times)
    rows = len(times)
    first, last = _edges(rows, split)
    length = (rows - last) // count
    if not length:
        raise DataError(f"{count} folds given, and the test part has only {rows - last} rows.")

    def before(row: int) -> int:
        """The row at which the embargo before a row begins."""
        if not embargo:
            return row
        position = series.grid.positions(times[row : row + 1]) - embargo
        return int(np.searchsorted(times, series.grid.times(position)[0]))

    found: list[tuple[Interval, Interval, Interval]] = []
    for fold in range(count):
        test = rows - (count - fold) * length
        validation = before(test) - (last - first)
        train = before(validation) if validation > 0 else 0
        if train < 1:
            raise DataError(f"An embargo of {embargo} rows leaves fold {fold + 1} of {count} no row to train on.")
        start = train - found[0][0][1] if found and window == "sliding" else 0
        found.append(((start, train), (validation, validation + last - first), (test, test + length)))
    return [_borders(times, *parts) for parts in found]


def _borders(times: np.ndarray, *parts: Interval) -> Borders:
    """Row numbers [start, end) of sorted times → instants."""
    edges = np.append(times, times[-1] + 1)
    return Borders(*((int(edges[start]), int(edges[end])) for start, end in parts))


def _edges(rows: int, split: Split) -> tuple[int, int]:
    """The first rows of validation and test."""
    validation = min(int(rows * split.train + 1e-9), rows - 1)
    return validation, min(max(rows - int(rows * split.test + 1e-9), validation), rows - 1)
