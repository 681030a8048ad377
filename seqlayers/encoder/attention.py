"""Multi-head self-attention by itself."""

from __future__ import annotations

from typing import Any, ClassVar

from keras import ops

from seqlayers.arguments import Count, Fraction, sequence_shape
from seqlayers.attending import Attending
from seqlayers.slots import Choice, kind


@kind("encoder", "attention")
class Attention(Attending):
    r"""Multi-head self-attention: each step a mean of all steps, weighted by what it asks for and what they offer.

    \[ (q, k, v) = x W + b, \qquad
       \mathrm{head}_i = \mathrm{softmax}\!\left(q_i k_i^\top / \sqrt{d}\right) v_i, \qquad
       y = [\mathrm{head}_1, \dots, \mathrm{head}_h]\, W_o + b_o \]

    with q, k and v cut into h heads of d = `units` / h features. Without the shortcut, the normalisation and the
    feed-forward layer that make it a `transformer`, it takes an input of any width. Attention knows no order: put a
    position kind before it.

    Args:
        units: features of the output.
        heads: h; they divide `units`.
        dropout: fraction of the attention weights dropped in training.
        causal: no step sees a later one.
        window: how far attention reaches, in steps: the step itself and the window − 1 before it (and after it, unless
            causal). None: the whole sequence.
        capacity: the longest stream, in steps, of causal attention without a window.

    Call arguments:
        x: (batch, time, features).
        mask: boolean (batch, time); nothing attends to padded steps.

    Returns:
        (batch, time, units).

    Raises:
        ConfigurationError: `heads` do not divide `units`, or there is a `capacity` that would go unused.
        ValueError: a stream goes on beyond `capacity` (in a compiled function, where nothing can be raised, its
            output is NaN from there on).

    Streams, if causal, through the keys and values of the last `window` (or `capacity`) steps.

    Vaswani et al. 2017, Attention is all you need, section 3.2.
    """

    search: ClassVar = {
        "units": Choice((32, 64, 128, 256)),
        "heads": Choice((2, 4, 8)),
        "dropout": Choice((0.0, 0.1, 0.3)),
    }

    def __init__(
        self,
        units: Count = 64,
        heads: Count = 4,
        dropout: Fraction = 0.0,
        causal: bool = True,
        window: Count | None = None,
        capacity: Count | None = None,
        **kwargs: Any,
    ):
        super().__init__(
            units=units, heads=heads, dropout=dropout, causal=causal, window=window, capacity=capacity, **kwargs
        )

    def build(self, input_shape: Any) -> None:
        _, features = sequence_shape(self, input_shape)
        self.attention.build((None, None, features))

    def call(self, x: Any, mask: Any = None, training: bool | None = None) -> Any:
        return self.attention(x, mask=mask, training=training)

    def stream(self, x: Any, state: Any, training: bool | None = None) -> tuple[Any, Any]:
        self.check_stream()
        return self.attention.stream(ops.cast(x, self.compute_dtype), state, training)
