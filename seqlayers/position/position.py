"""What every position kind is, whether it adds to the features or acts inside attention."""

from __future__ import annotations

from typing import Any

from seqlayers.arguments import sequence_shape
from seqlayers.kind import Kind


class Position(Kind):
    """How a step knows when it is: by what is added to its features, or by what attention sees between two steps.

    A subclass gives `add`, or sets `in_attention` and gives `rotate` or `bias`. These two see only how far apart a
    query and a key are: attention may count from any step, as long as both are counted from the same one.
    """

    in_attention: bool = False

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        sequence_shape(self, input_shape)

    def add(self, x: Any, start: Any = 0) -> Any:
        """x (batch, time, features), its first step at position `start` → the same with positions added."""
        return x

    def for_heads(self, heads: int, size: int, causal: bool) -> None:
        """Called once by each attention that the position acts in: what depends on its shape is checked and made here.

        Args:
            heads: attention heads.
            size: features of each.
            causal: no query sees a key after it.
        """

    def rotate(self, q: Any, k: Any, start: Any) -> tuple[Any, Any]:
        """q, k (batch, heads, queries or keys, size) → both, turned.

        Args:
            start: position of the first query, counted from the first key; the last of each is at the same position.
        """
        return q, k

    def bias(self, q: Any, k_length: Any, start: Any) -> Any:
        """What is added to the scores, broadcast to (batch, heads, queries, keys); None for nothing.

        Args:
            q: (batch, heads, queries, size), divided by the square root of the size already.
            k_length: number of keys.
            start: position of the first query, counted from the first key; the last of each is at the same position.
        """
        return None

    def call(self, x: Any) -> Any:
        return self.add(x, 0)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return previous_mask
