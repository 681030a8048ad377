"""Attention with linear biases."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from seqlayers.position.position import Position
from seqlayers.slots import kind


@kind("position", "alibi")
class ALiBi(Position):
    r"""Lowers the score of a key by its distance, each head at a slope of its own.

    \[ \mathrm{score}_{h,s,t} = \frac{q_s \cdot k_t}{\sqrt d} - 2^{-8h/n}\, |s - t|, \qquad h = 1, \dots, n \]

    for n heads, whether or not n is a power of two. There are no weights and no longest sequence: what was learned on
    short sequences holds on longer ones. Acts inside the self-attention of every kind that attends; where that looks
    both ways, the distance counts alike on either side.

    Call arguments:
        x: (batch, time, features).

    Returns:
        x as it is; `bias(q, k_length, start)` is what attention uses.

    Press et al. 2022, Train short, test long: attention with linear biases enables input length extrapolation.
    """

    in_attention = True

    def bias(self, q: Any, k_length: Any, start: Any) -> Any:
        heads = q.shape[1]
        slopes = np.power(2.0, -8.0 * np.arange(1, heads + 1) / heads).astype("float32")
        queries = start + ops.arange(ops.shape(q)[2], dtype="int32")
        distance = ops.abs(ops.expand_dims(queries, 1) - ops.arange(k_length, dtype="int32"))
        return -slopes[:, None, None] * ops.cast(distance, "float32")
