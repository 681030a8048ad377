"""From a table to regular series: read, repaired, and on one grid."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from data import durations, totals
from data.clocks import NO_TIME, Clock
from data.columns import Repair, Table, choose, without_constants
from data.durations import DAY, HOUR, MINUTE, WEEK
from data.errors import DataError, listing
from data.grid import Grid, find_grid
from data.options import ForecastOptions, Split, Wind
from data.order import in_order
from data.regular import Regular, regularise, segments
from data.times import find_column, read_keys
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
        clock: `utc` where the file's times were brought to UTC, else `local`.
        day_first: whether the day stands before the month in the file's dates; None where that is no question.
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
    clock: Clock = "local"
    day_first: bool | None = None

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
    at every step. Running totals (`options.totals`) are read as what each row adds, before anything is averaged.
    Covariates that never change, or begin late, are left out unless they are asked for.

    Args:
        frame: the table, as `data.source.read_table` gives it.
        options: the columns and durations.
        grid: that of a series read before, whose months or weekdays hold for this one too, and no column is left out.

    Raises:
        DataError: no time, no target or one that never changes, text where numbers should be, two series in one, or
            nothing left to use.
    """
    frame = frame.reset_index(drop=True)
    found, used, there = read_keys(frame, options)
    repairs = [Repair(what, count, used[0]) for what, count in found.notes]
    frame, times = _with_keys(frame, found.seconds, used, there, repairs)
    table, more = choose(frame, options, used)
    repairs += more
    ordered = in_order(frame[used[-1]] if options.id is not None else None, times, table, frame.index)
    repairs += ordered.repairs
    like, (grid, own) = grid, find_grid([times[rows] for rows in ordered.parts.values()], options.step, like=grid)
    if like is None:  # what is read for a model that exists has the columns that it reads
        table, more = without_constants(table)
        table = _drop_late_columns(table, ordered.parts, repairs)
        repairs += more
    series = _lay_end_to_end(table, times, ordered.parts, grid, own, options, repairs)
    return replace(series, clock=found.clock, day_first=found.day_first)


def _with_keys(
    frame: pd.DataFrame, times: np.ndarray, used: list[str], there: np.ndarray, repairs: list[Repair]
) -> tuple[pd.DataFrame, np.ndarray]:
    """Without the rows that have no time or no id."""
    if there.all():
        return frame, times
    if not there.any():
        raise DataError(f"No row has a value in {listing(used)}.")
    timeless = int((times == NO_TIME).sum())
    if timeless:
        repairs.append(Repair("rows without a time, dropped", timeless, used[0]))
    if timeless < (~there).sum():
        repairs.append(Repair("rows without an id, dropped", int((~there).sum()) - timeless, used[-1]))
    return frame[there], times[there]  # the index stays: errors name the file's rows


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
    return table.keep([i for i in range(len(table.columns)) if i < table.targets or i not in late])


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
    adding = [i for i, total in enumerate(table.totals) if total]
    resets = np.zeros(len(adding), np.int64)
    for name, rows in parts.items():
        values = table.values[rows]
        if adding:
            values, found = _increments(values, adding, times[rows], grid, own)
            resets += found
        values = wind.average(values, pairs) if averaged else values
        part = regularise(times[rows], values, grid, own=own, targets=table.targets, max_gap=max_gap)
        if averaged:
            part = replace(part, values=wind.restore(part.values, pairs, table.targets))
        if len(part.positions):
            done.append((name, part))
        else:
            repairs.append(Repair(f"series '{name}' without a usable row, left out", len(rows)))
    for i, column in enumerate(adding):
        what = "resets of a running total, which is read as what each row adds"
        repairs.append(Repair(what, int(resets[i]), table.columns[column]))
    if not done:
        raise DataError(f"No row is left in which target {listing(table.columns[: table.targets])} has a value.")
    for what, count in (
        ("times beside the grid, counted to its next point", sum(p.moved for _, p in done)),
        ("rows averaged with another at the same point of the grid", sum(p.merged for _, p in done)),
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


def _increments(
    values: np.ndarray, columns: list[int], times: np.ndarray, grid: Grid, own: int
) -> tuple[np.ndarray, np.ndarray]:
    """One series' cells with its running totals as increments, and the resets of each total."""
    step = np.diff(grid.positions(times)) if grid.step <= own else np.round(np.diff(times) / own)
    neighbours = np.concatenate([[False], step == 1])
    values[:, columns], resets = totals.increments(values[:, columns], neighbours)
    return values, resets


def _max_gap(options: ForecastOptions, grid: Grid) -> int:
    if options.max_gap == "auto":
        return max(4, default_season(grid) // 4)
    return durations.steps(options.max_gap, grid.step, "data.max_gap", least=0, week=grid.week)
