"""No positions: for encoders that know the order themselves."""

from __future__ import annotations

from typing import Any

from seqlayers.slots import Kind, kind


@kind("position", "none")
class NoPosition(Kind):
    """Adds nothing; recurrences and convolutions know the order of steps themselves.

    Call arguments:
        x: (batch, time, features).

    Returns:
        x.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """No weights."""

    def add(self, x: Any, start: Any = 0) -> Any:
        return x

    def call(self, x: Any) -> Any:
        return x

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return previous_mask
