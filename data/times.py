"""Finding and reading the time column."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from data.errors import DataError, listing, nearest

#: The seconds that stand for "no time given".
NO_TIME = np.iinfo(np.int64).min
ACCEPTED = "ISO (2020-12-31 23:50:00), 31.12.2020 23:50, 12/31/2020 23:50, or data.time_format as for strptime"
PARTS = ("year", "month", "day", "hour", "minute", "second")

Notes = list[tuple[str, int]]


def find_column(name: str, columns: list[str], setting: str) -> str:
    """The column of that name: exactly, else the only one that equals it but for unit or case, or begins with it."""
    if name in columns:
        return name
    for close in (
        [c for c in columns if re.sub(r"\s*[(\[].*$", "", c) == name],
        [c for c in columns if c.lower() == name.lower()],
        [c for c in columns if c.lower().startswith(name.lower())],
    ):
        if len(close) == 1:
            return close[0]
        if close:
            raise DataError(f"{setting}: '{name}' could be any of {listing(close)}. Give the whole name.")
    raise DataError(f"{setting}: there is no column '{name}'.{nearest(name, columns)} Columns: {listing(columns, 30)}.")


def read_times(
    frame: pd.DataFrame, time: str | list[str], time_format: str | None
) -> tuple[np.ndarray, list[str], Notes]:
    """The rows' times, the columns they were read from, and what there is to say about it.

    Args:
        frame: the table.
        time: the column's name; several are combined as year, month, day, hour, …; `auto` takes the first column that
            holds dates, else columns called year, month, day.
        time_format: a `strptime` format, or `s` or `ms` for integers since 1970.

    Returns:
        Seconds since 1970 as int64, on the file's own clock, `NO_TIME` where the cell is empty.

    Raises:
        DataError: no column holds dates, or one of its cells does not.
    """
    columns = [str(c) for c in frame.columns]
    if isinstance(time, list):
        names = [find_column(t, columns, "data.time") for t in time]
        return _combine(frame, names), names, []
    if time != "auto":
        name = find_column(time, columns, "data.time")
        times, notes = _parse(frame[name], name, time_format)
        return times, [name], notes
    for name in columns:
        if _looks_like_dates(frame[name], time_format):
            times, notes = _parse(frame[name], name, time_format)
            return times, [name], notes
    parts = [c for part in PARTS for c in columns if c.lower() == part]
    if [p.lower() for p in parts[:3]] == ["year", "month", "day"]:
        return _combine(frame, parts), parts, []
    raise DataError(
        f"No time column: none of {listing(columns, 30)} holds dates. Accepted: {ACCEPTED}. Name it with data.time; "
        "a column of whole seconds since 1970, or a list such as [year, month, day, hour], must be named too."
    )


def _combine(frame: pd.DataFrame, names: list[str]) -> np.ndarray:
    parts = {part: frame[name] for part in PARTS for name in names if name.lower() == part}
    if not {"year", "month", "day"} <= set(parts):
        wanted = f"columns called {', '.join(PARTS)}, at least the first three"
        raise DataError(f"data.time: {listing(names)} given. Accepted: {wanted}.")
    try:
        return _to_seconds(pd.to_datetime(pd.DataFrame(parts)))
    except (ValueError, TypeError) as error:
        raise DataError(f"data.time: {listing(names)} do not make dates ({error}).") from None


def _is_text(column: pd.Series) -> bool:
    return not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column))


def _looks_like_dates(column: pd.Series, time_format: str | None) -> bool:
    if pd.api.types.is_datetime64_any_dtype(column):
        return True
    if not _is_text(column):
        return False
    some = column.dropna().astype(str)
    some = some[some.str.strip() != ""].iloc[:3]
    try:
        for i in range(len(some)):  # each alone: whether they agree on day and month is for later
            _parse(some.iloc[i : i + 1], str(column.name), time_format)
    except DataError:
        return False
    return len(some) > 0


def _parse(column: pd.Series, name: str, time_format: str | None) -> tuple[np.ndarray, Notes]:
    if pd.api.types.is_datetime64_any_dtype(column):
        return _to_seconds(column), []
    if not _is_text(column) and (time_format is None or time_format in ("s", "ms")):
        return _from_numbers(column, name, time_format), []
    texts = column.astype("string").str.strip()
    if pd.api.types.is_float_dtype(column):
        texts = column.astype("Int64").astype("string")
    texts = texts.mask(texts == "")
    if time_format in ("s", "ms"):
        return _from_numbers(_numbers(column, name), name, time_format), []
    fmt, notes = (time_format, []) if time_format else _format_of(texts, name)
    utc = _offsets_differ(texts)
    if utc:
        notes = [*notes, ("times with different offsets, read as UTC", len(texts))]
    try:
        return _to_seconds(pd.to_datetime(texts, format=fmt, utc=utc)), notes
    except (ValueError, TypeError):
        pass  # the error below names the row
    bad = texts[texts.notna() & pd.to_datetime(texts, format=fmt, errors="coerce", utc=True).isna()]
    row, value = (bad.index[0], bad.iloc[0]) if len(bad) else ("?", texts.iloc[0])
    wanted = f"data.time_format {time_format!r}" if time_format else ACCEPTED
    raise DataError(
        f"Time column '{name}', row {row_number(row)}: '{value}' is not a date as expected. Accepted: {wanted}."
    )


def _offsets_differ(texts: pd.Series) -> bool:
    """Whether the times end in offsets from UTC that are not all the same, as of a clock with summer time."""
    offset = r":\d{2}[\d.:]*([+-]\d{2}:?\d{2}|Z)$"
    known = texts.dropna()
    if not len(known) or not re.search(offset, str(known.iloc[0])):
        return False
    return known.str.extract(offset)[0].nunique() > 1


def row_number(index: Any) -> Any:
    """The row's number as people count: the first below the header is 1."""
    return index + 1 if isinstance(index, int | np.integer) else index


