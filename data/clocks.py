"""Times with an offset from UTC: on the file's own clock, or on UTC."""

from __future__ import annotations

import re
from typing import Literal

import numpy as np
import pandas as pd

from data.errors import DataError
from data.tables import row_number

#: The seconds that stand for "no time given".
NO_TIME = np.iinfo(np.int64).min

Clock = Literal["local", "utc"]
AnyClock = Literal["auto", "local", "utc"]
Notes = list[tuple[str, int]]

_OFFSET = r":\d{2}[\d.:]*\s?([+-]\d{2}(?::?\d{2})?|Z)$"


def seconds(times: pd.Series) -> np.ndarray:
    """int64 seconds since 1970, as the times' own clock shows them; `NO_TIME` where there is none."""
    if getattr(times.dt, "tz", None) is not None:
        times = times.dt.tz_localize(None)
    return np.where(times.isna(), NO_TIME, times.astype("datetime64[s]").to_numpy().astype(np.int64))


def unzoned(clock: AnyClock) -> Clock:
    """The clock of times that have no offset: the one that is named, else their own."""
    return "utc" if clock == "utc" else "local"


def has_offset(texts: pd.Series) -> bool:
    """Whether the first time has an offset."""
    known = texts.dropna()
    return bool(len(known)) and re.search(_OFFSET, str(known.iloc[0])) is not None


def of_texts(texts: pd.Series, fmt: str, clock: AnyClock) -> tuple[np.ndarray, Clock, Notes]:
    """Times, all with an offset: their seconds, the clock those are on, and what there is to say."""
    utc = seconds(pd.to_datetime(texts, format=fmt, utc=True))
    known = texts.notna().to_numpy()
    written = texts[known].str.extract(_OFFSET)[0]
    offsets = np.zeros(len(texts), np.int64)
    offsets[known] = written.map({text: _offset(text) for text in written.unique()}).to_numpy(np.int64)
    return _on(utc, offsets, clock)


def of_dates(column: pd.Series, clock: AnyClock) -> tuple[np.ndarray, Clock, Notes]:
    """The same of a column of dates, which may have a time zone."""
    local = seconds(column)
    if getattr(column.dt, "tz", None) is None:
        return local, unzoned(clock), []
    utc = seconds(column.dt.tz_convert("UTC"))
    return _on(utc, np.where(utc == NO_TIME, 0, local - utc), clock)


def _on(utc: np.ndarray, offsets: np.ndarray, clock: AnyClock) -> tuple[np.ndarray, Clock, Notes]:
    known = utc != NO_TIME
    differ = len(np.unique(offsets[known])) > 1
    count = int(known.sum())
    if clock == "utc" or (clock == "auto" and differ):
        return utc, "utc", [("times with different offsets, read as UTC", count)] if differ else []
    notes = [("times with different offsets, which are left aside (data.clock)", count)] if differ else []
    return np.where(known, utc + offsets, NO_TIME), "local", notes


def refuse_mixed(texts: pd.Series, name: str) -> None:
    """Times of which only some have an offset cannot be put in order."""
    known = texts.dropna()
    has = known.str.extract(_OFFSET)[0].notna().to_numpy()
    if has.all() or not has.any():
        return
    odd = int(np.flatnonzero(has != has[0])[0])
    other, one = ("no offset from UTC", "one") if has[0] else ("an offset from UTC", "none")
    raise DataError(
        f"Time column '{name}', row {row_number(known.index[odd])}: '{known.iloc[odd]}' has {other}, and "
        f"'{known.iloc[0]}' in row {row_number(known.index[0])} has {one}. Give every time its offset, or none."
    )


def _offset(text: str) -> int:
    """`+01:00`, `+0100`, `+01` or `Z` in seconds."""
    if text == "Z":
        return 0
    digits = text[1:].replace(":", "")
    return (1 if text[0] == "+" else -1) * (int(digits[:2]) * 3600 + int(digits[2:] or 0) * 60)
