"""The mean over time."""

from __future__ import annotations

from typing import Any

from keras import ops

from seqlayers.arguments import require_built, sequence_shape
from seqlayers.slots import Kind, kind


@kind("pooling", "mean")
class Mean(Kind):
    r"""Averages over time: \(y = \frac1T \sum_t x_t\), padding left out.

    In a stream it is the mean of the steps so far.

    Call arguments:
        x: (batch, time, features).
        mask: boolean (batch, time).

    Returns:
        (batch, features); zeros where everything is padding.
    """

    rate = None

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        _, self.features = sequence_shape(self, input_shape)

    def call(self, x: Any, mask: Any = None) -> Any:
        wide = ops.cast(x, self.variable_dtype)
        if mask is None:
            return ops.cast(ops.mean(wide, axis=1), x.dtype)
        mask = ops.expand_dims(mask, -1)
        count = ops.maximum(ops.sum(ops.cast(mask, wide.dtype), axis=1), 1.0)
        return ops.cast(ops.sum(ops.where(mask, wide, ops.zeros_like(wide)), axis=1) / count, x.dtype)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return None

    def initial_state(self, batch: int) -> Any:
        """The sum so far (batch, features) and the number of steps (batch,)."""
        require_built(self)
        return ops.zeros((batch, self.features), self.variable_dtype), ops.zeros((batch,), "int32")

    def stream(self, x: Any, state: Any, training: bool | None = None) -> tuple[Any, Any]:
        total, count = state
        sums = total[:, None] + ops.cumsum(ops.cast(x, total.dtype), axis=1)
        counts = count[:, None] + ops.arange(1, ops.shape(x)[1] + 1, dtype="int32")[None, :]
        means = sums / ops.expand_dims(ops.cast(counts, sums.dtype), -1)
        return ops.cast(means, self.compute_dtype), (sums[:, -1], counts[:, -1])
