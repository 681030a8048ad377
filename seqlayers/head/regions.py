"""The strongest region of a text for each of many features: a convolution over one-hot ids, and its largest values."""

from __future__ import annotations

import functools
from typing import Annotated, Any, ClassVar

import keras
from keras import ops
from pydantic import Field

from seqlayers.arguments import Count, Fraction
from seqlayers.head.whole_text import PADDING, WholeText
from seqlayers.slots import Choice, ConfigurationError, kind


@kind("head", "regions")
class Regions(WholeText):
    r"""Looks for each of many features at the region of a text where it is strongest, k ids long.

    \[ c_f = \max_{t=1-k}^{T}\ \mathrm{relu}\Big(b_f + \sum_{j=0}^{k-1} E_{j,\,x_{t+j},\,f}\Big),
       \qquad z = W c + b' \]

    This is a convolution over one-hot vectors with the largest value over time: each id has a weight of its own for
    each place in a region and each feature, which a vector of few features could not give it. What stands before x_0
    and behind x_{T−1} is padding, whose E is nought and stays it: regions over a text's edge count, and so does one,
    t = T, without a word. In training a share of the ids, drawn anew each time, is read as `unknown`.

    A step's gradient reaches one region a feature and text, of the millions of weights that E has; E is one flat
    weight, so that it stays that sparse, and an optimiser that is made for it (`train.optimizer: adagrad`) takes no
    longer for a larger vocabulary.

    Args:
        classes: n, at least two.
        vocabulary: how many ids there are, 0 among them, which is padding.
        units: features f.
        kernel: k, ids of a region.
        dropout: fraction of c dropped in training.
        token_dropout: fraction of the ids that are read as `unknown` in training.
        unknown: the id of what is not in the vocabulary; 0 leaves the ids out.
        label_smoothing: ε, the probability that the target shares out among all classes.

    Call arguments:
        ids: integers (batch, time), 0 ≤ id < vocabulary.
        mask: boolean (batch, time); false steps are padding, as zeros are.

    Returns:
        z, (batch, classes), in the precision of the variables.

    Raises:
        ValueError: an id outside the vocabulary (NaN in a compiled function, where nothing can be raised).

    Refuses to stream: which region is the strongest is known at the end.

    Johnson and Zhang 2015, Effective use of word order for text categorization with convolutional neural networks
    (seq-CNN).
    """

    search: ClassVar = {
        "units": Choice((128, 256, 512)),
        "kernel": Choice((2, 3, 4)),
        "token_dropout": Choice((0.0, 0.3, 0.5)),
    }

    def __init__(
        self,
        classes: Annotated[int, Field(ge=2)],
        vocabulary: Count,
        units: Count = 256,
        kernel: Count = 3,
        dropout: Fraction = 0.0,
        token_dropout: Fraction = 0.0,
        unknown: Annotated[int, Field(ge=0)] = 1,
        label_smoothing: Fraction = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if unknown >= vocabulary:
            raise ConfigurationError(f"{self.slot}.unknown", f"{unknown} given.", f"an id below {vocabulary}")
        self.classes, self.vocabulary, self.units, self.kernel = classes, vocabulary, units, kernel
        self.dropout, self.token_dropout, self.unknown = dropout, token_dropout, unknown
        self.label_smoothing = label_smoothing
        self.count, policy = classes, {"dtype": self.dtype_policy}
        self.leave_out = keras.layers.Dropout(token_dropout, name="leave_out", **policy)
        self.drop = keras.layers.Dropout(dropout, name="drop", **policy)
        self.outer = keras.layers.Dense(classes, name="outer", **policy)

    def refusals(self) -> dict[str, str]:
        return {"streams": "which region of a text is the strongest is known at its end"}

    def build(self, ids_shape: Any) -> None:
        shape = (self.kernel * self.vocabulary * self.units,)
        self.table = self.add_weight(name="table", shape=shape, initializer=self._beginning, autocast=False)
        self.offset = self.add_weight(name="offset", shape=(self.units,), initializer="zeros")
        self.outer.build((None, self.units))

    def _beginning(self, shape: tuple[int], dtype: Any = None) -> Any:
        """Small and random; nought for padding, which no gradient reaches."""
        small = keras.random.normal((self.kernel, self.vocabulary, self.units), stddev=0.01, dtype=dtype)
        there = ops.arange(self.vocabulary) != PADDING
        return ops.reshape(small * ops.cast(there, dtype)[:, None], shape)

    def score(self, ids: Any, training: bool | None) -> Any:
        if training and self.token_dropout:
            kept = self.leave_out(ops.ones(ops.shape(ids), self.compute_dtype), training=True) > 0
            ids = ops.where(kept | (ids == PADDING), ids, self.unknown)
        features = self._strongest(ids, training)
        return ops.cast(self.outer(self.drop(features, training=training)), self.variable_dtype)

    def _strongest(self, ids: Any, training: bool | None) -> Any:
        """c, (batch, units) of ids of which 0 counts for nothing."""
        table = ops.copy(self.table)  # read once
        ids = ops.pad(ids, ((0, 0), (self.kernel - 1, self.kernel)))
        regions = self._regions(ops.stop_gradient(table) if training else table, ids)
        largest = ops.max(regions, axis=1, keepdims=True)
        if not training:
            return ops.relu(largest[:, 0] + self.offset)
        # the same value, by way of the few weights that it stands on, so that the gradient touches no others
        place = ops.expand_dims(ops.arange(ops.shape(regions)[1], dtype="int32"), -1)
        at = ops.max(ops.where(regions == largest, place, 0), axis=1)
        found = self.offset
        for j in range(self.kernel):
            each = ops.take_along_axis(ids, at + j, axis=1)
            weight = ops.take(table, self._row(j, each) * self.units + ops.arange(self.units, dtype="int32"), axis=0)
            weight = ops.where(each != PADDING, weight, ops.stop_gradient(weight))
            found = found + ops.cast(weight, self.compute_dtype)
        return ops.relu(found)

    def _regions(self, table: Any, ids: Any) -> Any:
        """Each region's sum for each feature, (batch, kernel + time, units)."""
        rows, count = ops.reshape(table, (-1, self.units)), ops.shape(ids)[1] - self.kernel + 1
        each = [ops.take(rows, self._row(j, ids[:, j : j + count]), axis=0) for j in range(self.kernel)]
        return functools.reduce(ops.add, [ops.cast(weights, self.compute_dtype) for weights in each])

    def _row(self, place: int, ids: Any) -> Any:
        return ids + place * self.vocabulary