def _format_of(texts: pd.Series, name: str) -> tuple[str, Notes]:
    """The `strptime` format of a column of dates, or `ISO8601`."""
    known = texts.dropna()
    if not len(known):
        raise DataError(f"Time column '{name}' is empty. Name another with data.time.")
    first = str(known.iloc[0])
    if re.match(r"\d{4}-\d{1,2}(-\d{1,2})?\b", first) or re.fullmatch(r"\d{8}T\d{4,6}", first):
        return "ISO8601", []
    found = re.match(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(.*)$", first)
    if not found:
        raise DataError(f"Time column '{name}': '{first}' is not a date. Accepted: {ACCEPTED}.")
    a, mark, _, c, rest = found.groups()
    notes: Notes = []
    if len(a) == 4:
        date = f"%Y{mark}%m{mark}%d"
    else:
        year = "%Y" if len(c) == 4 else "%y"
        day_first, notes = _day_first(known, mark, name)
        date = f"%d{mark}%m{mark}{year}" if day_first else f"%m{mark}%d{mark}{year}"
    return date + _clock_of(rest, first, name), notes


def _day_first(texts: pd.Series, mark: str, name: str) -> tuple[bool, Notes]:
    """Whether the day stands before the month: as the file shows, else by custom: dotted yes, slashed no."""
    numbers = texts.str.extract(rf"^(\d+){re.escape(mark)}(\d+)")
    first, second = (pd.to_numeric(numbers[i]).max() for i in (0, 1))
    if first > 12 and second > 12:
        both = f"Time column '{name}' holds days above 12 in both places"
        raise DataError(f"{both}. Say which is meant with data.time_format.")
    if first > 12 or second > 12:
        return bool(first > 12), []
    order = "day/month" if mark != "/" else "month/day"
    return mark != "/", [(f"dates read as {order}: nothing in the file decides (data.time_format does)", len(texts))]


def _clock_of(rest: str, value: str, name: str) -> str:
    """The format of what follows the date."""
    found = re.fullmatch(r"([ T]*)(\d{1,2}):(\d{2})(:\d{2})?(\.\d+)?(\s*[AaPp][Mm])?", rest)
    if not rest:
        return ""
    if not found:
        raise DataError(f"Time column '{name}': '{rest}' in '{value}' is not a time of day. Accepted: {ACCEPTED}.")
    blank, _, _, second, fraction, half = found.groups()
    clock = ("%I" if half else "%H") + ":%M" + (":%S" if second else "") + (".%f" if fraction else "")
    return blank + clock + (re.sub(r"\S+", "%p", half) if half else "")


def _numbers(column: pd.Series, name: str) -> pd.Series:
    numbers = pd.to_numeric(column, errors="coerce")
    bad = column[numbers.isna() & column.notna()]
    if len(bad):
        raise DataError(
            f"Time column '{name}', row {row_number(bad.index[0])}: '{bad.iloc[0]}' is not a number of seconds."
        )
    return numbers


def _from_numbers(column: pd.Series, name: str, time_format: str | None) -> np.ndarray:
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    known = values[np.isfinite(values)]
    if not len(known):
        raise DataError(f"Time column '{name}' is empty. Name another with data.time.")
    if time_format != "ms" and np.abs(known).max() > 1e11:
        raise DataError(
            f"Time column '{name}': {known[0]:.0f} as seconds since 1970 lies thousands of years away. "
            "For milliseconds set data.time_format=ms; for dates written as numbers, a format such as %Y%m%d."
        )
    scale = 1000 if time_format == "ms" else 1
    whole = np.where(np.isfinite(values), values, 0.0)
    return np.where(np.isfinite(values), np.floor(whole / scale).astype(np.int64), NO_TIME)


def _to_seconds(times: pd.Series) -> np.ndarray:
    """Wall-clock seconds since 1970: an offset that all rows share is dropped, not applied."""
    if getattr(times.dt, "tz", None) is not None:
        times = times.dt.tz_localize(None)
    return np.where(times.isna(), NO_TIME, times.astype("datetime64[s]").to_numpy().astype(np.int64))
