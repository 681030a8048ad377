"""A temporal convolutional network: dilated causal convolutions beside shortcuts."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import keras
from keras import ops

from seqlayers.arguments import Activation, Count, Fraction, require_built, sequence_shape
from seqlayers.slots import Choice, ConfigurationError, Kind, kind


@kind("encoder", "temporal_convolution")
class TemporalConvolution(Kind):
    r"""Residual blocks of two causal convolutions each, whose dilation grows from block to block.

    \[ h = f(W^{(1)} *_d x), \qquad y = f\big(S x + f(W^{(2)} *_d h)\big), \qquad
       (W *_d x)_t = \sum_{j=0}^{k-1} W_j\, x_{t-(k-1-j)d} + b \]

    one block for each d, zeros before the first step; S = 1 where x has `units` features already, else a projection of
    each step. Output t sees the steps t − `reach` … t, where `reach` = 2 (k − 1) Σ d: the receptive field is reach + 1,
    61 steps for k = 3 and dilations 1, 2, 4, 8.

    Args:
        units: features of every convolution (filters).
        kernel: k, steps that one convolution sees.
        dilations: d of each block, steps between those.
        dropout: fraction of the features dropped in training behind each convolution, each for the whole sequence.
        norm: `weight` gives every filter a length of its own, \(W = g\, v / \lVert v \rVert\), as in the paper; `layer`
            normalises over features before f; `none` does neither.
        activation: f.

    Call arguments:
        x: (batch, time, features).
        mask: boolean (batch, time); padded steps count as the zeros outside, for each convolution.

    Returns:
        (batch, time, units).

    Streams through the last (kernel − 1) · d inputs of each convolution.

    Bai, Kolter and Koltun 2018, An empirical evaluation of generic convolutional and recurrent networks for sequence
    modeling.
    """

    search: ClassVar = {
        "units": Choice((32, 64, 128)),
        "kernel": Choice((3, 5, 7)),
        "dropout": Choice((0.0, 0.1, 0.3)),
        "norm": Choice(("none", "weight", "layer")),
    }

    def __init__(
        self,
        units: Count = 64,
        kernel: Count = 3,
        dilations: tuple[Count, ...] = (1, 2, 4, 8),
        dropout: Fraction = 0.0,
        norm: Literal["none", "weight", "layer"] = "weight",
        activation: Activation = "relu",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if not dilations:
            raise ConfigurationError(f"{self.slot}.dilations", "no block without a dilation.", "a list such as [1, 2]")
        self.units, self.kernel, self.dilations, self.dropout = units, kernel, dilations, dropout
        self.norm, self.activation = norm, activation
        self.reach = 2 * (kernel - 1) * sum(dilations)
        self.blocks = [
            TemporalBlock(units, kernel, d, dropout, norm, activation, dtype=self.dtype_policy, name=f"block_{i}")
            for i, d in enumerate(dilations)
        ]

    def build(self, input_shape: Any) -> None:
        _, self.features = sequence_shape(self, input_shape)
        for i, block in enumerate(self.blocks):
            block.build((None, None, self.units if i else self.features))

    def call(self, x: Any, mask: Any = None, training: bool | None = None) -> Any:
        real = None if mask is None else ops.expand_dims(mask, -1)
        for block in self.blocks:
            x, _ = block(x, real=real, training=training)
        return x

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return previous_mask

    def initial_state(self, batch: int) -> Any:
        """The last inputs of both convolutions of each block, zeros; nothing for a kernel of one."""
        require_built(self)
        return tuple(block.initial_state(batch) for block in self.blocks) if self.kernel > 1 else ()

    def stream(self, x: Any, state: Any, training: bool | None = None) -> tuple[Any, Any]:
        after = []
        for i, block in enumerate(self.blocks):
            x, last = block(x, before=state[i] if state else None, training=training)
            after.append(last)
        return x, tuple(after) if state else ()


@keras.saving.register_keras_serializable("seqlayers")
class TemporalBlock(keras.layers.Layer):
    """Two dilated causal convolutions beside a shortcut; (y, the last inputs of both).

    Call arguments:
        x: (batch, time, features).
        real: (batch, time, 1), False at padding, or None.
        before: the inputs of both convolutions before x, (batch, (kernel − 1) · dilation, …) each, or None for zeros.
    """

    def __init__(
        self, units: int, kernel: int, dilation: int, dropout: float, norm: str, activation: str, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.units, self.past = units, (kernel - 1) * dilation
        self.activation = keras.activations.get(activation)
        policy = {"dtype": self.dtype_policy}
        of_convolution = WeightNormConvolution if norm == "weight" else keras.layers.Conv1D
        self.convolutions = [
            of_convolution(units, kernel, dilation_rate=dilation, name=f"convolution_{i}", **policy) for i in (1, 2)
        ]
        self.norms = [
            keras.layers.LayerNormalization(epsilon=1e-6, name=f"norm_{i}", **policy)
            for i in ((1, 2) if norm == "layer" else ())
        ]
        self.drops = [keras.layers.SpatialDropout1D(dropout, name=f"drop_{i}", **policy) for i in (1, 2)]

    def build(self, input_shape: Any) -> None:
        self.widths = (input_shape[-1], self.units)
        for convolution, width in zip(self.convolutions, self.widths, strict=True):
            convolution.build((None, None, width))
        for norm in self.norms:
            norm.build((None, None, self.units))
        self.shortcut: keras.layers.Dense | None = None
        if input_shape[-1] != self.units:
            self.shortcut = keras.layers.Dense(self.units, dtype=self.dtype_policy, name="shortcut")
            self.shortcut.build((None, None, input_shape[-1]))

    def initial_state(self, batch: int) -> Any:
        return tuple(ops.zeros((batch, self.past, width), self.compute_dtype) for width in self.widths)

    def call(self, x: Any, real: Any = None, before: Any = None, training: bool | None = None) -> tuple[Any, Any]:
        h, after = x, []
        for i, (convolution, drop) in enumerate(zip(self.convolutions, self.drops, strict=True)):
            if real is not None:
                h = ops.where(real, h, ops.zeros_like(h))
            if before is None:
                h = ops.pad(h, ((0, 0), (self.past, 0), (0, 0)))
            else:
                h = ops.concatenate([before[i], h], axis=1)
            after.append(h[:, -self.past :])
            h = convolution(h)
            h = self.norms[i](h) if self.norms else h
            h = drop(self.activation(h), training=training)
        return self.activation(h + (x if self.shortcut is None else self.shortcut(x))), tuple(after)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """None: the kind hands the mask on."""


@keras.saving.register_keras_serializable("seqlayers")
class WeightNormConvolution(keras.layers.Layer):
    r"""A convolution over time, nothing padded, with filters \(g\, v / \lVert v \rVert\) (Salimans and Kingma 2016)."""

    def __init__(self, units: int, kernel: int, dilation_rate: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.units, self.kernel_size, self.dilation_rate = units, kernel, dilation_rate

    def build(self, input_shape: Any) -> None:
        shape = (self.kernel_size, input_shape[-1], self.units)
        self.kernel = self.add_weight(name="kernel", shape=shape, autocast=False)
        self.scale = self.add_weight(name="scale", shape=(self.units,), initializer="ones", autocast=False)
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")

    def call(self, x: Any) -> Any:
        kernel = self.kernel * (self.scale * ops.rsqrt(ops.sum(ops.square(self.kernel), axis=(0, 1))))
        return ops.conv(x, ops.cast(kernel, x.dtype), 1, "valid", dilation_rate=self.dilation_rate) + self.bias
