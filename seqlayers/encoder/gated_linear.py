"""Gated linear attention."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
from keras import ops

from seqlayers.arguments import Count, Fraction, sequence_shape
from seqlayers.encoder.min_recurrent import log_reaches
from seqlayers.recurrence import linear_recurrence
from seqlayers.slots import Choice, ConfigurationError, Kind, kind

#: Logarithms of decays are split at multiples of 1/512, whose sums are exact in float32 up to 2^24 / 512 = 32,768, …
GRID = 512.0
#: … which is a chunk of 256 steps that each forget everything: exp(−128) is 0.
LEAST = -128.0


@kind("encoder", "gated_linear")
class GatedLinear(Kind):
    r"""Linear attention whose memory decays as the input says: a matrix a head, written and read at every step.

    \[ S_t = a_t S_{t-1} + k_t^\top v_t, \qquad o_t = q_t S_t / \sqrt{d_k}, \qquad
       y_t = W_o \big(\mathrm{norm}(o_t) \odot \mathrm{silu}(W_r x_t + b_r)\big) \]

    with q, k, v projections of x, the decay \(a_t = \sigma(w_a x_t + b_a)\) a number for each head, and an RMS norm over
    each head. Nothing is computed step by step: within chunks of C steps

    \[ o_i = \sum_{j \le i} \frac{a_1 \cdots a_i}{a_1 \cdots a_j} (q_i k_j^\top)\, v_j + (a_1 \cdots a_i)\, q_i S_0 \]

    is a product of matrices, and the chunks' last S are a linear recurrence of time / C steps. It knows the order of
    its inputs and needs no positions.

    Args:
        units: features of the output, and of v, all heads together.
        heads: divide `units` and `key_units`.
        key_units: features of q and k, all heads together; None: half of `units`, as in the paper.
        chunk: C, which changes the time it takes and nothing else.
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
        chunk: Count = 64,
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
        self.widths = (keys, keys, units, units)  # of q, k, v and the gate
        start, policy = log_reaches(self, memory, heads), {"dtype": self.dtype_policy}
        self.projection = keras.layers.Dense(sum(self.widths), name="projection", **policy)
        self.decay = keras.layers.Dense(
            heads, bias_initializer=lambda shape, dtype: ops.convert_to_tensor(start, dtype), name="decay", **policy
        )
        self.norm = keras.layers.RMSNormalization(epsilon=1e-5, name="norm", **policy)
        self.drop = keras.layers.Dropout(dropout, name="drop", **policy)
        self.output_projection = keras.layers.Dense(units, name="output", **policy)

    def build(self, input_shape: Any) -> None:
        _, features = sequence_shape(self, input_shape)
        self.projection.build((None, None, features))
        self.decay.build((None, None, features))
        self.norm.build((None, None, self.heads, self.units // self.heads))
        self.output_projection.build((None, None, self.units))

    def call(self, x: Any, mask: Any = None, training: bool | None = None) -> Any:
        return self._run(x, self.initial_state(ops.shape(x)[0]), mask, training)[0]

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return previous_mask

    def initial_state(self, batch: int) -> Any:
        """S, (batch, heads, key_units / heads, units / heads) zeros."""
        keys, _, values, _ = (width // self.heads for width in self.widths)
        return (ops.zeros((batch, self.heads, keys, values), self.variable_dtype),)

    def stream(self, x: Any, state: Any, training: bool | None = None) -> tuple[Any, Any]:
        return self._run(x, state, None, training)

    def step(self, x_t: Any, state: Any) -> tuple[Any, Any]:
        q, k, v, gate, log_a = (part[:, 0] for part in self._project(ops.expand_dims(x_t, 1)))
        after = ops.exp(log_a)[..., None, None] * state[0] + k[..., None] * v[..., None, :]
        o = ops.squeeze(ops.matmul(q[..., None, :], after), -2)
        return self._read(o[:, None], gate[:, None], training=False)[:, 0], (after,)

    def _project(self, x: Any) -> Any:
        """q, k, v (batch, time, heads, features), the gate (batch, time, units), log a (batch, time, heads)."""
        keys, _, values, _ = self.widths
        length = ops.shape(x)[1]
        *parts, gate = ops.split(self.projection(x), (keys, 2 * keys, 2 * keys + values), axis=-1)
        parts = [ops.reshape(part, (-1, length, self.heads, part.shape[-1] // self.heads)) for part in parts]
        q, k, v = (ops.cast(part, self.variable_dtype) for part in parts)
        log_a = -ops.softplus(-ops.cast(self.decay(x), self.variable_dtype))
        return q * (keys // self.heads) ** -0.5, k, v, gate, log_a

    def _read(self, o: Any, gate: Any, training: bool | None) -> Any:
        """What the heads recall, (batch, time, heads, features) → y (batch, time, units)."""
        normed = ops.reshape(self.norm(ops.cast(o, self.compute_dtype)), (-1, ops.shape(o)[1], self.units))
        return self.output_projection(self.drop(normed * ops.silu(gate), training=training))

    def _run(self, x: Any, state: Any, mask: Any, training: bool | None) -> tuple[Any, Any]:
        x = ops.cast(x, self.compute_dtype)
        q, k, v, gate, log_a = self._project(x)
        if mask is not None:
            real = ops.expand_dims(mask, -1)
            log_a = ops.where(real, log_a, ops.zeros_like(log_a))
            k = ops.where(ops.expand_dims(real, -1), k, ops.zeros_like(k))
        o, after = recall(q, k, v, log_a, state[0], self.chunk)
        return self._read(o, gate, training), (after,)


def recall(q: Any, k: Any, v: Any, log_a: Any, state: Any, chunk: int) -> tuple[Any, Any]:
    r"""\(S_t = a_t S_{t-1} + k_t^\top v_t\), \(o_t = q_t S_t\) in chunks.

    Args:
        q, k, v: (batch, time, heads, features).
        log_a: (batch, time, heads), not above 0.
        state: S before the first step, (batch, heads, keys, values).
        chunk: steps that are one product of matrices.

    Returns:
        o (batch, time, heads, values) and S after the last step.
    """
    _, time, heads, keys = q.shape
    values = v.shape[-1]
    chunk = chunk if time is None else min(chunk, time)
    length = ops.shape(q)[1]
    chunks = (length + chunk - 1) // chunk
    q, k, v = (_in_chunks(x, chunk, chunks) for x in (q, k, v))
    log_a = _in_chunks(log_a[..., None], chunk, chunks)[..., 0]  # (batch · heads, chunks, chunk)

    log_a = ops.maximum(log_a, LEAST)
    coarse = ops.stop_gradient(ops.floor(log_a * GRID) / GRID)
    sums = ops.cumsum(coarse, axis=-1), ops.cumsum(log_a - coarse, axis=-1)  # their differences lose no digits
    steps = ops.arange(chunk)
    since = sum(s[..., :, None] - s[..., None, :] for s in sums)
    since = ops.where(steps[:, None] >= steps, since, -float("inf"))  # log of a_{j+1} … a_i at (i, j)
    until_end = ops.exp(sum(s[..., -1:] - s for s in sums))
    whole = ops.exp(sum(sums))  # a_1 … a_i

    written = ops.matmul(ops.swapaxes(k * until_end[..., None], -1, -2), v)  # (…, chunks, keys, values)
    start = ops.reshape(state, (-1, keys * values))
    flat = ops.reshape(written, (-1, chunks, keys * values))
    ends = linear_recurrence(whole[..., -1:], flat, start)
    starts = ops.concatenate([start[:, None], ends[:, :-1]], axis=1)
    starts = ops.reshape(starts, (-1, chunks, keys, values))

    weights = ops.matmul(q, ops.swapaxes(k, -1, -2)) * ops.exp(since)
    o = ops.matmul(weights, v) + ops.matmul(q * whole[..., None], starts)
    o = ops.reshape(o, (-1, heads, chunks * chunk, values))[:, :, :length]
    return ops.transpose(o, (0, 2, 1, 3)), ops.reshape(ends[:, -1], (-1, heads, keys, values))


def _in_chunks(x: Any, chunk: int, chunks: Any) -> Any:
    """(batch, time, heads, features) → (batch · heads, chunks, chunk, features), filled up with zeros."""
    if x.shape[1] is None or x.shape[1] % chunk:
        x = ops.pad(x, ((0, 0), (0, chunk - 1), (0, 0), (0, 0)))[:, : chunks * chunk]
    return ops.reshape(ops.transpose(x, (0, 2, 1, 3)), (-1, chunks, chunk, x.shape[-1]))
