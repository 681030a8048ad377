"""Finding and reading the time column."""

from __future__ import annotations

import dataclasses
import re
import warnings
from itertools import islice

import numpy as np
import pandas as pd

from data import clocks
from data.clocks import NO_TIME, Clock, Notes
from data.errors import DataError, listing, nearest
from data.options import ForecastOptions
from data.tables import row_number

ACCEPTED = "ISO (2020-12-31 23:50:00), 31.12.2020 23:50, 12/31/2020 23:50, or data.time_format as for strptime"
ACCEPTED_NUMBERS = (
    "Accepted: whole seconds; with data.time_format=ms milliseconds, or with a format such as %Y%m%d dates."
)
#: Seconds from 1970 to where no reading is looked for: the year 5138.
FARTHEST = 1e11
PARTS = ("year", "month", "day", "hour", "minute", "second")


@dataclasses.dataclass(frozen=True)
class Times:
    """The rows' times.

    Attributes:
        seconds: (rows,) int64 since 1970 on `clock`, `NO_TIME` where the cell is empty.
        columns: those that they were read from.
        clock: `local` for the file's own, whatever that is.
        day_first: how dates were read in which either could stand first, else None.
        notes: what there is to say about it, with a count of rows.
    """

    seconds: np.ndarray
    columns: list[str]
    clock: Clock
    day_first: bool | None = None
    notes: Notes = dataclasses.field(default_factory=list)


def find_column(name: str, columns: list[str], setting: str) -> str:
    """The column of that name: exactly, else the only one that equals it but for lost letters, unit or case, or begins
    with it.
    """
    if name in columns:
        return name
    for close in (
        [c for c in columns if alike(c, name)],
        [c for c in columns if re.sub(r"\s*[(\[].*$", "", c) == name],
        [c for c in columns if c.lower() == name.lower()],
        [c for c in columns if c.lower().startswith(name.lower())],
    ):
        if len(close) == 1:
            return close[0]
        if close:
            raise DataError(f"{setting}: '{name}' could be any of {listing(close)}. Give the whole name.")
    raise DataError(f"{setting}: there is no column '{name}'.{nearest(name, columns)} Columns: {listing(columns, 30)}.")


def alike(a: str, b: str) -> bool:
    """Whether two names are the same but for letters that one of them lost, shown as `?`."""
    return len(a) == len(b) and all(x == y or "?" in (x, y) for x, y in zip(a, b, strict=True))


def read_times(frame: pd.DataFrame, options: ForecastOptions) -> Times:
    """The rows' times.

    Args:
        frame: the table.
        options: `time` names the column; a list is combined as year, month, day, hour, …; `auto` takes the first column
            that holds dates, else columns called year, month, day. `time_format`, `day_first` and `clock` say how.

    Raises:
        DataError: no column holds dates, or one of its cells does not, or only some have an offset.
    """
    columns = [str(c) for c in frame.columns]
    if isinstance(options.time, list):
        return _combine(frame, [find_column(t, columns, "data.time") for t in options.time], options)
    if options.time != "auto":
        name = find_column(options.time, columns, "data.time")
        return _parse(frame[name], name, options)
    for name in columns:
        if _looks_like_dates(frame[name], options):
            return _parse(frame[name], name, options)
    parts = [c for part in PARTS for c in columns if c.lower() == part]
    if [p.lower() for p in parts[:3]] == ["year", "month", "day"]:
        return _combine(frame, parts, options)
    raise DataError(
        f"No time column: none of {listing(columns, 30)} holds dates. Accepted: {ACCEPTED}. Name it with data.time; "
        "a column of whole seconds since 1970, or a list such as [year, month, day, hour], must be named too."
    )


def read_keys(frame: pd.DataFrame, options: ForecastOptions) -> tuple[Times, list[str], np.ndarray]:
    """What tells rows apart: their times, the columns these and the series' id (the last) stand in, and which rows
    have all of it, (rows,) boolean.

    Raises:
        DataError: as `read_times`, or there is no column of the id's name.
    """
    found = read_times(frame, options)
    used = list(found.columns)
    if options.id is not None:
        used.append(find_column(options.id, [str(c) for c in frame.columns], "data.id"))
    return found, used, (found.seconds != NO_TIME) & frame[used].notna().all(axis=1).to_numpy()


def _combine(frame: pd.DataFrame, names: list[str], options: ForecastOptions) -> Times:
    parts = {part: frame[name] for part in PARTS for name in names if name.lower() == part}
    if not {"year", "month", "day"} <= set(parts):
        wanted = f"columns called {', '.join(PARTS)}, at least the first three"
        raise DataError(f"data.time: {listing(names)} given. Accepted: {wanted}.")
    table = pd.DataFrame(parts)
    times = pd.to_datetime(table, errors="coerce")
    bad = times.isna() & table.notna().all(axis=1)
    if bad.any():
        cells = ", ".join(f"{part} {value}" for part, value in table[bad].iloc[0].items())
        raise DataError(
            f"data.time: row {row_number(table.index[bad][0])} is no date: {cells}. Put it right, or empty a cell."
        )
    return Times(clocks.seconds(times), names, clocks.unzoned(options.clock))


def _is_text(column: pd.Series) -> bool:
    return not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column))


def _looks_like_dates(column: pd.Series, options: ForecastOptions) -> bool:
    if pd.api.types.is_datetime64_any_dtype(column):
        return True
    if not _is_text(column):
        return False
    known = column.dropna()
    some = known.loc[list(islice((i for i, cell in known.items() if str(cell).strip()), 3))].astype(str)
    try:
        for i in range(len(some)):  # each alone: whether they agree on day and month is for later
            _parse(some.iloc[i : i + 1], str(column.name), options)
    except DataError:
        return False
    return len(some) > 0


