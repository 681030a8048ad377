"""Heads that give classes, tokens, notes and labels."""

from __future__ import annotations

from seqlayers.testing import Example

CASES: dict[str, Example] = {}

#: What is tried of this file where a trial takes seconds.
REPRESENTATIVE: tuple[str, ...] = ()
