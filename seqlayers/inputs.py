"""What a model is called with, and how it is told apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Inputs(NamedTuple):
    """What a row is called with: the sequence it reads, what is known of the horizon, what it has written so far."""

    past: Any
    ahead: Any = None
    target: Any = None

    @classmethod
    def of(cls, given: Any) -> Inputs:
        """`{past, ahead, target}` by name; anything else is the past alone. Masks come in the same shape."""
        return cls(*(given.get(name) for name in cls._fields)) if isinstance(given, Mapping) else cls(given)
