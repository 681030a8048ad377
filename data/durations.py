"""Durations as people write them: `10min`, `24h`, `5d`, `2w`, `1mo`, or a plain number of steps."""

from __future__ import annotations

import re

from data.errors import DataError

MINUTE, HOUR, DAY, WEEK = 60, 3600, 86400, 604800
#: The mean Gregorian year and month, in seconds.
YEAR = 31556952
MONTH = YEAR // 12

UNITS = {"s": 1, "min": MINUTE, "h": HOUR, "d": DAY, "w": WEEK, "mo": MONTH, "y": YEAR}
ACCEPTED = "a number with a unit (30s, 10min, 24h, 5d, 2w, 1mo, 1y), or a whole number of steps"


def seconds(value: object, name: str) -> int:
    """`"5d"` → 432000; `name` is the setting's, for the error."""
    text = str(value).strip()
    found = re.fullmatch(r"([-+]?\d+(?:\.\d+)?)\s*([a-zA-Z]+)", text)
    if isinstance(value, bool) or not found or found[2].lower() not in UNITS:
        hint = " 'm' could be minutes (min) or months (mo)." if found and found[2].lower() == "m" else ""
        raise DataError(f"{name}: {value!r} is not a duration.{hint} Accepted: {ACCEPTED}.")
    total = float(found[1]) * UNITS[found[2].lower()]
    if total <= 0:
        raise DataError(f"{name}: {value!r} given, and it must be longer than nothing. Accepted: {ACCEPTED}.")
    if total != round(total):
        raise DataError(f"{name}: {value!r} is not a whole number of seconds. Accepted: {ACCEPTED}.")
    return round(total)


def steps(value: int | str, step: int, name: str, *, least: int = 1, week: int = WEEK) -> int:
    """A duration, or a number of steps, as a number of rows `step` seconds apart.

    Args:
        value: the duration, or the number.
        step: seconds between rows.
        name: the setting's, for the error.
        least: the fewest rows that are accepted.
        week: seconds of rows in a week: five days of them where there are only weekdays.
    """
    if not isinstance(value, bool) and re.fullmatch(r"\s*[-+]?\d+\s*", str(value)):
        count = int(value)
    else:
        if least == 0 and re.fullmatch(r"\s*0+\s*[a-zA-Z]+", str(value)):
            return 0
        length = seconds(value, name)
        if str(value).strip().lower().endswith("w"):
            length = length * week // WEEK
        count, rest = divmod(length, step)
        if rest:
            below = f"{text(count * step)} or " if count else ""
            raise DataError(
                f"{name}: {value} is not a multiple of the step, {text(step)}. "
                f"The nearest that are: {below}{text((count + 1) * step)}. Or change data.step."
            )
    if count < least:
        at_least = "0 or more" if least == 0 else f"{least} step{'s' if least > 1 else ''} or more"
        raise DataError(f"{name}: {value!r} given. Accepted: {at_least}, as {ACCEPTED}.")
    return count


def text(length: int) -> str:
    """Seconds in their largest whole unit: 86400 → `1d`."""
    for unit in ("y", "mo", "w", "d", "h", "min"):
        if length % UNITS[unit] == 0 and length and not (unit == "w" and length < 2 * WEEK):
            return f"{length // UNITS[unit]}{unit}"
    return f"{length}s"
