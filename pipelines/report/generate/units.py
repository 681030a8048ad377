"""What a generator reads and writes one at a time, in words: characters, events, frames."""

from __future__ import annotations

from typing import Any

from pipelines.report import numbers


def notes(record: dict[str, Any]) -> bool:
    """Whether it writes frames of notes, not tokens."""
    return record.get("representation") == "notes"


def music(record: dict[str, Any]) -> bool:
    """Whether what it writes is music, in frames or in tokens of events."""
    return notes(record) or unit(record) == "event"


def unit(record: dict[str, Any]) -> str:
    return record.get("unit") or "token"


def each(record: dict[str, Any]) -> str:
    """`a character`, `an event`."""
    return f"{'an' if unit(record)[0] in 'aeiou' else 'a'} {unit(record)}"


def sizes(record: dict[str, Any]) -> tuple[tuple[str, str], tuple[str, str]]:
    """By which entries a part's size is told, each with its name: how many units, and of how many documents."""
    tokens = any("tokens" in part for part in record.get("splits") or [])
    of = ("pieces", "piece") if record.get("pieces") else ("documents", "document")
    return ("tokens", unit(record)) if tokens else ("frames", step(record)), of


def step(record: dict[str, Any]) -> str:
    """What a step of the grid is called: its notes are frames, or events stand on it."""
    return "frame" if notes(record) else "step"


def holds(record: dict[str, Any]) -> str:
    """How much the source holds: `1,115,394 characters in one document`."""
    counted, of = sizes(record)
    given = record.get("pieces") or record.get("corpus") or {}
    parts = [p.get(counted[0]) for p in record.get("splits") or []]
    total = sum(n for n in parts if numbers.is_number(n))
    said = [numbers.count(given["characters"], "character")] if numbers.is_number(given.get("characters")) else []
    if total and not (said and counted[1] == "character"):
        said.append(numbers.count(total, counted[1]))
    inside = f" in {numbers.count(given[of[0]], of[1])}" if numbers.is_number(given.get(of[0])) else ""
    return numbers.listed(said) + inside if said else ""
