"""What heads share that read a whole text's ids and say which class it is of."""

from __future__ import annotations

import math
from typing import Any, Literal

from keras import ops

from seqlayers.arguments import known_ids
from seqlayers.head.logits import Logits

#: The id of what stands behind a text's end.
PADDING = 0


class WholeText(Logits):
    """A head from the ids of a text (batch, time) to logits (batch, classes); it has a `vocabulary`."""

    from_task = ("classes", "vocabulary")
    rate = None
    takes: Literal["sequence", "ids"] = "ids"

    vocabulary: int

    @property
    def output_kind(self) -> tuple[str, int]:
        """That of head `classify`, to be joined with it."""
        return "classify", self.count

    def call(self, ids: Any, ahead: Any = None, mask: Any = None, training: bool | None = None) -> Any:
        if ahead is not None:
            raise ValueError(f"head '{self.kind}' has no use for what is known `ahead`; leave it out.")
        known = known_ids(self, ids)
        real = known if mask is None else known & mask
        z = self.score(ops.cast(ops.where(real, ids, PADDING), "int32"), training)
        return ops.where(ops.all(known, axis=1, keepdims=True), z, ops.full_like(z, math.nan))

    def score(self, ids: Any, training: bool | None) -> Any:
        """Logits (batch, classes), in the precision of the variables, of ids of which 0 is padding."""
        raise NotImplementedError
