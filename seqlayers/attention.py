"""Multi-head attention: over the sequence itself, whole or from remembered keys and values, and over a memory."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from seqlayers.arguments import known_value
from seqlayers.position.position import Position

#: Added to scores that are not allowed: finite, so that a row with nothing allowed stays finite too.
FORBIDDEN = -1e9


class MultiHead(keras.layers.Layer):
    r"""What every attention shares: \(\mathrm{softmax}(q k^\top / \sqrt{d})\,v\) by heads of size d, then a projection.

    Args:
        units: features of the output, a multiple of `heads`.
        heads: how many heads share them.
        dropout: fraction of the attention weights dropped in training.
        parts: how many of q, k and v are projected together.
    """

    def __init__(self, units: int, heads: int, dropout: float, parts: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.units, self.heads, self.size = units, heads, units // heads
        self.projection = keras.layers.Dense(parts * units, dtype=self.dtype_policy, name="projection")
        self.output_projection = keras.layers.Dense(units, dtype=self.dtype_policy, name="output")
        self.drop = keras.layers.Dropout(dropout, dtype=self.dtype_policy, name="drop")
        self.position: Position | None = None

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return previous_mask

    def split(self, x: Any) -> list[Any]:
        """x (batch, time, n × units) → n times (batch, heads, time, size)."""
        parts = x.shape[2] // self.units
        x = ops.reshape(x, (-1, ops.shape(x)[1], parts, self.heads, self.size))
        x = ops.transpose(x, (2, 0, 3, 1, 4))
        return [x[i] for i in range(parts)]

    def attend(self, q: Any, k: Any, v: Any, allowed: Any, start: Any = 0, training: bool | None = None) -> Any:
        """Attention of q over k and v, (batch, heads, time, size) each, → (batch, queries, units).

        Args:
            allowed: boolean, broadcast to (batch, heads, queries, keys); None: everything is.
            start: position of the first query, counted from the first key.
        """
        q, bias = q * (1 / np.sqrt(self.size)), None
        if self.position is not None:
            bias = self.position.bias(q, ops.shape(k)[2], start)
            q, k = self.position.rotate(q, k, start)
        scores = ops.matmul(q, ops.swapaxes(k, -1, -2))
        scores = ops.cast(scores, self.variable_dtype)  # half precision is too coarse for a softmax over time
        if bias is not None:
            scores = scores + ops.cast(bias, scores.dtype)
        if allowed is not None:
            scores = ops.where(allowed, scores, FORBIDDEN)
        weights = self.drop(ops.cast(ops.softmax(scores, axis=-1), v.dtype), training=training)
        y = ops.transpose(ops.matmul(weights, v), (0, 2, 1, 3))
        return self.output_projection(ops.reshape(y, (-1, ops.shape(y)[1], self.units)))


class SelfAttention(MultiHead):
    """Multi-head attention of a sequence over itself, positions acting inside it if there are any.

    A stream remembers the keys and values of the last `memory` steps, the newest last, as they are before a position
    kind turns them: what it makes of them depends on how far back they are by then, and no counter grows.

    Args:
        units, heads, dropout: as for every attention.
        causal, window: see `band`.
        capacity: the longest stream without a window.
        owner: the kind it is for, in errors: `encoder 'transformer'`.
    """

    def __init__(
        self,
        units: int,
        heads: int,
        dropout: float = 0.0,
        causal: bool = True,
        window: int | None = None,
        capacity: int | None = None,
        owner: str = "attention",
        **kwargs: Any,
    ):
        super().__init__(units, heads, dropout, 3, **kwargs)
        self.causal, self.window, self.capacity, self.owner = causal, window, capacity, owner

    def use_position(self, position: Position) -> None:
        position.for_heads(self.heads, self.size, self.causal)
        self.position = position

    def build(self, input_shape: Any) -> None:
        self.projection.build(input_shape)
        self.output_projection.build((None, None, self.units))

    def call(self, x: Any, mask: Any = None, training: bool | None = None) -> Any:
        """x (batch, time, features), mask boolean (batch, time) → (batch, time, units)."""
        steps = ops.arange(ops.shape(x)[1], dtype="int32")
        allowed = band(steps, steps, self.causal, self.window)
        if mask is not None:
            keys = ops.cast(mask, "bool")[:, None, None, :]
            allowed = keys if allowed is None else ops.logical_and(allowed, keys)
        q, k, v = self.split(self.projection(x))
        return self.attend(q, k, v, allowed, training=training)

    @property
    def memory(self) -> int:
        """How many steps' keys and values a stream keeps."""
        return self.window or self.capacity or 0

    def initial_state(self, batch: int) -> tuple[Any, Any, Any]:
        """Keys and values (batch, heads, memory, size), and the number of steps seen (batch,)."""
        shape = (batch, self.heads, self.memory, self.size)
        return ops.zeros(shape, self.compute_dtype), ops.zeros(shape, self.compute_dtype), ops.zeros((batch,), "int32")

    def stream(self, x: Any, state: Any, training: bool | None = None) -> tuple[Any, Any]:
        """x (batch, time, features), state → y (batch, time, units), the state after the last step."""
        old_keys, old_values, seen = state
        time, memory = ops.shape(x)[1], self.memory
        q, k, v = self.split(self.projection(x))
        k, v = ops.concatenate([old_keys, k], axis=2), ops.concatenate([old_values, v], axis=2)
        steps = ops.arange(memory + time, dtype="int32")
        remembered = ops.expand_dims(steps, 0) >= memory - ops.expand_dims(seen, 1)  # (batch, memory + time)
        allowed = ops.logical_and(band(steps[memory:], steps, True, self.window), remembered[:, None, None, :])
        y = self.attend(q, k, v, allowed, start=memory, training=training)
        y, seen = self._counted(y, seen + time)
        return y, (k[:, :, -memory:], v[:, :, -memory:], seen)

    def _counted(self, y: Any, seen: Any) -> tuple[Any, Any]:
        """Refuse a stream beyond its capacity; while a function is compiled, by outputs that are no numbers."""
        if self.capacity is None:
            return y, ops.minimum(seen, self.memory)
        known = known_value(seen)
        if known is not None and known.max(initial=0) > self.capacity:
            raise ValueError(
                f"{self.owner} has a capacity of {self.capacity} steps, but the stream has reached {known.max()}. "
                "Start from a new state, set a larger `capacity`, or a `window`, which has no end."
            )
        return ops.where(ops.reshape(seen > self.capacity, (-1, 1, 1)), ops.full_like(y, float("nan")), y), seen


