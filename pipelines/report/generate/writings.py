"""Texts as cards: what was given, what was written after it, and by which settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipelines.report import numbers
from pipelines.report.diagram import settings
from pipelines.report.quoted import cut, printable

#: Of what was written, so many characters stand in the page at most.
LONGEST = 2_000


@dataclass(frozen=True)
class Writing:
    """The prompt, what was written after it, and the settings, each as it is shown."""

    prompt: str
    text: str
    settings: str


def writings(record: dict[str, Any]) -> list[Writing]:
    """The cards of `record["samples"]`, in the record's order; `text` is what follows the prompt."""
    return [
        Writing(
            printable(str(given.get("prompt") or "")),
            cut(printable(str(given.get("text") or "")), LONGEST),
            numbers.shorten(" · ".join(settings(given.get("settings"))), LONGEST),
        )
        for given in record.get("samples") or []
    ]
