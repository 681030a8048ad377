"""Shares of texts as they are printed: as many digits as the number of texts can bear."""

from __future__ import annotations

from typing import Any

from pipelines.report import numbers

#: From so many texts of the test part on, a hundredth of a per cent is told.
FINE = 10_000


def digits(record: dict[str, Any]) -> int:
    """Decimals of a share in per cent."""
    return 2 if (tested(record) or 0) >= FINE else 1


def tested(record: dict[str, Any]) -> int | None:
    """How many texts the test part has."""
    return next((p.get("rows") for p in record.get("splits") or [] if p.get("part") == "test"), None)


def share(record: dict[str, Any], value: Any) -> str:
    return numbers.percent(value, digits(record))


def between(record: dict[str, Any], low: Any, high: Any) -> str:
    """`94.1 to 94.7 %`."""
    if not (numbers.is_number(low) and numbers.is_number(high)):
        return ""
    return f"{numbers.fixed(100 * low, digits(record))} to {share(record, high)}"


def signed(record: dict[str, Any], value: Any) -> str:
    """Percentage points with their sign: `+1.2`, `−0.3`, `0.0`."""
    if not numbers.is_number(value):
        return numbers.number(value)
    text = numbers.fixed(100 * value, digits(record))
    return text if text.startswith("−") or not text.strip("0.") else f"+{text}"


def points(record: dict[str, Any], value: float) -> str:
    """Percentage points without their sign: `1.2 points`."""
    return f"{numbers.fixed(abs(100 * value), digits(record))}{numbers.GAP}points"
