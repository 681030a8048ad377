"""A learned vector for each id."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import keras
from keras import ops

from seqlayers.arguments import Count, Fraction
from seqlayers.embedding.ids import Ids, unless
from seqlayers.slots import Choice, kind


@kind("embedding", "token")
class Token(Ids):
    r"""Looks up a learned vector for each id: \(y_t = E_{x_t}\), or \(\sqrt{d}\,E_{x_t}\) with `scale`.

    Its weight is that of `keras.layers.Embedding` and can be exchanged with it. Head `tokens` with `tied: true` uses
    the same E to score what comes next.

    Args:
        vocabulary: how many ids there are, the rows of E.
        units: d, features of the output.
        mask_zero: id 0 is padding, which the mask that is handed on leaves out.
        scale: multiply by √d, so that rows of length about one, as a tied head wants them, are not drowned by the
            position added to them. E then starts with a standard deviation of 1/√d.
        dropout: fraction of the output's features dropped in training.

    Call arguments:
        x: integers (batch, time), 0 ≤ x < vocabulary.

    Returns:
        (batch, time, units).

    Raises:
        ValueError: an id outside the vocabulary. Where values are not known, while a function is compiled, nothing can
            be raised: its output is NaN.

    Bengio et al. 2003, A neural probabilistic language model; Vaswani et al. 2017, Attention is all you need,
    section 3.4.
    """

    search: ClassVar = {"units": Choice((32, 64, 128, 256)), "dropout": Choice((0.0, 0.1, 0.3))}

    def __init__(
        self,
        vocabulary: Count,
        units: Count = 64,
        mask_zero: bool = False,
        scale: bool = False,
        dropout: Fraction = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.vocabulary, self.units, self.mask_zero = vocabulary, units, mask_zero
        self.scale, self.dropout = scale, dropout
        self.drop = keras.layers.Dropout(dropout, dtype=self.dtype_policy, name="drop")

    def build(self, input_shape: Any) -> None:
        self.table = self.add_weight(
            name="table",
            shape=(self.vocabulary, self.units),
            initializer=keras.initializers.RandomNormal(stddev=1 / math.sqrt(self.units)) if self.scale else "uniform",
            autocast=False,  # half precision casts the rows that are taken, not the whole table
        )

    def call(self, x: Any, training: bool | None = None) -> Any:
        known = self.known(x)
        y = ops.take(self.table, ops.where(known, x, 0), axis=0)
        if self.scale:
            y = y * math.sqrt(self.units)
        y = unless(ops.logical_not(known), ops.cast(y, self.compute_dtype))
        return self.drop(y, training=training)
