"""From a file of recent readings to a model's raw inputs: what the contract asks for, cleaned as in training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from data import durations
from data.clocks import NO_TIME
from data.columns import choose
from data.errors import DataError, listing, nearest
from data.grid import Grid
from data.series import ForecastOptions, Series, read_series
from data.times import alike, find_column, read_keys, read_times
from data.transforms import calendar


@dataclass(frozen=True)
class Recent:
    """The last `look_back` rows of each series, and the times to forecast.

    Attributes:
        names: the series, one an id.
        inputs: readings (series, look_back, columns), times (series, look_back) and, where anything is known ahead,
            ahead (series, horizon, known columns); raw units.
        forecast_times: (series, horizon) int64 seconds.
        notes: what was put right or left aside on the way.
    """

    names: tuple[str, ...]
    inputs: dict[str, np.ndarray]
    forecast_times: np.ndarray
    notes: tuple[str, ...]


def read_recent(frame: pd.DataFrame, contract: Mapping[str, Any]) -> Recent:
    """Take what the model needs from a table.

    Rows after the last one in which a target has a value are the future: they are read for the columns that are
    known ahead, and for nothing else.

    Args:
        frame: the table, as `data.source.read_table` gives it.
        contract: the model's contract (`model.json`).

    Raises:
        DataError: a column is missing, there are fewer rows than the model looks back, or what must be known ahead
            is not.
    """
    options = ForecastOptions(**contract["options"])
    frame, notes = _with_names(frame, contract["columns"])
    past, later = _without_future(frame, options)
    grid = Grid(**contract["grid"])
    series = read_series(past, options, grid=grid)
    if series.step != contract["step_seconds"]:
        want, have = durations.text(contract["step_seconds"]), durations.text(series.step)
        raise DataError(f"The model takes a reading every {want}, and the file has one every {have}.")
    notes += map(str, series.repairs)
    if later:
        notes.append(f"rows after the last reading of {listing(contract['targets'])}, taken as the future: {later:,}")
    windows, short = _last_windows(series, contract["look_back"])
    if not windows:
        raise DataError(_too_short(short, contract, options))
    notes += [_too_short({name: rows}, contract, options) for name, rows in short.items()]
    order = [series.columns.index(c) for c in contract["columns"]]
    rows = np.array([np.arange(end - contract["look_back"], end) for end in windows.values()])
    times = series.times[rows]
    inputs = {"readings": series.values[rows][..., order], "times": times}
    following = calendar.following(times[:, -1], contract["horizon"], grid)
    if contract["known_ahead"]:
        inputs["ahead"], filled = _known_ahead(frame, options, contract["known_ahead"], list(windows), following, grid)
        if filled:
            said = f"times to forecast without a value in {listing(contract['known_ahead'])}, filled forward"
            notes.append(f"{said}: {filled:,}")
    return Recent(tuple(windows), inputs, following, tuple(notes))


def _with_names(frame: pd.DataFrame, columns: list[str]) -> tuple[pd.DataFrame, list[str]]:
    """The table with the model's names for its columns, where one of the two lost letters, and what is said of it."""
    have = [str(c) for c in frame.columns]
    renamed: dict[str, str] = {}
    for column in columns:
        close = [c for c in have if c not in columns and alike(c, column)]
        if column not in have and len(close) == 1:
            renamed[close[0]] = column
    absent = [c for c in columns if c not in have and c not in renamed.values()]
    if absent:
        raise DataError(
            f"The model reads {listing(absent)}, and there is no such column.{nearest(absent[0], have)} "
            f"Columns: {listing(have, 30)}."
        )
    notes = [f"column '{old}' read as '{new}', in which letters were lost" for old, new in renamed.items()]
    return frame.rename(columns=renamed), notes


def _without_future(frame: pd.DataFrame, options: ForecastOptions) -> tuple[pd.DataFrame, int]:
    """The rows up to the last reading of a target, of each series, and how many were taken off."""
    found, used, usable = read_keys(frame, options)
    if not usable.any():
        raise DataError(f"No row has a value in {listing(used)}.")
    frame, times = frame[usable], found.seconds[usable]
    table, _ = choose(frame, options, used)
    known = ~np.isnan(table.values[:, : table.targets]).all(axis=1)
    ids = frame[used[-1]].to_numpy() if options.id is not None else np.zeros(len(frame))
    last = pd.Series(np.where(known, times, NO_TIME)).groupby(ids).transform("max").to_numpy()
    future = times > last
    return frame[~future], int(future.sum())


def _last_windows(series: Series, look_back: int) -> tuple[dict[str, int], dict[str, int]]:
    """Series' name → the row after its last window; and, for those too short, how many rows there are."""
    last = {name: i for i, name in enumerate(series.names)}  # a series' segments stand in order of time
    rows = {name: int(series.bounds[i + 1] - series.bounds[i]) for name, i in last.items()}
    ends = {name: int(series.bounds[i + 1]) for name, i in last.items()}
    short = {name: count for name, count in rows.items() if count < look_back}
    return {name: end for name, end in ends.items() if name not in short}, short


def _too_short(short: Mapping[str, int], contract: Mapping[str, Any], options: ForecastOptions) -> str:
    name, rows = max(short.items(), key=lambda item: item[1])
    which = "The file" if options.id is None else f"Series '{name}'"
    have = f"{rows} row{'' if rows == 1 else 's'} of {durations.text(contract['step_seconds'])}"
    return (
        f"{which} has {have} without a long gap before its end, and the model looks back {contract['look_back']}. "
        "Give earlier readings too."
    )


def _known_ahead(
    frame: pd.DataFrame,
    options: ForecastOptions,
    columns: list[str],
    names: list[str],
    following: np.ndarray,
    grid: Grid,
) -> tuple[np.ndarray, int]:
    """The known-ahead columns at the times to forecast, and at how many of these the file has none.

    (series, horizon, columns), cleaned like all readings: a short hole takes the value before it.
    """
    asked = {"target": columns, "covariates": "none", "known_ahead": [], "wind": []}
    frame = frame.dropna(subset=columns)
    known = read_series(frame, options.model_copy(update=asked), grid=grid)
    given = grid.positions(read_times(frame, options).seconds)
    ids = None if options.id is None else frame[find_column(options.id, list(frame.columns), "data.id")].map(str)
    order = [known.columns.index(c) for c in columns]
    owner = np.repeat(np.array(known.names, object), np.diff(known.bounds))
    found, filled = [], 0
    for name, times in zip(names, following, strict=True):
        rows = np.flatnonzero(owner == name)
        at = np.searchsorted(known.times[rows], times)
        there = at < len(rows)
        there[there] = known.times[rows][at[there]] == times[there]
        if not there.all():
            first, last = _text(times[~there][0]), _text(times[-1])
            whose = f" of series '{name}'" if options.id is not None else ""
            raise DataError(
                f"The model must know {listing(columns)} over the {len(times)} steps it forecasts, up to {last}; the "
                f"file has nothing for {first}{whose}. Add rows for those times, with the targets left empty."
            )
        found.append(known.values[rows[at]][:, order])
        mine = given if ids is None else given[(ids == name).to_numpy()]
        filled += int((~np.isin(grid.positions(times), mine)).sum())
    return np.array(found), filled


def _text(seconds: Any) -> str:
    return str(np.datetime64(int(seconds), "s")).replace("T", " ")
