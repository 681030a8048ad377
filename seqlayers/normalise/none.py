"""No normalisation of the window."""

from __future__ import annotations

from typing import Any

from seqlayers.kind import Kind, Takes
from seqlayers.slots import kind


@kind("normalise", "none")
class NoNormalise(Kind):
    """Leaves the window as it is; the transforms' training statistics are then its only scale.

    Call arguments:
        x: (batch, time, features), or ids (batch, time).

    Returns:
        x and an empty tuple: there is nothing to undo.
    """

    takes: Takes = "anything"

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """No weights."""

    def check_window(self, steps: int | None, path: str) -> None:
        """Takes any."""

    def call(self, x: Any, mask: Any = None) -> tuple[Any, tuple[()]]:
        return x, ()

    def undo(self, output: Any, statistics: tuple[()]) -> Any:
        return output

    def stream(self, x: Any, state: Any, training: bool | None = None) -> tuple[Any, Any]:
        return x, state
