"""The Transformer's decoder block."""

from __future__ import annotations

from typing import Any, ClassVar

from keras import ops

from seqlayers.arguments import Count, Fraction, require_built, sequence_shape
from seqlayers.attention import CrossAttention
from seqlayers.decoder.memory import memory_features
from seqlayers.slots import Choice, kind
from seqlayers.transformer import Block, Inner, Norm, Normalisation


@kind("decoder", "transformer")
class TransformerDecoder(Block):
    r"""One Transformer decoder block: causal self-attention, attention over a memory, and a feed-forward layer.

    \[ u = x + \mathrm{attention}(\mathrm{norm}(x)), \qquad
       w = u + \mathrm{cross}(\mathrm{norm}(u),\, m), \qquad
       y = w + W_2\, f(W_1\, \mathrm{norm}(w)) \]

    where cross asks with the steps of u and is answered by the keys and values of the memory m, which every step sees
    whole. `norm`, `normalisation` and `activation` are those of encoder 'transformer'. A position kind acts inside the
    self-attention alone.

    Args:
        units: features of input and output; the input must have them already, the memory need not.
        heads: attention heads; they divide `units`.
        feed_forward: features between W1 and W2.
        dropout: fraction dropped in training from attention weights and from the three branches.
        window: how far self-attention reaches, in steps: the step itself and the window − 1 before it. None: back to
            the first.
        capacity: the longest stream, in steps, without a window.
        norm: normalise before each layer (`pre`) or after each shortcut (`post`, as in the paper).
        normalisation: what norm is.
        activation: f.

    Call arguments:
        x: (batch, time, units), the target so far.
        memory: (batch, source time, source features).
        mask: boolean (batch, time); no step attends to padded steps.
        memory_mask: boolean (batch, source time); nor to padding in the memory.

    Returns:
        (batch, time, units).

    Raises:
        ConfigurationError: `heads` do not divide `units`, or there is a `capacity` that would go unused.
        ValueError: the input has not `units` features; there is no memory, or it is no sequence, or its mask is
            of another length; a stream goes on beyond `capacity` (in a compiled function its output is NaN from there
            on).

    Streams through its own keys and values of the last `window` (or `capacity`) steps, and those of the memory, which
    are made once.

    Vaswani et al. 2017, Attention is all you need.
    """

    search: ClassVar = {
        "heads": Choice((2, 4, 8)),
        "feed_forward": Choice((64, 128, 256)),
        "dropout": Choice((0.0, 0.1, 0.3)),
    }

    def __init__(
        self,
        units: Count = 64,
        heads: Count = 4,
        feed_forward: Count = 128,
        dropout: Fraction = 0.0,
        window: Count | None = None,
        capacity: Count | None = None,
        norm: Norm = "pre",
        normalisation: Normalisation = "layer",
        activation: Inner = "gelu",
        **kwargs: Any,
    ):
        super().__init__(
            3,
            units=units,
            heads=heads,
            feed_forward=feed_forward,
            dropout=dropout,
            causal=True,
            window=window,
            capacity=capacity,
            norm=norm,
            normalisation=normalisation,
            activation=activation,
            **kwargs,
        )
        self.cross = CrossAttention(units, heads, dropout, dtype=self.dtype_policy, name="cross")

    def build(self, x_shape: Any, memory_shape: Any = None) -> None:
        _, features = sequence_shape(self, x_shape)
        width = memory_features(self, memory_shape)
        self.build_block(features)
        self.cross.build((None, None, self.units), (None, None, width))

    def call(
        self, x: Any, memory: Any = None, mask: Any = None, memory_mask: Any = None, training: bool | None = None
    ) -> Any:
        memory_features(self, memory, memory_mask)
        y = self.attention(self.enter(0, x), mask=mask, training=training)
        x = self.leave(0, x, y, training)
        y = self.cross(self.enter(1, x), memory, memory_mask=memory_mask, training=training)
        return self.forward(self.leave(1, x, y, training), training)

    def initial_state(self, batch: int, memory: Any = None, memory_mask: Any = None) -> Any:
        """The self-attention's state; keys and values (batch, heads, source time, size) and mask of the memory."""
        own = super().initial_state(batch)
        memory_features(self, memory, memory_mask)
        require_built(self)
        if memory_mask is None:
            memory_mask = ops.ones(ops.shape(memory)[:2], "bool")
        return own, *self.cross.remember(ops.convert_to_tensor(memory)), ops.convert_to_tensor(memory_mask)

    def stream(self, x: Any, state: Any, training: bool | None = None) -> tuple[Any, Any]:
        self.check_stream()
        own, keys, values, mask = state
        x = ops.cast(x, self.compute_dtype)
        y, own = self.attention.stream(self.enter(0, x), own, training)
        x = self.leave(0, x, y, training)
        y = self.cross.recall(self.enter(1, x), keys, values, mask, training)
        return self.forward(self.leave(1, x, y, training), training), (own, keys, values, mask)
