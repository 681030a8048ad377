"""No positions: for encoders that know the order themselves."""

from __future__ import annotations

from seqlayers.position.position import Position
from seqlayers.slots import kind


@kind("position", "none")
class NoPosition(Position):
    """Adds nothing; recurrences and convolutions know the order of steps themselves.

    Call arguments:
        x: (batch, time, features).

    Returns:
        x.
    """