class CrossAttention(MultiHead):
    """Multi-head attention of a sequence over a memory of any width; no position acts inside it."""

    def __init__(self, units: int, heads: int, dropout: float = 0.0, **kwargs: Any):
        super().__init__(units, heads, dropout, 2, **kwargs)
        self.query = keras.layers.Dense(units, dtype=self.dtype_policy, name="query")

    def build(self, x_shape: Any, memory_shape: Any) -> None:
        self.query.build(x_shape)
        self.projection.build(memory_shape)
        self.output_projection.build((None, None, self.units))

    def remember(self, memory: Any) -> tuple[Any, Any]:
        """memory (batch, source time, features) → its keys and values, (batch, heads, source time, size) each."""
        k, v = self.split(self.projection(memory))
        return k, v

    def recall(self, x: Any, k: Any, v: Any, mask: Any = None, training: bool | None = None) -> Any:
        """x (batch, time, features), what `remember` gave, mask boolean (batch, source time) → (batch, time, units)."""
        allowed = None if mask is None else ops.cast(mask, "bool")[:, None, None, :]
        (q,) = self.split(self.query(x))
        return self.attend(q, k, v, allowed, training=training)

    def call(self, x: Any, memory: Any, memory_mask: Any = None, training: bool | None = None) -> Any:
        return self.recall(x, *self.remember(memory), memory_mask, training)


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
