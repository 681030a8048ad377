"""Which columns a forecast uses, and their cells as numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.errors import DataError, listing
from data.options import ForecastOptions
from data.tables import row_number
from data.times import find_column

#: The largest number that float32 holds; what lies beyond it counts as infinite.
LARGEST = float(np.finfo(np.float32).max)
#: What loggers write for "nothing measured", besides nines: the ends of 16-bit integers.
MARKS = (-32768.0, -32767.0, 32767.0, 65535.0)
#: Any other number far outside its column is suspected when it occurs this often, or lies this many widths away: then
#: the rest differs by less than float32 can tell.
OFTEN, LOST = 3, 1e6


@dataclass(frozen=True)
class Repair:
    """Something in the data that was put right, or left out: what, how many cells or rows, in which column."""

    what: str
    count: int
    column: str | None = None

    def __str__(self) -> str:
        return f"{self.what}: {self.count:,}" + (f" in '{self.column}'" if self.column else "")


@dataclass(frozen=True)
class Table:
    """The cells that will be used: (rows, columns) float64, NaN where nothing is known; targets first."""

    values: np.ndarray
    columns: tuple[str, ...]
    targets: int
    #: Whether a column was asked for by name, and so may not be left out.
    named: tuple[bool, ...]
    #: Whether a column is a running total, of which the increments are wanted.
    totals: tuple[bool, ...]

    def keep(self, columns: list[int]) -> Table:
        """The table with these columns alone."""
        if len(columns) == len(self.columns):
            return self
        return Table(
            self.values[:, columns],
            tuple(self.columns[i] for i in columns),
            self.targets,
            tuple(self.named[i] for i in columns),
            tuple(self.totals[i] for i in columns),
        )


def choose(frame: pd.DataFrame, options: ForecastOptions, used: list[str]) -> tuple[Table, list[Repair]]:
    """The targets and covariates of `options`, as numbers.

    Args:
        frame: the table.
        options: names the targets, covariates, columns known ahead and wind columns.
        used: columns that are taken already: the time and the series' id.

    Raises:
        DataError: a column is not there, no target is named, or one that is needed holds text or nothing at all.
    """
    columns = [str(c) for c in frame.columns]
    free = [c for c in columns if c not in used]
    if not options.targets:
        numeric = [c for c in free if pd.api.types.is_numeric_dtype(frame[c])]
        raise DataError(f"data.target: no target is named. Number columns to choose from: {listing(numeric, 30)}.")
    targets = [find_column(t, free, "data.target") for t in options.targets]
    wanted = [find_column(c, free, "data.known_ahead") for c in options.known_ahead]
    for i, wind in enumerate(options.wind):
        try:
            wanted += [find_column(getattr(wind, p), free, f"data.wind.{i}.{p}") for p in ("speed", "direction")]
        except DataError as error:
            raise DataError(f"{error} Where there is no wind, set data.wind=[].") from None
    totals = [find_column(c, free, "data.totals") for c in options.totals]
    if isinstance(options.covariates, list):
        wanted += [find_column(c, free, "data.covariates") for c in options.covariates]
    if len(set(targets)) < len(targets):
        raise DataError(f"data.target: {listing(targets)} names a column twice.")
    if set(targets) & {find_column(c, free, "data.known_ahead") for c in options.known_ahead}:
        raise DataError("data.known_ahead: a target cannot be known ahead. Take it out of one of the two.")
    named = list(dict.fromkeys([*targets, *wanted]))
    rest = [c for c in free if c not in named] if options.covariates == "all" else []
    repairs: list[Repair] = []
    kept: dict[str, np.ndarray] = {}
    for name in [*targets, *(c for c in free if c in set(named) - set(targets) or c in rest)]:
        numbers = _numbers(frame[name], name, options.missing, name in named, repairs)
        if numbers is not None:
            kept[name] = numbers
    for wind in options.wind:
        _refuse_no_wind(frame, kept, *(find_column(c, list(kept), "data.wind") for c in (wind.speed, wind.direction)))
    return Table(
        np.stack(list(kept.values()), axis=1),
        tuple(kept),
        len(targets),
        tuple(c in named for c in kept),
        tuple(c in totals for c in kept),
    ), repairs


def without_constants(table: Table) -> tuple[Table, list[Repair]]:
    """Without covariates that never change, but for those that were asked for.

    Raises:
        DataError: a target never changes.
    """
    least, most = np.fmin.reduce(table.values, axis=0), np.fmax.reduce(table.values, axis=0)
    repairs, keep = [], []
    for i, name in enumerate(table.columns):
        same = least[i] == most[i]
        if same and i < table.targets:
            raise DataError(
                f"Column '{name}' is {least[i]:g} wherever it has a value: there is nothing to forecast. "
                "Choose another data.target."
            )
        if same:
            done = "kept, as it is asked for" if table.named[i] else "left out"
            repairs.append(Repair(f"column that never changes, {done}", len(table.values), name))
        if not same or table.named[i]:
            keep.append(i)
    return table.keep(keep), repairs


def _refuse_no_wind(frame: pd.DataFrame, kept: dict[str, np.ndarray], speed: str, direction: str) -> None:
    """Numbers that are no speed or no direction would make a wind that never blew."""
    for name, bad, wanted in (
        (speed, kept[speed] < 0, "a speed is 0 or more"),
        (direction, (kept[direction] < -360) | (kept[direction] > 360), "a direction is an angle in degrees up to 360"),
    ):
        if bad.any():
            row, value = frame.index[bad][0], kept[name][bad][0]
            raise DataError(
                f"data.wind: column '{name}', row {row_number(row)}: {value:g} given ({int(bad.sum())} such cells), "
                f"and {wanted}. If it means that nothing was measured, name it: data.missing=[{value:g}]."
            )


def suspects(values: np.ndarray) -> list[tuple[float, int]]:
    """Numbers that look like a mark for "nothing measured", and how often each occurs.

    Such a number is the column's least or largest, and stands further from the rest than the rest is wide. It is made
    of nines or one of `MARKS`; any other must stand three times as far off, in `OFTEN` rows, or so far off that the
    rest is lost beside it, and beside at least twenty different values.
    """
    found: list[tuple[float, int]] = []
    rest = values[np.isfinite(values)]
    while mark := _farthest(rest):
        value, count = mark
        others = rest[rest != value]
        width, gap = float(np.ptp(others)), float(np.abs(others - value).min())
        nines = set(f"{abs(value):.10g}") <= {"9", "."} and abs(value) >= 99
        far = (gap > LOST * width or (gap > 3 * width and count >= OFTEN)) and len(np.unique(others)) >= 20
        if not (nines or value in MARKS or far):
            break
        found.append(mark)
        rest = others
    return found


def _farthest(values: np.ndarray) -> tuple[float, int] | None:
    """The least or the largest value, and its count, where nothing else lies on its half of the whole range."""
    if not len(values):
        return None
    low, high = float(values.min()), float(values.max())
    below = values < (low + high) / 2
    for value, half, count in ((low, below, int(below.sum())), (high, ~below, int((~below).sum()))):
        if 0 < count < len(values) and (values[half] == value).all():
            return value, count
    return None


def _numbers(
    column: pd.Series, name: str, missing: list[float | str], named: bool, repairs: list[Repair]
) -> np.ndarray | None:
    """A column as float64; None where it is left out, which is written down in `repairs`."""
    if pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_timedelta64_dtype(column):
        if named:
            raise DataError(f"Column '{name}' holds dates, and numbers are needed.")
        repairs.append(Repair("column of dates, left out", len(column), name))
        return None
    if not pd.api.types.is_numeric_dtype(column):
        texts = column.astype("string").str.strip()
        texts = texts.mask(texts == "")
        marked = int(texts.isin([str(m) for m in missing]).sum())
        texts = texts.mask(texts.isin([str(m) for m in missing]))
        numbers = pd.to_numeric(texts, errors="coerce")
        bad = texts[numbers.isna() & texts.notna()]
        if len(bad) > len(texts) // 2 and not named:
            repairs.append(Repair("column of text, left out", len(column), name))
            return None
        if len(bad):
            more = f" ({len(bad)} such cells)" if len(bad) > 1 else ""
            advice = (
                "Numbers are written 1234.5, or, where cells are separated by a semicolon, 1234,5: take out marks "
                "between thousands and units"
                if len(bad) > len(texts) // 2 and re.fullmatch(r"\D?[-+]?\d[\d.,'\s]*\D?", bad.iloc[0])
                else f"Put it right, or, if it means that nothing was measured, name it: data.missing=['{bad.iloc[0]}']"
            )
            raise DataError(
                f"Column '{name}', row {row_number(bad.index[0])}: '{bad.iloc[0]}' is not a number{more}. {advice}"
                + ("." if named else "; or list the columns you want in data.covariates.")
            )
        column = numbers
    else:
        marked = 0
    values = column.to_numpy(dtype=np.float64, na_value=np.nan).copy()
    if not named and len(values) > 2 and np.isfinite(values).all() and (np.diff(values) == 1).all():
        repairs.append(Repair("column of row numbers, left out", len(values), name))
        return None
    empty = int(np.isnan(values).sum()) - marked
    infinite = np.abs(values) > LARGEST
    flagged = np.isin(values, [float(m) for m in missing if _is_number(m)])
    values[infinite | flagged] = np.nan
    if not np.isfinite(values).any():
        if named:
            raise DataError(f"Column '{name}' holds no value at all ({len(values)} rows, all missing). Choose another.")
        repairs.append(Repair("column without a value, left out", len(values), name))
        return None
    marks = ", ".join(f"{m:g}" if isinstance(m, float) else str(m) for m in missing)
    for what, count in (
        (f"marked as missing ({marks})", int(flagged.sum()) + marked),
        ("empty or NaN", empty),
        ("infinite, read as missing", int(infinite.sum())),
    ):
        if count:
            repairs.append(Repair(what, count, name))
    for mark, count in suspects(values):
        kept = f"cells of {mark:.10g}, far from all else, kept (data.missing=[{mark:.10g}] if nothing was measured)"
        repairs.append(Repair(kept, count, name))
    return values


def _is_number(value: float | str) -> bool:
    try:
        return np.isfinite(float(value))
    except ValueError:
        return False
