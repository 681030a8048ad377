"""Texts from outside, as a page can show them."""

from __future__ import annotations

import re

from pipelines.report import numbers

#: Signs that are not shown or turn others round; tabs and line feeds are kept.
UNSHOWN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
#: Of a text, so many characters stand in a page at most.
LONGEST = 12_000


def printable(text: str) -> str:
    """The text with a replacement character for each sign that is not shown or turns others round."""
    return UNSHOWN.sub("\N{REPLACEMENT CHARACTER}", text)


def cut(text: str, longest: int = LONGEST) -> str:
    """No longer than a page bears, with how much is left out."""
    more = len(text) - longest
    return text if more <= 0 else f"{text[:longest]} … and {numbers.whole(more)} characters more"
