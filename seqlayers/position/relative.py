"""Learned vectors for distances."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from seqlayers.arguments import Count
from seqlayers.position.position import Position
from seqlayers.slots import ConfigurationError, kind


@kind("position", "relative")
class Relative(Position):
    r"""Adds to the scores what a query makes of the distance to the key: a learned vector for each distance and head.

    \[ \mathrm{score}_{s,t} = \frac{q_s \cdot k_t + q_s \cdot e_{s-t}}{\sqrt d} \]

    Distances beyond the last vector take the last, so that there is no longest sequence. Acts inside the
    self-attention of every kind that attends; all of them in a row use the same vectors.

    Args:
        length: how many distances have a vector of their own: 0 to `length` − 1 steps back and, where attention looks
            both ways, 1 to `length` ahead.

    Call arguments:
        x: (batch, time, features).

    Returns:
        x as it is; `bias(q, k_length, start)` is what attention uses.

    Raises:
        ConfigurationError: two attentions that share the vectors have heads of different number or size.

    Huang et al. 2018, Music Transformer: generating music with long-term structure, whose skewing this follows: no
    vector is gathered for each pair of steps. Shaw et al. 2018, Self-attention with relative position representations.
    """

    in_attention = True

    def __init__(self, length: Count = 128, **kwargs: Any):
        super().__init__(**kwargs)
        self.length = length
        self.back: Any = None
        self.ahead: Any = None

    def for_heads(self, heads: int, size: int, causal: bool) -> None:
        if self.back is None:
            self.back = self._vectors("back", heads, size)
        made = self.back.shape[0], self.back.shape[2]
        if made != (heads, size):
            raise ConfigurationError(
                "position",
                f"'relative' has vectors for {made[0]} heads of {made[1]} features already, but another attention "
                f"that would share them has {heads} of {size}.",
                "the same `units` and `heads` in every kind of the row that attends",
            )
        if not causal and self.ahead is None:
            self.ahead = self._vectors("ahead", heads, size)

    def _vectors(self, name: str, heads: int, size: int) -> Any:
        initializer = keras.initializers.RandomNormal(stddev=size**-0.5)
        return self.add_weight(name=name, shape=(heads, self.length, size), initializer=initializer)

    def bias(self, q: Any, k_length: Any, start: Any) -> Any:
        back = self._products(q, self.back, start + ops.shape(q)[2])
        columns = [ops.flip(back, axis=3)]
        if self.ahead is not None:
            columns.append(self._products(q, self.ahead, k_length - start - 1))
        return _skew(ops.concatenate(columns, axis=3), k_length)

    def _products(self, q: Any, vectors: Any, count: Any) -> Any:
        """q (batch, heads, queries, size) with the vectors of the first `count` distances, the last one repeated."""
        own = ops.cast(vectors[:, :count], q.dtype)
        y = ops.matmul(q, ops.swapaxes(own, 1, 2))
        beyond = count - self.length
        if isinstance(beyond, int) and beyond <= 0:
            return y
        far = y[..., -1:] + ops.zeros((ops.maximum(beyond, 0),), q.dtype)
        return ops.concatenate([y, far], axis=3)


def _skew(x: Any, keys: Any) -> Any:
    """Columns by distance → columns by key: each query's row begins one step further left than the one before it.

    x (batch, heads, queries, distances), from the farthest back of the last query on, → (batch, heads, queries, keys).
    Read as one line with a gap after each row, the rows shift by themselves.
    """
    _, heads, queries, columns = ops.shape(x)
    line = ops.reshape(ops.pad(x, ((0, 0), (0, 0), (0, 0), (0, 1))), (-1, heads, queries * (columns + 1)))
    line = line[:, :, queries - 1 : queries - 1 + queries * columns]
    return ops.reshape(line, (-1, heads, queries, columns))[..., :keys]
