"""A convolution over time."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import keras
from keras import ops

from seqlayers.arguments import Activation, Count, Fraction, require_built, sequence_shape
from seqlayers.slots import Choice, Kind, kind


@kind("encoder", "convolution")
class Convolution(Kind):
    r"""Convolves over time: \(y_t = f\big(\sum_{j=0}^{k-1} W_j\, x_{t-(k-1-j)d+a} + b\big)\), zeros outside.

    a = 0 with causal padding; with `same` it is half the reach (k − 1) d, the larger half if it is odd. The textbook's
    \(y_t = \sum_i w_i x_{t+i}\) is `same` with i counted from the middle of the kernel, −(k − 1)/2 … (k − 1)/2 for an
    odd k and d = 1; with i from 0 it is the causal one, known k − 1 steps later. With `pool` the largest of every
    `pool` outputs is kept.

    Args:
        units: features of the output (filters).
        kernel: k, steps that one output sees.
        dilation: d, steps between those.
        padding: `causal` sees the past alone, `same` as much of the future.
        activation: f.
        pool: outputs that are joined into one; a remainder at the end is left out.
        dropout: fraction of the outputs dropped in training.

    Call arguments:
        x: (batch, time, features).
        mask: boolean (batch, time); padded steps count as the zeros outside. Outputs that are joined with a padded
            one are padding.

    Returns:
        (batch, time // pool, units).

    Raises:
        ValueError: the sequence is shorter than `pool`.

    Streams through its last (kernel − 1) · dilation inputs, with causal padding and without pooling.

    van den Oord et al. 2016, WaveNet: a generative model for raw audio.
    """

    search: ClassVar = {
        "units": Choice((32, 64, 128)),
        "kernel": Choice((3, 5, 7)),
        "dilation": Choice((1, 2, 4)),
        "pool": Choice((1, 2)),
    }

    def __init__(
        self,
        units: Count = 64,
        kernel: Count = 3,
        dilation: Count = 1,
        padding: Literal["causal", "same"] = "causal",
        activation: Activation = "relu",
        pool: Count = 1,
        dropout: Fraction = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.units, self.kernel, self.dilation, self.padding = units, kernel, dilation, padding
        self.activation, self.pool, self.dropout = activation, pool, dropout
        self.causal, self.rate = padding == "causal", 1 / pool
        self.reach = (kernel - 1) * dilation
        self.convolution = keras.layers.Conv1D(
            units, kernel, dilation_rate=dilation, activation=activation, dtype=self.dtype_policy, name="convolution"
        )
        self.drop = keras.layers.Dropout(dropout, dtype=self.dtype_policy, name="drop")

    def refusals(self) -> dict[str, str]:
        if not self.causal:
            return {"streams": "with `padding: same` it looks ahead; use `padding: causal`"}
        if self.pool > 1:
            return {"streams": f"with `pool: {self.pool}` it gives one output for {self.pool} steps; use `pool: 1`"}
        return {}

    def build(self, input_shape: Any) -> None:
        _, self.features = sequence_shape(self, input_shape)
        self.convolution.build((None, None, self.features))

    def call(self, x: Any, mask: Any = None, training: bool | None = None) -> Any:
        if x.shape[1] is not None and x.shape[1] < self.pool:
            raise ValueError(f"encoder 'convolution' joins {self.pool} steps into one, but was given {x.shape[1]}.")
        if mask is not None:
            x = ops.where(ops.expand_dims(mask, -1), x, ops.zeros_like(x))
        left = self.reach if self.causal else self.reach // 2
        y = self.convolution(ops.pad(x, ((0, 0), (left, self.reach - left), (0, 0))))
        if self.pool > 1:
            y = ops.max_pool(y, self.pool, self.pool, "valid", "channels_last")
        return self.drop(y, training=training)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        if previous_mask is None or self.pool == 1:
            return previous_mask
        groups = ops.shape(previous_mask)[1] // self.pool
        return ops.all(ops.reshape(previous_mask[:, : groups * self.pool], (-1, groups, self.pool)), axis=-1)

    def initial_state(self, batch: int) -> Any:
        """The last inputs, (batch, reach, features) zeros; nothing for a kernel of one."""
        super().initial_state(batch)
        require_built(self)
        return (ops.zeros((batch, self.reach, self.features), self.compute_dtype),) if self.reach else ()

    def stream(self, x: Any, state: Any, training: bool | None = None) -> tuple[Any, Any]:
        super().initial_state(0)
        x = ops.cast(x, self.compute_dtype)
        if self.reach:
            x = ops.concatenate([state[0], x], axis=1)
            state = (x[:, -self.reach :],)
        return self.drop(self.convolution(x), training=training), state
