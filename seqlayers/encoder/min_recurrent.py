"""What the recurrences whose gates see the input alone share."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import keras
import numpy as np
from keras import ops

from seqlayers.arguments import sequence_shape
from seqlayers.recurrence import linear_recurrence
from seqlayers.slots import Choice, ConfigurationError, Kind

Proposal = Literal["linear", "tanh", "positive"]


class MinRecurrent(Kind):
    r"""\(h_t = (1 - s_t) \odot h_{t-1} + s_t \odot n_t\), where s and n are one projection of x: a `linear_recurrence`.

    Subclasses say what s is. Gates, products and state are in the type of the variables, since in half precision a long
    memory, s near 0, would be rounded to an endless one.
    """

    recurrent = True
    search: ClassVar = {"units": Choice((32, 64, 128, 256)), "dropout": Choice((0.0, 0.1, 0.3))}

    units: int
    proposal: Proposal

    def make(self, dropout: float, *biases: float | np.ndarray) -> None:
        """The projection to as many gates as biases, and the proposal; `biases` are the gates' at the start."""
        start = np.concatenate([np.broadcast_to(bias, (self.units,)) for bias in (*biases, 0.0)])
        self.drop = keras.layers.SpatialDropout1D(dropout, dtype=self.dtype_policy, name="drop")
        self.projection = keras.layers.Dense(
            len(start),
            bias_initializer=lambda shape, dtype: ops.convert_to_tensor(start, dtype),
            dtype=self.dtype_policy,
            name="projection",
        )

    def share(self, *gates: Any) -> Any:
        """Pre-activations (…, units) of each gate → the share of the way to the proposal that the state moves."""
        raise NotImplementedError

    def build(self, input_shape: Any) -> None:
        _, features = sequence_shape(self, input_shape)
        self.projection.build((None, None, features))

    def call(self, x: Any, mask: Any = None, training: bool | None = None) -> Any:
        return self._run(x, self.initial_state(ops.shape(x)[0]), mask, training)[0]

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return previous_mask

    def initial_state(self, batch: int) -> Any:
        """h, (batch, units) zeros."""
        return (ops.zeros((batch, self.units), self.variable_dtype),)

    def stream(self, x: Any, state: Any, training: bool | None = None) -> tuple[Any, Any]:
        return self._run(x, state, None, training)

    def _run(self, x: Any, state: Any, mask: Any, training: bool | None) -> tuple[Any, Any]:
        projected = ops.cast(self.projection(self.drop(x, training=training)), self.variable_dtype)
        *gates, n = ops.split(projected, projected.shape[-1] // self.units, axis=-1)
        share = self.share(*gates)
        a, b = 1 - share, share * propose(n, self.proposal)
        if mask is not None:
            real = ops.expand_dims(mask, -1)
            a, b = ops.where(real, a, ops.ones_like(a)), ops.where(real, b, ops.zeros_like(b))
        h = linear_recurrence(a, b, state[0])
        return ops.cast(h, self.compute_dtype), (h[:, -1],)


def propose(n: Any, proposal: Proposal) -> Any:
    """What the state moves towards."""
    if proposal == "positive":
        return ops.where(n >= 0, n + 0.5, ops.sigmoid(n))
    return ops.tanh(n) if proposal == "tanh" else n


def log_reaches(layer: Kind, memory: int | None, count: int) -> Any:
    r"""log u for u spread evenly over 1 … memory − 1, so that \(\sigma(\log u) = 1 - 1/(1 + u)\); zeros for None.

    A unit whose share stays with σ(log u) forgets to 1/e in about 1 + u steps (Tallec and Ollivier 2018).
    """
    if memory is None:
        return np.zeros(count)
    if memory < 2:
        raise ConfigurationError(f"{layer.slot}.memory", f"{memory} given: one step is no memory.", "int ≥ 2, or none")
    return np.log(np.linspace(1, memory - 1, count))
