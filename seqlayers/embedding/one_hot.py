"""Each id as a unit vector."""

from __future__ import annotations

from typing import Any

from keras import ops

from seqlayers.arguments import Count
from seqlayers.embedding.ids import Ids, unless
from seqlayers.slots import kind


@kind("embedding", "one_hot")
class OneHot(Ids):
    r"""Gives each id an axis of its own: \(y_t = e_{x_t}\), one at feature \(x_t\) and zero elsewhere.

    It has no weights; a layer behind it reads its own kernel's rows, so that all that is learned about an id is there.

    Args:
        vocabulary: how many ids there are; features of the output.
        mask_zero: id 0 is padding, which the mask that is handed on leaves out.

    Call arguments:
        x: integers (batch, time), 0 ≤ x < vocabulary.

    Returns:
        (batch, time, vocabulary).

    Raises:
        ValueError: an id outside the vocabulary. Where values are not known, while a function is compiled, nothing can
            be raised: its output is NaN.
    """

    def __init__(self, vocabulary: Count, mask_zero: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.vocabulary, self.mask_zero = vocabulary, mask_zero

    def build(self, input_shape: Any) -> None:
        """No weights."""

    def call(self, x: Any) -> Any:
        is_it = ops.equal(ops.expand_dims(x, -1), ops.arange(self.vocabulary, dtype="int32"))
        y = ops.where(is_it, 1.0, 0.0)  # and not a cast, which LiteRT gets wrong in int8
        return unless(ops.logical_not(self.known(x)), ops.cast(y, self.compute_dtype))
