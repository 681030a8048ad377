"""Making one series regular: one row a grid point, nothing missing, nothing taken from the future."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.grid import Grid


@dataclass(frozen=True)
class Regular:
    """Rows on a grid; neighbours whose positions differ by more than one belong to different segments."""

    positions: np.ndarray
    values: np.ndarray
    #: Rows made up for missing time stamps; rows left out: in holes too long to fill, before every column has its first
    #: value, after a target has its last.
    inserted: int
    dropped: int
    leading: int
    trailing: int
    #: Readings beside the grid, which were counted to its next point; and those averaged with another of their point.
    moved: int
    merged: int


def regularise(times: np.ndarray, values: np.ndarray, grid: Grid, *, own: int, targets: int, max_gap: int) -> Regular:
    """A series on its grid.

    Readings that fall to one grid point are averaged, cells without a value left aside. Missing cells and missing
    rows take the last value before them. A hole of more than `max_gap` rows, in the stamps or in a target, is not
    filled: its rows are left out, and the series falls into segments there. Rows before every column has its first
    value are dropped, and so are those after a target has its last: they lie in the future, which is not filled.

    Args:
        times: int64 seconds, sorted, without duplicates.
        values: (rows, columns) float64 with NaN; targets first.
        grid: where the rows are to stand.
        own: seconds between the readings as they stand in the file.
        targets: how many columns are targets.
        max_gap: the longest hole that is filled, in rows.
    """
    positions = grid.positions(times)
    averaged = grid.step > own
    moved = 0 if averaged or grid.months else int((grid.times(positions) != times).sum())
    merged = 0 if averaged else int((np.diff(positions) == 0).sum())
    if averaged:
        positions, values = _complete(times, positions, values, grid, own)
    positions, values = _average(positions, values)
    positions, values, inserted = _insert(positions, values, max_gap)
    missing = np.isnan(values[:, :targets])
    future = np.flip(np.logical_and.accumulate(np.flip(missing, axis=0), axis=0), axis=0).any(axis=1)
    hole = _long_holes(missing, positions, max_gap) & ~future
    values = _fill_forward(values)
    leading = np.isnan(values).any(axis=1) & ~future
    keep = ~(hole | leading | future)
    lost = (int((hole & ~leading).sum()), int(leading.sum()), int(future.sum()))
    return Regular(positions[keep], values[keep], inserted, *lost, moved, merged)


def segments(positions: np.ndarray) -> np.ndarray:
    """Row offsets (segments + 1,) of the stretches of neighbouring positions."""
    breaks = np.flatnonzero(np.diff(positions) != 1) + 1
    return np.concatenate([[0], breaks, [len(positions)]]).astype(np.int64)


def _complete(
    times: np.ndarray, positions: np.ndarray, values: np.ndarray, grid: Grid, own: int
) -> tuple[np.ndarray, np.ndarray]:
    """Without the first and last grid point where the readings do not cover all of it."""
    before, after = grid.positions(np.array([times[0] - own, times[-1] + own]))
    keep = np.ones(len(positions), bool)
    if before == positions[0]:
        keep &= positions != positions[0]
    if after == positions[-1]:
        keep &= positions != positions[-1]
    return positions[keep], values[keep]


def _average(positions: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean of the known cells of each position."""
    starts = np.flatnonzero(np.diff(positions, prepend=positions[0] - 1 if len(positions) else 0))
    if len(starts) == len(positions):
        return positions, values
    known = ~np.isnan(values)
    total = np.add.reduceat(np.where(known, values, 0.0), starts, axis=0)
    count = np.add.reduceat(known, starts, axis=0, dtype=np.int64)
    return positions[starts], np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _insert(positions: np.ndarray, values: np.ndarray, max_gap: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Rows without a value for the stamps that are missing, where no more than `max_gap` are."""
    steps = np.diff(positions)
    missing = np.where(steps - 1 <= max_gap, steps - 1, 0)
    if not missing.any():
        return positions, values, 0
    place = np.arange(len(positions)) + np.concatenate([[0], np.cumsum(missing)])
    wide = np.full((len(positions) + int(missing.sum()), values.shape[1]), np.nan)
    wide[place] = values
    since = np.arange(len(wide)) - np.repeat(place, np.append(missing, 0) + 1)
    return np.repeat(positions, np.append(missing, 0) + 1) + since, wide, int(missing.sum())


def _long_holes(missing: np.ndarray, positions: np.ndarray, max_gap: int) -> np.ndarray:
    """Rows that belong to a run of more than `max_gap` grid points on which some column has no value."""
    found = np.zeros(len(missing), bool)
    for column in missing.T:
        if not column.any():
            continue
        edges = np.flatnonzero(np.diff(np.concatenate([[False], column, [False]]).astype(np.int8)))
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            if positions[end - 1] - positions[start] + 1 > max_gap:
                found[start:end] = True
    return found


def _fill_forward(values: np.ndarray) -> np.ndarray:
    """Each missing cell takes the last known value above it; those above the first known value stay NaN."""
    known = ~np.isnan(values)
    if known.all():
        return values
    last = np.maximum.accumulate(np.where(known, np.arange(len(values))[:, None], 0), axis=0)
    return np.take_along_axis(values, last, axis=0)
