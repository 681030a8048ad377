"""Which columns a forecast uses, and their cells as numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.errors import DataError, listing
from data.options import ForecastOptions
from data.times import find_column, row_number

#: The largest number that float32 holds; what lies beyond it counts as infinite.
LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Repair:
    """Something in the data that was put right, or left out: what, how many cells or rows, in which column."""

    what: str
    count: int
    column: str | None = None


@dataclass(frozen=True)
class Table:
    """The cells that will be used: (rows, columns) float64, NaN where nothing is known; targets first."""

    values: np.ndarray
    columns: tuple[str, ...]
    targets: int
    #: Whether a column was asked for by name, and so may not be left out.
    named: tuple[bool, ...]


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
        wanted += [find_column(getattr(wind, part), free, f"data.wind.{i}.{part}") for part in ("speed", "direction")]
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
    table = Table(np.stack(list(kept.values()), axis=1), tuple(kept), len(targets), tuple(c in named for c in kept))
    return table, repairs


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
            raise DataError(
                f"Column '{name}', row {row_number(bad.index[0])}: '{bad.iloc[0]}' is not a number{more}. Put it "
                f"right, or, if it means that nothing was measured, name it: data.missing=['{bad.iloc[0]}']"
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
    return values


def _is_number(value: float | str) -> bool:
    try:
        return np.isfinite(float(value))
    except ValueError:
        return False
