"""The last step."""

from __future__ import annotations

from typing import Any

from keras import ops

from seqlayers.arguments import sequence_shape
from seqlayers.slots import Kind, kind


@kind("pooling", "last")
class Last(Kind):
    r"""Takes the last step: \(y = x_T\), with T the last one that is not padding.

    In a stream every step is the last so far.

    Call arguments:
        x: (batch, time, features).
        mask: boolean (batch, time), padding on the right.

    Returns:
        (batch, features); zeros where everything is padding.
    """

    rate = None

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        sequence_shape(self, input_shape)

    def call(self, x: Any, mask: Any = None) -> Any:
        if mask is None:
            return x[:, -1]
        count = ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True)
        is_last = ops.equal(ops.cumsum(ops.cast(mask, "int32"), axis=1), count) & mask
        return ops.sum(ops.where(ops.expand_dims(is_last, -1), x, ops.zeros_like(x)), axis=1)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return None

    def stream(self, x: Any, state: Any, training: bool | None = None) -> tuple[Any, Any]:
        return x, state
