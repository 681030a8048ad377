"""What can be wrong with data."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class DataError(ValueError):
    """Input that cannot be used. The message says what was given, what is accepted and what to do next."""


def nearest(name: object, known: Iterable[object]) -> str:
    """' Did you mean 'x'?', or nothing when no known name is close."""
    by_lower = {str(k).lower(): str(k) for k in known}
    close = difflib.get_close_matches(str(name).lower(), list(by_lower), 1)
    return f" Did you mean '{by_lower[close[0]]}'?" if close else ""


def listing(names: Iterable[object], most: int = 12) -> str:
    """Names in quotes, cut short with a count where there are many."""
    quoted = [f"'{n}'" for n in names]
    more = len(quoted) - most
    return ", ".join(quoted[:most]) + (f" and {more} more" if more > 0 else "") if quoted else "none"
