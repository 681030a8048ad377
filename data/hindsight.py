"""The table read again with its future changed, to see that what is read of the past stays as it is."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.columns import choose
from data.leaks import Check
from data.options import ForecastOptions
from data.series import Series, read_series
from data.times import read_keys


def readings_ignore_the_future(
    frame: pd.DataFrame, options: ForecastOptions, series: Series, *, seed: int = 0, count: int = 2
) -> Check:
    """Rows before an instant are read as they are, to the bit, when every reading after it is another.

    The table goes the whole way again: cells to numbers, sorting, averaging to the step, filling. Half of the instants
    are drawn from those after a row that had to be filled, where there are any. Missing cells stay missing: how long a
    hole is decides whether it is filled or left out, and that is known only at its end.

    Args:
        frame: the table.
        options: as resolved.
        series: as read.
        seed, count: which instants are tried.
    """
    name = "readings do not move when the future does"
    table = _Table(frame, options, series)
    points = table.draw(np.random.default_rng(seed), count)
    for point in points:
        again = read_series(table.changed_after(point, seed), options, grid=series.grid)
        moved = _moved(series, again, point)
        if moved:
            detail = f"Changing the readings after {_text(series, point)} changed {moved} rows up to it."
            return Check(name, False, detail)
    return Check(name, True, f"Readings after {len(points)} instants were changed; no row up to them moved.")


class _Table:
    """The usable rows of a table, which can be changed after any point of their grid."""

    def __init__(self, frame: pd.DataFrame, options: ForecastOptions, series: Series):
        frame = frame.reset_index(drop=True)
        found, used, there = read_keys(frame, options)
        self.frame, self.times, self.grid = frame[there], found.seconds[there], series.grid
        self.points = np.unique(self.grid.positions(series.times))
        self.table = choose(self.frame, options, used)[0]

    def draw(self, rng: np.random.Generator, count: int) -> list[int]:
        """Grid points after which the table is to be changed; half of them are points that were filled."""
        read, some = self.grid.positions(self.times), self.points[:-1]
        missing = np.isnan(self.table.values).any(axis=1)
        filled = np.intersect1d(some, np.union1d(read[missing], np.setdiff1d(some, read)))
        drawn = rng.permutation(filled)[: (count + 1) // 2]
        return [*drawn, *rng.permutation(np.setdiff1d(some, drawn))[: count - len(drawn)]]

    def changed_after(self, point: int, seed: int) -> pd.DataFrame:
        """The table with other readings after a point's time: nearer to nothing, so that angles stay angles.

        Rows of the same time change alike, so that copies stay copies.
        """
        now = self.grid.times(np.array([point]))[0] + self.grid.late
        future = np.flatnonzero(self.times > now)
        instants, which = np.unique(self.times[future], return_inverse=True)
        factors = np.random.default_rng([seed, len(future)]).uniform(0.1, 0.9, (len(instants), len(self.table.columns)))
        found = {}
        for i, name in enumerate(self.table.columns):
            known = ~np.isnan(self.table.values[future, i])
            rows, factor = future[known], factors[which[known], i]
            values = self.table.values[rows, i]
            values = np.where(values == 0, factor, values * factor)
            column = self.frame[name]
            if pd.api.types.is_numeric_dtype(column):
                cells = column.to_numpy(np.float64, na_value=np.nan).copy()
                cells[rows] = values
            else:
                cells = column.to_numpy(object).copy()
                cells[rows] = [repr(float(v)) for v in values]
            found[name] = cells
        return self.frame.assign(**found)


def _moved(series: Series, again: Series, point: int) -> int:
    """How many rows up to a grid point are not what they were, or not there."""

    def rows(of: Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        positions = of.grid.positions(of.times)
        past = positions <= point
        return np.repeat(of.names, np.diff(of.bounds))[past], positions[past], of.values[past]

    (names, points, values), (other_names, other_points, other_values) = rows(series), rows(again)
    if np.array_equal(names, other_names) and np.array_equal(points, other_points):
        return int((values != other_values).any(axis=1).sum())
    there = set(zip(other_names.tolist(), other_points.tolist(), strict=True))
    return max(1, sum(row not in there for row in zip(names.tolist(), points.tolist(), strict=True)))


def _text(series: Series, point: int) -> str:
    return str(series.grid.times(np.array([point])).astype("datetime64[s]")[0]).replace("T", " ")
