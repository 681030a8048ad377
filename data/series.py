"""From a table to regular series: read, repaired, and on one grid."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from data import durations
from data.columns import Repair, Table, choose
from data.durations import DAY, HOUR, MINUTE, WEEK
from data.errors import DataError, listing
from data.grid import Grid, find_grid
from data.options import ForecastOptions, Split, Wind
from data.regular import Regular, regularise, segments
from data.times import NO_TIME, find_column, read_times
from data.transforms import wind

__all__ = ["ForecastOptions", "Repair", "Series", "Split", "Wind", "default_season", "read_series"]


@dataclass(frozen=True)
class Series:
    """One or many regular series laid end to end; a window never crosses one of `bounds`.

    Attributes:
        times: (rows,) int64, seconds since 1970 on the file's own clock.
        values: (rows, columns) float32, in the file's units, finite.
        columns: the columns' names, targets first.
        targets: how many of the columns are targets.
        bounds: (segments + 1,) row offsets.
        names: the series to which each segment belongs.
        step: seconds between rows; for months their mean length.
        repairs: what was put right on the way.
        grid: where rows stand in time: fixed steps, months or weekdays.
        averaged_from: seconds between the file's own rows where the step is coarser than theirs, else 0.
    """

    times: np.ndarray
    values: np.ndarray
    columns: tuple[str, ...]
    targets: int
    bounds: np.ndarray
    names: tuple[str, ...]
    step: int
    repairs: tuple[Repair, ...]
    grid: Grid
    averaged_from: int = 0

    @property
    def rows(self) -> int:
        return len(self.times)

    @property
    def months(self) -> int:
        """Calendar months between rows, 0 where the step is a fixed time."""
        return self.grid.months

    @property
    def longest(self) -> int:
        """Rows of the longest segment."""
        return int(np.diff(self.bounds).max())


def default_season(grid: Grid) -> int:
    """The main period in rows: a day below daily steps, a week of days, a year of weeks or months, else one."""
    step = grid.step
    if grid.months:
        return max(1, 12 // grid.months)
    if grid.weekdays:
        return 5
    if step == WEEK:
        return 52
    if step == DAY:
        return 7
    for period, shortest in ((DAY, MINUTE), (HOUR, 1)):
        if step < period and period % step == 0 and step >= shortest:
            return period // step
    return 1


def read_series(frame: pd.DataFrame, options: ForecastOptions, *, grid: Grid | None = None) -> Series:
    """The table as regular series in their own units, with every repair counted.

    Missing cells (empty, NaN, infinite, or listed in `options.missing`) and short gaps take the last value before
    them; a gap longer than `max_gap` (by default a quarter of a season, at least four rows), in the stamps or in a
    target, splits the series. With a `step` coarser than the file's own, readings in (t - step, t] are averaged and
    stand at t; wind is averaged as a vector and turned back into speed and direction, so that columns mean the same
    at every step.

    Args:
        frame: the table, as `data.source.read_table` gives it.
        options: the columns and durations.
        grid: that of a series read before, whose months or weekdays hold for this one too.

    Raises:
        DataError: no time, no target, text where numbers should be, or nothing left to use.
    """
    frame = frame.reset_index(drop=True)
    times, used, notes = read_times(frame, options.time, options.time_format)
    repairs = [Repair(what, count, used[0]) for what, count in notes]
    if options.id is not None:
        used = [*used, find_column(options.id, [str(c) for c in frame.columns], "data.id")]
    frame, times = _with_times(frame, times, used, repairs)
    table, more = choose(frame, options, used)
    repairs += more
    parts = _sorted_parts(frame[used[-1]] if options.id is not None else None, times, repairs)
    grid, own = find_grid([times[rows] for rows in parts.values()], options.step, like=grid)
    table = _drop_late_columns(table, parts, repairs)
    return _lay_end_to_end(table, times, parts, grid, own, options, repairs)


def _with_times(
    frame: pd.DataFrame, times: np.ndarray, used: list[str], repairs: list[Repair]
) -> tuple[pd.DataFrame, np.ndarray]:
    """Without the rows that have no time or no id."""
    empty = times == NO_TIME
    empty |= frame[used].isna().any(axis=1).to_numpy()
    if not empty.any():
        return frame, times
    if empty.all():
        raise DataError(f"No row has a value in {listing(used)}.")
    repairs.append(Repair("rows without a time or an id, dropped", int(empty.sum()), used[0]))
    return frame[~empty], times[~empty]  # the index stays: errors name the file's rows


def _sorted_parts(ids: pd.Series | None, times: np.ndarray, repairs: list[Repair]) -> dict[str, np.ndarray]:
    """Series' name → its rows in order of time, each time once."""
    if ids is None:
        codes, names = np.zeros(len(times), np.int64), ["series"]
    else:
        codes, found = pd.factorize(ids, sort=True)
        names = [str(n) for n in found]
    order = np.lexsort((times, codes))
    within = (np.diff(codes) == 0) & (np.diff(times) < 0) if len(times) > 1 else np.array([], bool)
    if within.any():
        repairs.append(Repair("rows out of order, sorted", int(within.sum())))
    same = np.zeros(len(order), bool)
    same[1:] = (np.diff(codes[order]) == 0) & (np.diff(times[order]) == 0)
    if same.sum() > len(order) // 2:
        hint = " Is this a panel? Name the column that tells its series apart with data.id." if ids is None else ""
        raise DataError(f"{int(same.sum())} of {len(order)} rows repeat the time of another.{hint}")
    if same.any():
        repairs.append(Repair("repeated times, the first kept", int(same.sum())))
    order = order[~same]
    edges = np.searchsorted(codes[order], np.arange(len(names) + 1))
    return {name: order[edges[i] : edges[i + 1]] for i, name in enumerate(names)}


