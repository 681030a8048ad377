"""The largest value over time."""

from __future__ import annotations

from typing import Any

from keras import ops

from seqlayers.arguments import require_built, sequence_shape
from seqlayers.pooling.running import Tensors, continued
from seqlayers.slots import Kind, kind


@kind("pooling", "max")
class Max(Kind):
    r"""Takes each feature's largest value: \(y = \max_t x_t\), padding left out.

    It says whether something has been seen anywhere, and not how often. In a stream it is the largest so far.

    Call arguments:
        x: (batch, time, features).
        mask: boolean (batch, time).

    Returns:
        (batch, features); zeros where everything is padding.

    Collobert et al. 2011, Natural language processing (almost) from scratch.
    """

    rate = None

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        _, self.features = sequence_shape(self, input_shape)

    def call(self, x: Any, mask: Any = None) -> Any:
        if mask is None:
            return ops.max(x, axis=1)
        y = ops.max(ops.where(ops.expand_dims(mask, -1), x, float("-inf")), axis=1)
        return ops.where(ops.any(mask, axis=1, keepdims=True), y, 0.0)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return None

    def initial_state(self, batch: int) -> Any:
        """The largest so far (batch, features), and whether there is one: (batch, 1), 0 before the first step."""
        require_built(self)
        return ops.zeros((batch, self.features), self.compute_dtype), ops.zeros((batch, 1), "int32")

    def stream(self, x: Any, state: Any, training: bool | None = None) -> tuple[Any, Any]:
        x = ops.cast(x, self.compute_dtype)
        largest, seen = continued(state, (x, ops.ones_like(x[..., :1], "int32")), _joined)
        return largest, (largest[:, -1], seen[:, -1])


def _joined(before: Tensors, now: Tensors) -> Tensors:
    """Two stretches as one; of a stretch without steps nothing is taken."""
    return ops.where(before[1] > 0, ops.maximum(before[0], now[0]), now[0]), ops.maximum(before[1], now[1])
