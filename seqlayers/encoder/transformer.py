"""A Transformer block."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import keras
from keras import ops

from seqlayers.arguments import Count, Fraction, known_value, require_built, sequence_shape
from seqlayers.attention import SelfAttention, band
from seqlayers.slots import Choice, ConfigurationError, Kind, kind


@kind("encoder", "transformer")
class Transformer(Kind):
    r"""One Transformer block: multi-head self-attention and a feed-forward layer, each beside a shortcut.

    \[ u = x + \mathrm{attention}(\mathrm{norm}(x)), \qquad y = u + W_2\, f(W_1\, \mathrm{norm}(u)) \]

    and with `norm: post`, as in the paper, \(u = \mathrm{norm}(x + \mathrm{attention}(x))\) and likewise y.
    Attention knows no order: put a position kind before it.

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
        activation: f.

    Call arguments:
        x: (batch, time, units).
        mask: boolean (batch, time); nothing attends to padded steps.

    Returns:
        (batch, time, units).

    Raises:
        ValueError: the input has not `units` features; a stream goes on beyond `capacity` (in a compiled function,
            where nothing can be raised, its output is NaN from there on).

    Streams, if causal, through the keys and values of the last `window` (or `capacity`) steps.

    Vaswani et al. 2017, Attention is all you need; Xiong et al. 2020, On layer normalization in the Transformer
    architecture.
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
        norm: Literal["pre", "post"] = "pre",
        activation: Literal["relu", "gelu", "silu"] = "gelu",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if units % heads:
            divisors = ", ".join(str(n) for n in range(1, min(units, 64) + 1) if units % n == 0)
            raise ConfigurationError(f"{self.slot}.heads", f"{heads} heads do not divide {units} units.", divisors)
        if capacity is not None and (window is not None or not causal):
            reason = "attention with a window needs none" if window is not None else "only causal attention streams"
            raise ConfigurationError(f"{self.slot}.capacity", f"{capacity} given, but {reason}.", "none")
        self.units, self.heads, self.feed_forward, self.dropout = units, heads, feed_forward, dropout
        self.causal, self.window, self.capacity = causal, window, capacity
        self.norm, self.activation = norm, activation
        policy = {"dtype": self.dtype_policy}
        self.attention = SelfAttention(units, heads, dropout, name="attention", **policy)
        self.inner = keras.layers.Dense(feed_forward, activation, name="inner", **policy)
        self.outer = keras.layers.Dense(units, name="outer", **policy)
        self.norms = [keras.layers.LayerNormalization(epsilon=1e-6, name=f"norm_{i}", **policy) for i in (1, 2)]
        self.drops = [keras.layers.Dropout(dropout, name=f"drop_{i}", **policy) for i in (1, 2)]

    def refusals(self) -> dict[str, str]:
        if not self.causal:
            return {"streams": "with `causal: false` it looks ahead"}
        if self.window is None and self.capacity is None:
            reason = "its attention reaches back without end; set `window`, or `capacity` to the longest stream"
            return {"streams": reason}
        return {}

    def build(self, input_shape: Any) -> None:
        _, features = sequence_shape(self, input_shape)
        if features != self.units:
            raise ValueError(
                f"encoder 'transformer' has {self.units} units, but its input has {features} features. Put "
                f"`embedding: {{kind: value, units: {self.units}}}` before it, or set `units: {features}`."
            )
        shape = (None, None, self.units)
        for layer in (self.attention, self.inner, *self.norms):
            layer.build(shape)
        self.outer.build((None, None, self.feed_forward))

    def call(self, x: Any, mask: Any = None, training: bool | None = None) -> Any:
        steps = ops.arange(ops.shape(x)[1], dtype="int32")
        allowed = band(steps, steps, self.causal, self.window)
        if mask is not None:
            keys = ops.cast(mask, "bool")[:, None, None, :]
            allowed = keys if allowed is None else ops.logical_and(allowed, keys)
        return self._block(x, lambda h: self.attention(h, allowed=allowed, training=training), training)

    def _block(self, x: Any, attend: Any, training: bool | None) -> Any:
        def forward(h: Any) -> Any:
            return self.outer(self.inner(h))

        for layer, norm, drop in zip((attend, forward), self.norms, self.drops, strict=True):
            if self.norm == "pre":
                x = x + drop(layer(norm(x)), training=training)
            else:
                x = norm(x + drop(layer(x), training=training))
        return x

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return previous_mask

    @property
    def memory(self) -> int:
        """How many steps' keys and values a stream keeps."""
        return self.window or self.capacity or 0

    def initial_state(self, batch: int) -> Any:
        """Keys and values (batch, heads, memory, units / heads), and the number of steps seen (batch,)."""
        super().initial_state(batch)
        shape = (batch, self.heads, self.memory, self.units // self.heads)
        return ops.zeros(shape, self.compute_dtype), ops.zeros(shape, self.compute_dtype), ops.zeros((batch,), "int32")

    def stream(self, x: Any, state: Any) -> tuple[Any, Any]:
        super().initial_state(0)
        require_built(self)
        old_keys, old_values, seen = state
        time, memory = ops.shape(x)[1], self.memory
        steps = ops.arange(memory + time, dtype="int32")
        remembered = ops.expand_dims(steps, 0) >= memory - ops.expand_dims(seen, 1)  # (batch, memory + time)
        allowed = ops.logical_and(band(steps[memory:], steps, True, self.window), remembered[:, None, None, :])
        after: list[Any] = []

        def attend(h: Any) -> Any:
            q, k, v = self.attention.project(h)
            k, v = ops.concatenate([old_keys, k], axis=2), ops.concatenate([old_values, v], axis=2)
            after.extend((k[:, :, -memory:], v[:, :, -memory:]))
            return self.attention.attend(q, k, v, allowed)

        y = self._block(ops.cast(x, self.compute_dtype), attend, training=False)
        seen = seen + time
        if self.capacity is not None:
            known = known_value(seen)
            if known is not None and known.max(initial=0) > self.capacity:
                raise ValueError(
                    f"encoder 'transformer' has a capacity of {self.capacity} steps, but the stream has reached "
                    f"{known.max()}. Start from a new state, set a larger `capacity`, or a `window`, which has no end."
                )
            y = ops.where(ops.reshape(seen > self.capacity, (-1, 1, 1)), ops.full_like(y, float("nan")), y)
        else:
            seen = ops.minimum(seen, memory)
        return y, (*after, seen)