def _parse(column: pd.Series, name: str, options: ForecastOptions) -> Times:
    clock, time_format = clocks.unzoned(options.clock), options.time_format
    if pd.api.types.is_datetime64_any_dtype(column):
        seconds, clock, notes = clocks.of_dates(column, options.clock)
        return Times(seconds, [name], clock, notes=notes)
    if not _is_text(column) and (time_format is None or time_format in ("s", "ms")):
        return Times(_from_numbers(column, name, time_format), [name], clock)
    texts = column.astype("string").str.strip()
    if pd.api.types.is_float_dtype(column):
        texts = column.astype("Int64").astype("string")
    texts = texts.mask(texts == "")
    if time_format in ("s", "ms"):
        return Times(_from_numbers(_numbers(column, name), name, time_format), [name], clock)
    fmt, day_first, notes = (time_format, None, []) if time_format else _format_of(texts, name, options.day_first)
    offsets = clocks.has_offset(texts)
    if offsets:
        clocks.refuse_mixed(texts, name)
    try:
        if offsets:
            seconds, clock, more = clocks.of_texts(texts, fmt, options.clock)
            return Times(seconds, [name], clock, day_first, [*notes, *more])
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)  # of a column with offsets here and there
            return Times(clocks.seconds(pd.to_datetime(texts, format=fmt)), [name], clock, day_first, notes)
    except (ValueError, TypeError, FutureWarning):
        clocks.refuse_mixed(texts, name)
    bad = texts[texts.notna() & pd.to_datetime(texts, format=fmt, errors="coerce", utc=True).isna()]
    row, value = (bad.index[0], bad.iloc[0]) if len(bad) else ("?", texts.iloc[0])
    wanted = f"data.time_format {time_format!r}" if time_format else ACCEPTED
    raise DataError(
        f"Time column '{name}', row {row_number(row)}: '{value}' is not a date as expected. Accepted: {wanted}."
    )


def _format_of(texts: pd.Series, name: str, prefer: bool | None) -> tuple[str, bool | None, Notes]:
    """The `strptime` format of a column of dates, or `ISO8601`; and whether the day stands first, where it could."""
    known = texts.dropna()
    if not len(known):
        raise DataError(f"Time column '{name}' is empty. Name another with data.time.")
    first = str(known.iloc[0])
    if re.match(r"\d{4}-\d{1,2}(-\d{1,2})?\b", first) or re.fullmatch(r"\d{8}T\d{4,6}", first):
        return "ISO8601", None, []
    found = re.match(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(.*)$", first)
    if not found:
        if re.fullmatch(r"\d{9,}", first):
            _numbers(known, name)  # names the cell that makes text of a column of numbers
        raise DataError(f"Time column '{name}': '{first}' is not a date. Accepted: {ACCEPTED}.")
    a, mark, _, c, rest = found.groups()
    notes: Notes = []
    day_first = None
    if len(a) == 4:
        date = f"%Y{mark}%m{mark}%d"
    else:
        year = "%Y" if len(c) == 4 else "%y"
        day_first, notes = _day_first(known, mark, name, prefer)
        date = f"%d{mark}%m{mark}{year}" if day_first else f"%m{mark}%d{mark}{year}"
    return date + _clock_of(rest, first, name), day_first, notes


def _day_first(texts: pd.Series, mark: str, name: str, prefer: bool | None) -> tuple[bool, Notes]:
    """Whether the day stands before the month: as the file shows, else as preferred, else by custom."""
    numbers = texts.str.extract(rf"^(\d+){re.escape(mark)}(\d+)")
    first, second = (pd.to_numeric(numbers[i]).max() for i in (0, 1))
    if first > 12 and second > 12:
        both = f"Time column '{name}' holds days above 12 in both places"
        raise DataError(f"{both}. Say which is meant with data.time_format.")
    if first > 12 or second > 12:
        return bool(first > 12), []
    if prefer is not None:
        return prefer, []
    order = "day/month" if mark != "/" else "month/day"
    return mark != "/", [(f"dates read as {order}: nothing in the file decides (data.day_first does)", len(texts))]


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


def _written_as_number(values: np.ndarray) -> str | None:
    """The format of whole numbers that are all years, months or days of a calendar, and so hardly seconds."""
    for fmt, low, high in (("%Y", 1000, 2999), ("%Y%m", 100_001, 299_912), ("%Y%m%d", 10_000_101, 29_991_231)):
        if ((values >= low) & (values <= high) & (values % 1 == 0)).all():
            texts = pd.Series(values.astype(np.int64).astype(str))
            return fmt if pd.to_datetime(texts, format=fmt, errors="coerce").notna().all() else None
    return None


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
    scale, unit = (1000, "milliseconds") if time_format == "ms" else (1, "seconds")
    far = np.abs(values) > FARTHEST * scale
    if far.any():
        raise DataError(
            f"Time column '{name}', row {row_number(column.index[far][0])}: {values[far][0]:.10g} as {unit} since 1970 "
            f"lies thousands of years away. {ACCEPTED_NUMBERS}"
        )
    if time_format is None and len(known) > 1 and (written := _written_as_number(known)):
        raise DataError(
            f"Time column '{name}': {known[0]:.0f} looks like a date written as a number, not like seconds since 1970. "
            f"Set data.time_format={written}, or s if seconds are meant."
        )
    whole = np.where(np.isfinite(values), values, 0.0)
    return np.where(np.isfinite(values), np.floor(whole / scale).astype(np.int64), NO_TIME)
