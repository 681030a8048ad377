"""What the kinds that attend share: their arguments, the position inside, and the stream."""

from __future__ import annotations

from typing import Any

from seqlayers.arguments import require_built
from seqlayers.attention import SelfAttention
from seqlayers.kind import Kind, Refused
from seqlayers.position.position import Position
from seqlayers.slots import ConfigurationError


class Attending(Kind):
    """A kind with a self-attention in it, `attention`, whose remembered keys and values are what it streams through."""

    attends = True

    def __init__(
        self,
        *,
        units: int,
        heads: int,
        dropout: float,
        causal: bool,
        window: int | None,
        capacity: int | None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if units % heads:
            divisors = ", ".join(str(n) for n in range(1, min(units, 64) + 1) if units % n == 0)
            raise ConfigurationError(f"{self.slot}.heads", f"{heads} heads do not divide {units} units.", divisors)
        if capacity is not None and (window is not None or not causal):
            reason = "attention with a window needs none" if window is not None else "only causal attention streams"
            raise ConfigurationError(f"{self.slot}.capacity", f"{capacity} given, but {reason}.", "none")
        self.units, self.heads, self.dropout = units, heads, dropout
        self.causal, self.window, self.capacity = causal, window, capacity
        self.attention = SelfAttention(
            units,
            heads,
            dropout,
            causal,
            window,
            capacity,
            owner=f"{self.slot} '{self.kind}'",
            dtype=self.dtype_policy,
            name="attention",
        )

    def use_position(self, position: Position) -> None:
        """Let a position kind act inside the self-attention; before this kind is built."""
        self.attention.use_position(position)

    def refusals(self) -> dict[str, str]:
        if not self.causal:
            return {"streams": "with `causal: false` it looks ahead"}
        if self.window is None and self.capacity is None:
            reason = "its attention reaches back without end; set `window`, or `capacity` to the longest stream"
            return {"streams": reason}
        return {}

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return previous_mask

    def initial_state(self, batch: int) -> Any:
        """Keys and values (batch, heads, memory, units / heads), and the number of steps seen (batch,)."""
        super().initial_state(batch)
        return self.attention.initial_state(batch)

    def check_stream(self) -> None:
        """Refuse to go on from a state that this kind cannot have given."""
        if not self.streams:
            raise Refused(self, "streams")
        require_built(self)
