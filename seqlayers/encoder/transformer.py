"""A Transformer block."""

from __future__ import annotations

from typing import Any, ClassVar

from keras import ops

from seqlayers.arguments import Count, Fraction, sequence_shape
from seqlayers.slots import Choice, kind
from seqlayers.transformer import Block, Inner, Norm, Normalisation


@kind("encoder", "transformer")
class Transformer(Block):
    r"""One Transformer block: multi-head self-attention and a feed-forward layer, each beside a shortcut.

    \[ u = x + \mathrm{attention}(\mathrm{norm}(x)), \qquad y = u + W_2\, f(W_1\, \mathrm{norm}(u)) \]

    and with `norm: post`, as in the paper, \(u = \mathrm{norm}(x + \mathrm{attention}(x))\) and likewise y. The
    normalisation is

    \[ \mathrm{layer}(x) = \gamma \odot \frac{x - \mathrm{mean}(x)}{\sqrt{\mathrm{var}(x) + \epsilon}} + \beta,
       \qquad \mathrm{rms}(x) = \gamma \odot \frac{x}{\sqrt{\mathrm{mean}(x^2) + \epsilon}} \]

    and with `activation: swiglu` the feed-forward layer is \(W_2\,(\mathrm{silu}(W_1 h) \odot V h)\). All of its
    layers have a bias, which the papers leave out in places. Attention knows no order: put a position kind before it.

    Args:
        units: features of input and output; the input must have them already.
        heads: attention heads; they divide `units`.
        feed_forward: features between W1 and W2.
        dropout: fraction dropped in training from attention weights and from both branches.
        causal: no step sees a later one.
        window: how far attention reaches, in steps: the step itself and the window − 1 before it (and after it, unless
            causal). None: the whole sequence.
        capacity: the longest stream, in steps, of causal attention without a window.
        norm: normalise before each layer (`pre`) or after each shortcut (`post`).
        normalisation: what norm is.
        activation: f.

    Call arguments:
        x: (batch, time, units).
        mask: boolean (batch, time); nothing attends to padded steps.

    Returns:
        (batch, time, units).

    Raises:
        ConfigurationError: `heads` do not divide `units`, or there is a `capacity` that would go unused.
        ValueError: the input has not `units` features; a stream goes on beyond `capacity` (in a compiled function,
            where nothing can be raised, its output is NaN from there on).

    Streams, if causal, through the keys and values of the last `window` (or `capacity`) steps.

    Vaswani et al. 2017, Attention is all you need; Xiong et al. 2020, On layer normalization in the Transformer
    architecture; Zhang and Sennrich 2019, Root mean square layer normalization; Shazeer 2020, GLU variants improve
    Transformer.
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
        causal: bool = True,
        window: Count | None = None,
        capacity: Count | None = None,
        norm: Norm = "pre",
        normalisation: Normalisation = "layer",
        activation: Inner = "gelu",
        **kwargs: Any,
    ):
        super().__init__(
            2,
            units=units,
            heads=heads,
            feed_forward=feed_forward,
            dropout=dropout,
            causal=causal,
            window=window,
            capacity=capacity,
            norm=norm,
            normalisation=normalisation,
            activation=activation,
            **kwargs,
        )

    def build(self, input_shape: Any) -> None:
        _, features = sequence_shape(self, input_shape)
        self.build_block(features)

    def call(self, x: Any, mask: Any = None, training: bool | None = None) -> Any:
        y = self.attention(self.enter(0, x), mask=mask, training=training)
        return self.forward(self.leave(0, x, y, training), training)

    def stream(self, x: Any, state: Any, training: bool | None = None) -> tuple[Any, Any]:
        self.check_stream()
        x = ops.cast(x, self.compute_dtype)
        y, state = self.attention.stream(self.enter(0, x), state, training)
        return self.forward(self.leave(0, x, y, training), training), state
