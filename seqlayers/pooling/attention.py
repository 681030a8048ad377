"""A mean over time whose weights are learned."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
from keras import ops

from seqlayers.arguments import Count, require_built, sequence_shape
from seqlayers.attention import FORBIDDEN
from seqlayers.pooling.running import Tensors, continued
from seqlayers.slots import Choice, Kind, kind


@kind("pooling", "attention")
class AttentionPooling(Kind):
    r"""Averages over time, each step by what a small layer makes of its importance, padding left out.

    \[ y = \sum_t a_t\, x_t, \qquad a = \mathrm{softmax}_t\bigl(v \cdot \tanh(W x_t + b)\bigr) \]

    In a stream it is the average of the steps so far.

    Args:
        units: features of v.

    Call arguments:
        x: (batch, time, features).
        mask: boolean (batch, time).

    Returns:
        (batch, features); zeros where everything is padding.

    Streams through the sums above and below the fraction bar of the softmax, both divided by the exponential of the
    largest score so far, so that they neither overflow nor vanish.

    Yang et al. 2016, Hierarchical attention networks for document classification; the score is that of Bahdanau et
    al. 2015, Neural machine translation by jointly learning to align and translate.
    """

    rate = None
    search: ClassVar = {"units": Choice((32, 64, 128))}

    def __init__(self, units: Count = 64, **kwargs: Any):
        super().__init__(**kwargs)
        self.units = units
        self.projection = keras.layers.Dense(units, "tanh", dtype=self.dtype_policy, name="projection")
        self.score = keras.layers.Dense(1, use_bias=False, dtype=self.variable_dtype, name="score")
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        _, self.features = sequence_shape(self, input_shape)
        self.projection.build(input_shape)
        self.score.build((None, None, self.units))

    def call(self, x: Any, mask: Any = None) -> Any:
        if mask is not None:
            mask = ops.expand_dims(mask, -1)
            x = ops.where(mask, x, 0.0)
        scores = self.score(self.projection(x))
        if mask is not None:
            scores = ops.where(mask, scores, FORBIDDEN)
        weights = ops.exp(scores - ops.max(scores, axis=1, keepdims=True))
        above, below = ops.sum(weights * ops.cast(x, weights.dtype), axis=1), ops.sum(weights, axis=1)
        return ops.cast(above / below, self.compute_dtype)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return None

    def initial_state(self, batch: int) -> Any:
        """The largest score (batch, 1), and the sums below (batch, 1) and above (batch, features) the fraction bar."""
        require_built(self)
        zero = ops.zeros((batch, 1), self.variable_dtype)
        return zero, zero, ops.zeros((batch, self.features), self.variable_dtype)

    def stream(self, x: Any, state: Any, training: bool | None = None) -> tuple[Any, Any]:
        scores = self.score(self.projection(x))
        steps = (scores, ops.ones_like(scores), ops.cast(x, self.variable_dtype))
        largest, below, above = continued(state, steps, _joined)
        return ops.cast(above / below, self.compute_dtype), (largest[:, -1], below[:, -1], above[:, -1])


def _joined(before: Tensors, now: Tensors) -> Tensors:
    """Two stretches as one: the sums of each, brought to the larger of their largest scores."""
    score = ops.where(before[1] > 0, before[0], now[0])  # a stretch without steps has none
    largest = ops.maximum(score, now[0])
    first, second = ops.exp(score - largest), ops.exp(now[0] - largest)
    return largest, *(first * a + second * b for a, b in zip(before[1:], now[1:], strict=True))
