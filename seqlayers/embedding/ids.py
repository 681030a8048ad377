"""What embeddings of ids share: which ids there are, and which of them is padding."""

from __future__ import annotations

from typing import Any, ClassVar

from keras import ops

from seqlayers.arguments import known_ids
from seqlayers.kind import Kind, Takes


class Ids(Kind):
    """An embedding of ids 0 … vocabulary − 1; subclasses have the arguments `vocabulary` and `mask_zero`."""

    from_task: ClassVar = ("vocabulary",)
    takes: Takes = "ids"

    vocabulary: int
    mask_zero: bool

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        if not self.mask_zero:
            return previous_mask
        real = ops.not_equal(inputs, 0)
        return real if previous_mask is None else ops.logical_and(real, previous_mask)

    def known(self, ids: Any) -> Any:
        """Which ids are in the vocabulary, as booleans; where values can be looked at, any other is refused."""
        return known_ids(self, ids)


def unless(bad: Any, y: Any) -> Any:
    """y (batch, time, features), NaN at the steps that are `bad`, (batch, time)."""
    return y + ops.expand_dims(ops.cast(ops.where(bad, float("nan"), 0.0), y.dtype), -1)
