"""What additive position kinds share: absolute positions, and a counter as the state of a stream."""

from __future__ import annotations

from typing import Any

from keras import ops

from seqlayers.position.position import Position


class Additive(Position):
    """A vector for each absolute position, added to the features; subclasses give `vectors`."""

    def vectors(self, positions: Any, features: int) -> Any:
        """positions (rows, time) int32 → (rows, time, features)."""
        raise NotImplementedError

    def add(self, x: Any, start: Any = 0) -> Any:
        """x (batch, time, features) with the vectors of positions start, start + 1, … added.

        Args:
            start: position of the first step: an int, or an int tensor (batch,).
        """
        start = ops.reshape(ops.cast(start, "int32"), (-1, 1))
        positions = start + ops.arange(ops.shape(x)[1], dtype="int32")[None, :]
        return x + ops.cast(self.vectors(positions, x.shape[2]), x.dtype)

    def initial_state(self, batch: int) -> Any:
        """Steps seen so far, (batch,) int32."""
        return ops.zeros((batch,), "int32")

    def stream(self, x: Any, state: Any, training: bool | None = None) -> tuple[Any, Any]:
        x = ops.cast(x, self.compute_dtype)
        return self.add(x, state), state + ops.shape(x)[1]