def _drop_late_columns(table: Table, parts: dict[str, np.ndarray], repairs: list[Repair]) -> Table:
    """Without covariates that begin so late in some series that more than a tenth of its rows would be lost."""
    late: dict[int, str] = {}
    for name, rows in parts.items():
        known = ~np.isnan(table.values[rows])
        first = np.where(known.any(axis=0), known.argmax(axis=0), len(rows))
        for column in np.flatnonzero(first > max(1, len(rows) // 10)).tolist():
            late.setdefault(column, name)
    for column, name in late.items():
        where = f" in series '{name}'" if len(parts) > 1 else ""
        if table.named[column] and column >= table.targets:
            raise DataError(
                f"Column '{table.columns[column]}' has no value in the first tenth of the rows{where}. "
                "Take it out of the configuration, or cut the file to where it begins."
            )
        if column >= table.targets:
            repairs.append(Repair(f"column begins too late{where}, left out", len(table.values), table.columns[column]))
    keep = [i for i in range(len(table.columns)) if i < table.targets or i not in late]
    return replace(
        table,
        values=table.values[:, keep],
        columns=tuple(table.columns[i] for i in keep),
        named=tuple(table.named[i] for i in keep),
    )


def _lay_end_to_end(
    table: Table,
    times: np.ndarray,
    parts: dict[str, np.ndarray],
    grid: Grid,
    own: int,
    options: ForecastOptions,
    repairs: list[Repair],
) -> Series:
    max_gap = _max_gap(options, grid)
    averaged = grid.step > own
    pairs = [
        (
            table.columns.index(find_column(w.speed, list(table.columns), "data.wind.speed")),
            table.columns.index(find_column(w.direction, list(table.columns), "data.wind.direction")),
        )
        for w in options.wind
    ]
    done: list[tuple[str, Regular]] = []
    for name, rows in parts.items():
        values = table.values[rows]
        values = wind.average(values, pairs) if averaged else values
        part = regularise(times[rows], values, grid, own=own, targets=table.targets, max_gap=max_gap)
        if averaged:
            part = replace(part, values=wind.restore(part.values, pairs, table.targets))
        if len(part.positions):
            done.append((name, part))
        else:
            repairs.append(Repair(f"series '{name}' without a usable row, left out", len(rows)))
    if not done:
        raise DataError(f"No row is left in which target {listing(table.columns[: table.targets])} has a value.")
    for what, count in (
        ("missing times, filled forward", sum(p.inserted for _, p in done)),
        (f"rows in holes of the target longer than {max_gap} rows, left out", sum(p.dropped for _, p in done)),
        ("rows before the first value, dropped", sum(p.leading for _, p in done)),
        ("rows after the target's last value, left out", sum(p.trailing for _, p in done)),
    ):
        if count:
            repairs.append(Repair(what, count))
    bounds, names = [np.zeros(1, np.int64)], []
    for name, part in done:
        cuts = segments(part.positions)
        bounds.append(bounds[-1][-1] + cuts[1:])
        names += [name] * (len(cuts) - 1)
    if len(names) > len(done):
        repairs.append(Repair(f"holes longer than {max_gap} rows, the series split there", len(names) - len(done)))
    return Series(
        times=grid.times(np.concatenate([p.positions for _, p in done])),
        values=np.concatenate([p.values for _, p in done]).astype(np.float32),
        columns=table.columns,
        targets=table.targets,
        bounds=np.concatenate(bounds),
        names=tuple(names),
        step=grid.step,
        repairs=tuple(repairs),
        grid=grid,
        averaged_from=own if averaged else 0,
    )


def _max_gap(options: ForecastOptions, grid: Grid) -> int:
    if options.max_gap == "auto":
        return max(4, default_season(grid) // 4)
    return durations.steps(options.max_gap, grid.step, "data.max_gap", least=0, week=grid.week)
