"""A recurrence that writes a sequence and looks back at the memory of the one that was read."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
from keras import ops

from seqlayers.arguments import Count, Fraction, require_built, sequence_shape
from seqlayers.attention import CrossAttention
from seqlayers.decoder.memory import memory_features
from seqlayers.encoder.recurrent import build_recurrent
from seqlayers.slots import Choice, ConfigurationError, Kind, Nested, kind


@kind("decoder", "recurrent")
class RecurrentDecoder(Kind):
    r"""A recurrence over the target so far, which at each step reads from the memory what it needs next.

    \[ h_t = F(x_t, h_{t-1}), \qquad
       c_t = \mathrm{attention}(h_t,\, m), \qquad
       y_t = \tanh(W\,[h_t;\, c_t] + b) \]

    where the attention asks with h and is answered by the keys and values of the memory m: scaled dot products, in as
    many heads as are asked.

    Args:
        layer: F, any recurrent encoder kind, such as {kind: gru, units: 64}.
        units: features of the output, and of queries and keys.
        heads: attention heads; they divide `units`.
        dropout: fraction of the attention weights dropped in training; the recurrence has its own.

    Call arguments:
        x: (batch, time, features), the target so far.
        memory: (batch, source time, source features).
        mask: boolean (batch, time); masked steps leave h as it is.
        memory_mask: boolean (batch, source time); nothing is read from padding in the memory.

    Returns:
        (batch, time, units).

    Raises:
        ConfigurationError: `layer` is not recurrent, or `heads` do not divide `units`.
        ValueError: there is no memory, or it is no sequence, or its mask is of another length.

    Streams through F's state, and the keys and values of the memory, which are made once.

    Luong et al. 2015, Effective approaches to attention-based neural machine translation; Bahdanau et al. 2015, Neural
    machine translation by jointly learning to align and translate.
    """

    search: ClassVar = {"units": Choice((32, 64, 128)), "heads": Choice((1, 2, 4))}

    def __init__(
        self,
        layer: Nested = {"kind": "gru"},  # noqa: B006  # never changed: `settings` gives a copy
        units: Count = 64,
        heads: Count = 1,
        dropout: Fraction = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if units % heads:
            divisors = ", ".join(str(n) for n in range(1, min(units, 64) + 1) if units % n == 0)
            raise ConfigurationError("decoder.heads", f"{heads} heads do not divide {units} units.", divisors)
        policy = {"dtype": self.dtype_policy}
        self.layer = build_recurrent(layer, "decoder.layer", name="recurrence", **policy)
        self.units, self.heads, self.dropout = units, heads, dropout
        self.cross = CrossAttention(units, heads, dropout, name="cross", **policy)
        self.output_projection = keras.layers.Dense(units, "tanh", name="output", **policy)

    def refusals(self) -> dict[str, str]:
        return self.layer.refusals()

    def build(self, x_shape: Any, memory_shape: Any = None) -> None:
        _, features = sequence_shape(self, x_shape)
        width = memory_features(self, memory_shape)
        self.layer.build((None, None, features))
        states = self.layer.compute_output_spec(keras.KerasTensor((None, 1, features))).shape[-1]
        self.cross.build((None, None, states), (None, None, width))
        self.output_projection.build((None, None, states + self.units))

    def call(
        self, x: Any, memory: Any = None, mask: Any = None, memory_mask: Any = None, training: bool | None = None
    ) -> Any:
        memory_features(self, memory, memory_mask)
        h = self.layer(x, mask=mask, training=training)
        return self.read(h, *self.cross.remember(memory), memory_mask, training)

    def read(self, h: Any, keys: Any, values: Any, memory_mask: Any, training: bool | None) -> Any:
        """h (batch, time, features) and what the memory is remembered by → y (batch, time, units)."""
        context = self.cross.recall(h, keys, values, memory_mask, training)
        return self.output_projection(ops.concatenate([h, context], axis=-1))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return previous_mask

    def initial_state(self, batch: int, memory: Any = None, memory_mask: Any = None) -> Any:
        """F's state; keys and values (batch, heads, source time, units / heads) and mask of the memory."""
        own = self.layer.initial_state(batch)
        memory_features(self, memory, memory_mask)
        require_built(self)
        if memory_mask is None:
            memory_mask = ops.ones(ops.shape(memory)[:2], "bool")
        return own, *self.cross.remember(ops.convert_to_tensor(memory)), ops.convert_to_tensor(memory_mask)

    def stream(self, x: Any, state: Any, training: bool | None = None) -> tuple[Any, Any]:
        own, keys, values, memory_mask = state
        h, own = self.layer.stream(x, own, training)
        return self.read(h, keys, values, memory_mask, training), (own, keys, values, memory_mask)

    def step(self, x_t: Any, state: Any) -> tuple[Any, Any]:
        own, keys, values, memory_mask = state
        h, own = self.layer.step(x_t, own)
        y = self.read(ops.expand_dims(h, 1), keys, values, memory_mask, training=False)
        return ops.squeeze(y, 1), (own, keys, values, memory_mask)
