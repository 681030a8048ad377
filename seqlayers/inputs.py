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
        """`{past, ahead, target}` by name; anything else is the past alone. Masks come in the same shape.

        Raises:
            ValueError: a mapping has other names, which nothing would use.
        """
        unknown = set(given) - set(cls._fields) if isinstance(given, Mapping) else ()
        if unknown:
            raise ValueError(
                f"A model takes {', '.join(f'`{name}`' for name in cls._fields)} by name, but was given "
                f"{', '.join(map(repr, sorted(unknown)))}."
            )
        return cls(*(given.get(name) for name in cls._fields)) if isinstance(given, Mapping) else cls(given)
