"""Gated linear attention."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
from keras import ops

from seqlayers.arguments import Count, Fraction, sequence_shape
from seqlayers.encoder.min_recurrent import log_reaches
from seqlayers.linear_attention import linear_attention
from seqlayers.slots import Choice, ConfigurationError, Kind, kind


@kind("encoder", "gated_linear")
class GatedLinear(Kind):
    r"""Linear attention whose memory decays as the input says: a matrix a head, written and read at every step.

    \[ S_t = a_t S_{t-1} + k_t^\top v_t, \qquad o_t = q_t S_t, \qquad
       y_t = W_o \big(\mathrm{norm}(o_t) \odot \mathrm{silu}(W_r x_t + b_r)\big) + b_o \]

    with q, k, v = W x for each head, its decay \(a_t = \sigma(w_a x_t + b_a)\) a number, and
    \(\mathrm{norm}(o) = o / \sqrt{\mathrm{mean}(o^2) + 10^{-5}}\) over each head. It is computed in chunks of steps as
    products of matrices (`seqlayers.linear_attention`), not as a loop. It knows the order of its inputs and needs no
    positions.

    Args:
        units: features of the output, and of v, all heads together.
        heads: divide `units` and `key_units`.
        key_units: features of q and k, all heads together; None: half of `units`, as in the paper.
        chunk: steps that are one product of matrices; changes the time it takes and nothing else.
        dropout: fraction of the gated output dropped in training, before \(W_o\).
        memory: steps that the heads' states last at the start of training, spread evenly from 2 to this many by the
            bias \(b_a\); None: 2 for all.

    Call arguments:
        x: (batch, time, features).
        mask: boolean (batch, time); masked steps leave the state as it is, wherever they stand.

    Returns:
        y, (batch, time, units).

    Streams through S.

    Yang et al. 2024, Gated linear attention transformers with hardware-efficient training; Dao and Gu 2024,
    Transformers are SSMs.
    """

    recurrent = True
    search: ClassVar = {
        "units": Choice((32, 64, 128, 256)),
        "heads": Choice((2, 4, 8)),
        "dropout": Choice((0.0, 0.1, 0.3)),
    }

    def __init__(
        self,
        units: Count = 64,
        heads: Count = 4,
        key_units: Count | None = None,
        chunk: Count = 32,
        dropout: Fraction = 0.0,
        memory: Count | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.units, self.heads, self.key_units, self.chunk = units, heads, key_units, chunk
        self.dropout, self.memory = dropout, memory
        keys = key_units or units // 2
        for name, width in (("units", units), ("key_units", keys)):
            if width % heads:
                problem = f"{heads} heads do not divide {name}, which are {width}."
                raise ConfigurationError(f"{self.slot}.{name}", problem, f"a multiple of {heads}")
        self.keys, self.values = keys // heads, units // heads
        start, policy = log_reaches(self, memory, heads), {"dtype": self.dtype_policy}
        self.projection = keras.layers.Dense(2 * keys + units, use_bias=False, name="projection", **policy)
        self.decay = keras.layers.Dense(
            heads, bias_initializer=lambda shape, dtype: ops.convert_to_tensor(start, dtype), name="decay", **policy
        )
        self.gate = keras.layers.Dense(units, name="gate", **policy)
        self.drop = keras.layers.Dropout(dropout, name="drop", **policy)
        self.output_projection = keras.layers.Dense(units, name="output", **policy)

    def build(self, input_shape: Any) -> None:
        _, features = sequence_shape(self, input_shape)
        for layer in (self.projection, self.decay, self.gate):
            layer.build((None, None, features))
        self.output_projection.build((None, None, self.units))

    def call(self, x: Any, mask: Any = None, training: bool | None = None) -> Any:
        return self._run(x, self.initial_state(ops.shape(x)[0]), mask, training)[0]

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return previous_mask

    def initial_state(self, batch: int) -> Any:
        """S, (batch, heads, key_units / heads, units / heads) zeros."""
        return (ops.zeros((batch, self.heads, self.keys, self.values), self.variable_dtype),)

    def stream(self, x: Any, state: Any, training: bool | None = None) -> tuple[Any, Any]:
        return self._run(x, state, None, training)

    def step(self, x_t: Any, state: Any) -> tuple[Any, Any]:
        qkv, log_a = self._project(ops.expand_dims(x_t, 1))
        q, k, v = ops.split(qkv[:, 0], (self.keys, 2 * self.keys), axis=-1)
        after = ops.exp(log_a[:, 0, :, None, None]) * state[0] + k[..., None] * v[..., None, :]
        o = ops.matmul(q[..., None, :], after)
        return self._read(o, ops.expand_dims(x_t, 1), training=False)[:, 0], (after,)

    def _project(self, x: Any) -> tuple[Any, Any]:
        """q, k and v of each head, side by side, (batch, time, heads, …); log a (batch, time, heads)."""
        shape = (-1, ops.shape(x)[1], self.heads, 2 * self.keys + self.values)
        qkv = ops.cast(ops.reshape(self.projection(x), shape), self.variable_dtype)
        return qkv, -ops.softplus(-ops.cast(self.decay(x), self.variable_dtype))

    def _read(self, o: Any, x: Any, training: bool | None) -> Any:
        """What the heads recall, (batch, heads, time, values) → y (batch, time, units)."""
        normed = ops.transpose(ops.rms_normalization(o, epsilon=1e-5), (0, 2, 1, 3))
        normed = ops.cast(ops.reshape(normed, (-1, ops.shape(x)[1], self.units)), self.compute_dtype)
        return self.output_projection(self.drop(normed * ops.silu(self.gate(x)), training=training))

    def _run(self, x: Any, state: Any, mask: Any, training: bool | None) -> tuple[Any, Any]:
        qkv, log_a = self._project(x)
        if mask is not None:
            real = ops.expand_dims(mask, -1)
            log_a = ops.where(real, log_a, ops.zeros_like(log_a))
            qkv = ops.where(ops.expand_dims(real, -1), qkv, ops.zeros_like(qkv))
        o, after = linear_attention(qkv, log_a, state[0], self.chunk)
        return self._read(o, x, training), (after,)
