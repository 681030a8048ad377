"""Multi-head self-attention, whole or from remembered keys and values."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

#: Added to scores that are not allowed: finite, so that a row with nothing allowed stays finite too.
FORBIDDEN = -1e9


@keras.saving.register_keras_serializable("seqlayers")
class SelfAttention(keras.layers.Layer):
    r"""Scaled dot-product attention with h heads: \(\mathrm{softmax}(q k^\top / \sqrt{d_h})\,v\), then a projection.

    Args:
        units: features of input and output, a multiple of `heads`.
        heads: how many heads share them.
        dropout: fraction of the attention weights dropped in training.
    """

    def __init__(self, units: int, heads: int, dropout: float = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.units, self.heads, self.size = units, heads, units // heads
        self.projection = keras.layers.Dense(3 * units, dtype=self.dtype_policy, name="projection")
        self.output_projection = keras.layers.Dense(units, dtype=self.dtype_policy, name="output")
        self.drop = keras.layers.Dropout(dropout, dtype=self.dtype_policy, name="drop")

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return previous_mask

    def build(self, input_shape: Any) -> None:
        self.projection.build((None, None, self.units))
        self.output_projection.build((None, None, self.units))

    def project(self, x: Any) -> tuple[Any, Any, Any]:
        """x (batch, time, units) → q, k, v, each (batch, heads, time, size)."""
        qkv = ops.reshape(self.projection(x), (-1, ops.shape(x)[1], 3, self.heads, self.size))
        qkv = ops.transpose(qkv, (2, 0, 3, 1, 4))
        return qkv[0], qkv[1], qkv[2]

    def attend(self, q: Any, k: Any, v: Any, allowed: Any, training: bool | None = None) -> Any:
        """Attention of q over k and v where `allowed`, boolean and broadcast to (batch, heads, queries, keys)."""
        scores = ops.matmul(q * (1 / np.sqrt(self.size)), ops.swapaxes(k, -1, -2))
        scores = ops.cast(scores, self.variable_dtype)  # half precision is too coarse for a softmax over time
        if allowed is not None:
            scores = ops.where(allowed, scores, FORBIDDEN)
        weights = self.drop(ops.cast(ops.softmax(scores, axis=-1), v.dtype), training=training)
        y = ops.transpose(ops.matmul(weights, v), (0, 2, 1, 3))
        return self.output_projection(ops.reshape(y, (-1, ops.shape(y)[1], self.units)))

    def call(self, x: Any, allowed: Any = None, training: bool | None = None) -> Any:
        return self.attend(*self.project(x), allowed, training)


def band(queries: Any, keys: Any, causal: bool, window: int | None) -> Any:
    """Which keys a query may see by their positions alone, (queries, keys); None where all.

    Causal: none after the query. A window: the query and the window − 1 before it, and as many after it unless causal.
    """
    if not causal and window is None:
        return None
    back = ops.expand_dims(queries, 1) - ops.expand_dims(keys, 0)
    allowed = back >= 0 if causal else ops.ones_like(back, "bool")
    if window is not None:
        allowed = ops.logical_and(allowed, ops.abs(back) < window)
    return allowed
