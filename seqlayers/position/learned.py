"""A learned vector for each position."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from seqlayers.arguments import Count, known_value, sequence_shape
from seqlayers.position.additive import Additive
from seqlayers.slots import kind


@kind("position", "learned")
class Learned(Additive):
    r"""Adds a learned vector for each absolute position: \(y_t = x_t + p_t\).

    Args:
        length: how many positions there are.

    Call arguments:
        x: (batch, time, features), time ≤ length.

    Returns:
        (batch, time, features). `add(x, start)` counts from `start` instead of 0.

    Raises:
        ValueError: a position at or beyond `length`. Where that depends on values that are not known while a function
            is compiled, nothing can be raised: the output is NaN from there on.

    Vaswani et al. 2017, Attention is all you need, section 3.5; Gehring et al. 2017, Convolutional sequence to
    sequence learning.
    """

    def __init__(self, length: Count = 512, **kwargs: Any):
        super().__init__(**kwargs)
        self.length = length

    def build(self, input_shape: Any) -> None:
        time, features = sequence_shape(self, input_shape)
        self._check(time or 0)
        self.table = self.add_weight(
            name="table", shape=(self.length, features), initializer=keras.initializers.RandomNormal(stddev=0.02)
        )

    def add(self, x: Any, start: Any = 0) -> Any:
        first, time = known_value(start), x.shape[1]
        if first is not None and time is not None:
            self._check(int(first.max(initial=0)) + time)
        return super().add(x, start)

    def vectors(self, positions: Any, features: int) -> Any:
        table = ops.cast(self.table, self.compute_dtype)
        found = ops.take(table, ops.minimum(positions, self.length - 1), axis=0)
        nan = ops.full_like(found, float("nan"))
        return ops.where(ops.expand_dims(positions < self.length, -1), found, nan)

    def _check(self, needed: int) -> None:
        if needed > self.length:
            raise ValueError(
                f"position 'learned' has {self.length} positions, but {needed} are needed. "
                f"Set `length: {needed}` or more, or use position 'sinusoidal', which has no end."
            )
