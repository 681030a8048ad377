"""What the figures of a generator say, in sentences."""

from __future__ import annotations

from typing import Any

from pipelines.report import numbers, shipped
from pipelines.report.generate import units
from pipelines.report.generate.tables import COUNTED

#: Decimals of a difference between losses.
PLACES = 3


def signed(value: Any) -> str:
    """Nats with their sign: `−0.086`, `+0.012`."""
    if not numbers.is_number(value):
        return numbers.number(value)
    text = numbers.fixed(value, PLACES)
    return text if text.startswith("−") or not text.strip("0.") else f"+{text}"


def comparison(record: dict[str, Any]) -> list[str]:
    """A sentence for each baseline: how many nats fewer the trained model needs, and how sure that is.

    Where the interval holds nought, no difference is claimed.
    """
    return [_compared(record, row) for row in record.get("comparison") or []]


def _compared(record: dict[str, Any], row: dict[str, Any]) -> str:
    name, difference, low, high = (row.get(k) for k in ("name", "difference", "low", "high"))
    if not (numbers.is_number(difference) and numbers.is_number(low) and numbers.is_number(high)):
        return f"Its difference to the {name} is not a finite number."
    each = units.each(record)
    span = f"(95{numbers.GAP}% interval {signed(low)} to {signed(high)})"
    if low <= 0 <= high:
        return f"It cannot be told from the {name}: {signed(difference)} nats {each} {span}."
    which = "less" if high < 0 else "more"
    return f"It needs {numbers.fixed(abs(difference), PLACES)} nats {each} {which} than the {name} {span}."


def data(record: dict[str, Any]) -> list[tuple[str, str]]:
    """What is told of the texts or pieces themselves, as (name, words)."""
    return _corpus(record) + _pieces(record)


def _corpus(record: dict[str, Any]) -> list[tuple[str, str]]:
    given = record.get("corpus") or {}
    unit, found = units.unit(record), []
    if given.get("tokens"):
        known = numbers.is_number(given.get("vocabulary"))
        size = f"; a vocabulary of {numbers.whole(given['vocabulary'])}" if known else ""
        found.append(("tokens", f"{given['tokens']}{size}"))
    if numbers.is_number(given.get("unknown")):
        share = numbers.small_percent(given["unknown"])
        found.append(("unknown", f"{share} of the test part’s {unit}s are not in the vocabulary"))
    if given.get("batching") and numbers.is_number(given.get("window")):
        length = numbers.count(given["window"], unit)
        how = {
            "streams": f"contiguous streams: stretches of {length}, the state carried from one to the next",
            "windows": f"random windows of {length}",
        }
        found.append(("learnt from", how.get(given["batching"], f"stretches of {length}")))
    return found


def _pieces(record: dict[str, Any]) -> list[tuple[str, str]]:
    given, found = record.get("pieces") or {}, []
    if numbers.is_number(given.get("frames_a_quarter")):
        pitches = f", of {numbers.count(given['pitches'], 'pitch', 'pitches')}" if given.get("pitches") else ""
        steps = numbers.count(given["frames_a_quarter"], units.step(record))
        found.append(("grid", f"{steps} a quarter note{pitches}"))
    if given.get("transpose"):
        far = numbers.count(given["transpose"], "semitone")
        found.append(("transposed", f"pieces of train stand there also up to {far} higher and lower"))
    if has_given(record):
        found.append(("given", f"the {given['given']}; the notes below it are to be found"))
    return found


def has_given(record: dict[str, Any]) -> bool:
    """Whether a voice is given, to which the others are written."""
    return (record.get("pieces") or {}).get("given") not in (None, "none")


def whose(record: dict[str, Any]) -> str:
    """Who wrote what follows, where what is shipped is not the trained model."""
    name = shipped.baseline(record)
    return f"Written by the {name}, which is {shipped.fate(record)}, not by the trained model." if name else ""


def counted(facts: dict[str, Any] | None) -> str:
    """`one voice crossing, no parallel fifths, no parallel octaves and four notes out of key`."""
    counts = {key: (facts or {}).get(key) for key in COUNTED}
    told = [numbers.count(count, *COUNTED[key]) for key, count in counts.items() if numbers.is_number(count)]
    return numbers.listed(told) if told else ""
