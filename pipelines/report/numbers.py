"""Numbers, times and names as a reader wants them: sensible digits, units, no false precision."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeGuard

#: Between a number and its unit: no line breaks there.
GAP = "\N{NO-BREAK SPACE}"

#: For what is not there; a NaN is there, and is shown as one.
ABSENT = "–"

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_SPANS = {"s": "second", "min": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year"}
_SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_UNITS = {"degC": "°C", "degF": "°F", "deg C": "°C", "deg": "°", "ug/m3": "µg/m³", "W/m2": "W/m²", "g/m3": "g/m³"}


def is_number(value: Any) -> TypeGuard[float]:
    """A finite number, and not a truth value."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def number(value: Any, digits: int = 3) -> str:
    """`digits` significant digits, but never fewer than the whole number has: 0.0213, 2.16, 168, 31,256."""
    if not is_number(value):
        return _odd(value)
    return fixed(value, decimals([value], digits))


def decimals(values: Iterable[Any], digits: int = 3) -> int:
    """Decimal places that give the smallest of `values` (zeros aside) `digits` significant digits."""
    sizes = [abs(v) for v in values if is_number(v) and v != 0]
    if not sizes:
        return 0
    return min(9, max(0, digits - 1 - math.floor(math.log10(min(sizes)))))


def column(values: Iterable[Any], digits: int = 3) -> list[str]:
    """Values of one column with the same number of decimals, so that the eye can compare them."""
    values = list(values)
    places = _places(values, digits)
    return [fixed(v, places) if is_number(v) else _odd(v) for v in values]


def spreads(means: Iterable[Any], deviations: Iterable[Any]) -> list[str]:
    """Means of one column with their standard deviations, 2.16 ± 0.12; the mean alone where there is none."""
    means, deviations = list(means), list(deviations)
    places, texts = _places(means, 3), column(means)
    pairs = zip(texts, deviations, strict=True)
    return [f"{text}{GAP}±{GAP}{fixed(d, places)}" if is_number(d) else text for text, d in pairs]


def _places(values: list[Any], digits: int) -> int:
    """Decimal places of a column: from its smaller values, but not from a single tiny one."""
    sizes = sorted(abs(v) for v in values if is_number(v) and v != 0)
    return decimals(sizes[len(sizes) // 4 : len(sizes) // 4 + 1], digits)


def best(texts: list[str], values: list[Any]) -> list[bool]:
    """Which entries of a column of errors are the lowest, as far as the printed digits can tell."""
    finite = [(v, t) for v, t in zip(values, texts, strict=True) if is_number(v)]
    if not finite:
        return [False] * len(texts)
    lowest = min(finite)[1]
    return [is_number(v) and t == lowest for v, t in zip(values, texts, strict=True)]


def percent(share: Any, digits: int = 1) -> str:
    return f"{fixed(100 * share, digits)}{GAP}%" if is_number(share) else _odd(share)


def small_percent(share: Any) -> str:
    """As `percent`, but what is above nought is never told as nought."""
    return f"<{GAP}0.1{GAP}%" if is_number(share) and 0 < share < 0.0005 else percent(share)


def points(difference: float) -> str:
    """A difference of two shares, without its sign: 6.1 points, 1 point."""
    said = fixed(abs(100 * difference), 1).removesuffix(".0")
    return f"{said}{GAP}point{'' if said == '1' else 's'}"


def listed(texts: Iterable[str]) -> str:
    """50, 80 and 95."""
    *first, last = texts
    return f"{', '.join(first)} and {last}" if first else last


def scientific(value: Any) -> str:
    """2.4 × 10⁻⁷; numbers from a hundredth on as they are."""
    if not is_number(value) or value == 0 or abs(value) >= 0.01:
        return number(value, 2)
    factor, _, exponent = f"{value:.1e}".partition("e")
    return f"{_minus(factor)} × 10{str(int(exponent)).translate(_SUPERSCRIPT)}"


def whole(value: Any) -> str:
    return fixed(value, 0) if is_number(value) else _odd(value)


def count(value: Any, singular: str, plural: str | None = None) -> str:
    """`one repair`, `three repairs`, `17,544 rows`."""
    many = plural or singular + "s"
    if not is_number(value):
        return f"{ABSENT} {many}"
    said = _WORDS[int(value)] if 0 <= value < len(_WORDS) and value == int(value) else whole(value)
    return f"{said} {singular if value == 1 else many}"


def duration(seconds: Any) -> str:
    """0.91 s, 92 s, 2 min 48 s, 1 h 12 min."""
    if not is_number(seconds):
        return _odd(seconds)
    if seconds < 10:
        return f"{number(seconds, 2)}{GAP}s"
    if seconds < 100:
        return f"{seconds:.0f}{GAP}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}{GAP}min" + (f" {rest}{GAP}s" if rest else "")
    hours, minutes = divmod(minutes, 60)
    return f"{hours}{GAP}h" + (f" {minutes}{GAP}min" if minutes else "")


def span(text: Any) -> str:
    """A duration as configurations write it, in words: 5d → five days."""
    found = re.fullmatch(r"(\d+)\s*(s|min|h|d|w|mo|y)", str(text).strip())
    return count(int(found[1]), _SPANS[found[2]]).replace(" ", GAP) if found else str(text)


def stretch(text: Any) -> str:
    """As `span`, where a number without a unit counts rows; nothing for a stretch of nought."""
    said = str("" if text is None else text).strip()
    if re.fullmatch(r"0*\s*[a-z]*", said):
        return ""
    return count(int(said), "row") if said.isdigit() else span(said)


def every(text: str) -> str:
    """What follows the word: every hour, every ten minutes."""
    return span(text).removeprefix(f"one{GAP}")


def with_unit(value: Any, unit: str) -> str:
    return f"{number(value)}{GAP}{unit}" if unit else number(value)


def unit(text: str) -> str:
    """A unit as it is printed: degC → °C."""
    return _UNITS.get(text, text)


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    text = text.strip()
    return text and text[0].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def prose(text: str, units: Iterable[str]) -> str:
    """A sentence with units, per cent signs and apostrophes as the rest of the report has them."""
    for name in units:
        if name in _UNITS:
            text = re.sub(rf"(?<=\d ){re.escape(name)}(?!\w)", _UNITS[name], text)
    text = re.sub(r"(?<=\d) ?%", f"{GAP}%", text).replace("'", "’")
    return re.sub(rf"(?<=\d) (?=(?:{'|'.join(map(re.escape, ['s', 'min', 'h', *_UNITS.values()]))})(?!\w))", GAP, text)


def instant(text: Any) -> datetime | None:
    """An ISO time on the data's own clock, or None for anything else."""
    try:
        return datetime.fromisoformat(str(text)).replace(tzinfo=None)
    except ValueError:
        return None


def when(text: Any, clock: bool | None = None) -> str:
    """31 Jan 2026, 14:25; without the time of day at midnight, or as `clock` says."""
    found = instant(text)
    if found is None:
        return ABSENT if text is None else str(text)
    day = f"{found.day} {MONTHS[found.month - 1]} {found.year}"
    shown = (found.hour or found.minute) if clock is None else clock
    return f"{day}, {found:%H:%M}" if shown else day


def shorten(text: str, length: int) -> str:
    return text if len(text) <= length else text[: max(1, length - 1)].rstrip() + "…"


def fixed(value: float, places: int) -> str:
    text = f"{value:,.{places}f}"
    return text.removeprefix("-") if not text.strip("-0.,") else _minus(text)


def _minus(text: str) -> str:
    return text.replace("-", "−")


def _odd(value: Any) -> str:
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, float) and math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return ABSENT
