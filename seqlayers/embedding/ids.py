"""What embeddings of ids share: which ids there are, and which of them is padding."""

from __future__ import annotations

from typing import Any, ClassVar

from keras import ops

from seqlayers.arguments import known_value
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
        values = known_value(ids)
        if values is not None and values.size:
            for value in (values.min(), values.max()):
                if not 0 <= value < self.vocabulary:
                    raise ValueError(
                        f"embedding '{self.kind}' has a vocabulary of {self.vocabulary}, ids 0 to "
                        f"{self.vocabulary - 1}, but was given the id {value}. Give what is not in the vocabulary an "
                        "id of its own in it, or set `vocabulary` to the largest id plus one."
                    )
        return ops.logical_and(ids >= 0, ids < self.vocabulary)


def unless(bad: Any, y: Any) -> Any:
    """y (batch, time, features), NaN at the steps that are `bad`, (batch, time)."""
    return y + ops.expand_dims(ops.cast(ops.where(bad, float("nan"), 0.0), y.dtype), -1)
