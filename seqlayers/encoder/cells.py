"""Cells of Keras's recurrences with layer normalisation and zoneout, and the loop that runs them."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class Noted(keras.layers.RNN):
    """Notes which way a recurrent layer of Keras goes; stands behind it in the order of inheritance.

    `keras.layers.LSTM` and `GRU` try a faster path first, and come back to the loop of `keras.layers.RNN` if there is
    none.
    """

    path: str | None = None
    #: what ran where it was not the loop.
    faster = "cudnn"

    def call(self, *args: Any, **kwargs: Any) -> Any:
        self.path = self.faster
        return super().call(*args, **kwargs)

    def inner_loop(self, *args: Any, **kwargs: Any) -> Any:
        self.path = "loop"
        return super().inner_loop(*args, **kwargs)


class CellRNN(Noted):
    """Runs one of the cells below: inputs are projected, and what is random is drawn, for all steps before the loop."""

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool | None = None) -> Any:
        sequences = self.cell.prepare(sequences, training)
        return super().call(sequences, initial_state=initial_state, mask=mask, training=bool(training))


class Cell(keras.layers.Layer):
    """What the cells share; stands before a Keras cell in the order of inheritance, whose weights it takes over.

    Args:
        units: features of the state.
        dropout, recurrent_dropout: fractions of the inputs and of the state dropped in training, the same for all
            steps of a sequence.
        layer_norm: whether the summands of the gates are normalised.
        zoneout: probability, in training, that a unit of the state keeps its last value.
    """

    units: int
    kernel: Any
    recurrent_kernel: Any
    bias: Any

    def __init__(
        self,
        units: int,
        *,
        dropout: float,
        recurrent_dropout: float,
        layer_norm: bool,
        zoneout: float,
        **kwargs: Any,
    ):
        super().__init__(units, **kwargs)
        self.input_rate, self.recurrent_rate = dropout, recurrent_dropout
        self.layer_norm, self.zoneout = layer_norm, zoneout
        self.norms = {
            name: keras.layers.LayerNormalization(epsilon=1e-5, center=False, dtype=self.dtype_policy, name=name)
            for name in (self.norm_widths() if layer_norm else ())
        }

    def norm_widths(self) -> dict[str, int]:
        """What is normalised, by name, and how wide it is."""
        raise NotImplementedError

    def advance(self, projected: Any, h: Any, states: list[Any]) -> list[Any]:
        """The next states from the projected input, the (dropped-out) h that is multiplied, and the states as were."""
        raise NotImplementedError

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        for name, norm in self.norms.items():
            norm.build((None, self.norm_widths()[name]))

    def normalise(self, name: str, x: Any) -> Any:
        return self.norms[name](x) if self.layer_norm else x

    def project(self, x: Any) -> Any:
        """W x + b of one step or of all."""
        raise NotImplementedError

    def multiply(self, x: Any) -> Any:
        """W x, also where Keras does not cast the weights (outside of `call`)."""
        return ops.matmul(ops.cast(x, self.compute_dtype), ops.cast(self.kernel, self.compute_dtype))

    def prepare(self, x: Any, training: bool | None) -> Any:
        """x (batch, time, features), projected; in training with the random masks of the loop beside it."""
        if not training:
            return self.project(x)
        batch, time, beside = ops.shape(x)[0], ops.shape(x)[1], []
        if self.recurrent_rate:
            ones = ops.ones((batch, 1, self.units), self.compute_dtype)
            held = keras.random.dropout(ones, self.recurrent_rate, seed=self.seed_generator)
            beside.append(ops.broadcast_to(held, (batch, time, self.units)))
        if self.zoneout:
            width = self.units * (len(self.state_size) if isinstance(self.state_size, list) else 1)
            for part in (width // 2, width - width // 2):  # XLA on a CPU takes thirty times as long for one draw
                u = keras.random.uniform((batch, time, part), dtype="float32", seed=self.seed_generator)
                beside.append(ops.cast(u < self.zoneout, self.compute_dtype))
        if self.input_rate:
            x = keras.random.dropout(x, self.input_rate, noise_shape=(None, 1, None), seed=self.seed_generator)
        return ops.concatenate([self.project(x), *beside], axis=-1)

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, list[Any]]:
        cuts = list(range(self.kernel.shape[1], inputs.shape[1], self.units))
        projected, *drawn = ops.split(inputs, cuts, axis=-1) if cuts else [inputs]
        h = states[0] * drawn.pop(0) if training and self.recurrent_rate else states[0]
        after = self.advance(projected, h, states)
        if self.zoneout and training:
            after = [ops.where(keep > 0, old, new) for keep, old, new in zip(drawn, states, after, strict=True)]
        elif self.zoneout:
            after = [self.zoneout * old + (1 - self.zoneout) * new for old, new in zip(states, after, strict=True)]
        return after[0], after


class SimpleRNNCell(Cell, keras.layers.SimpleRNNCell):
    """h = f(norm(W x + U h) + b)."""

    def norm_widths(self) -> dict[str, int]:
        return {"norm": self.units}

    def project(self, x: Any) -> Any:
        return self.multiply(x)

    def advance(self, projected: Any, h: Any, states: list[Any]) -> list[Any]:
        summed = self.normalise("norm", projected + ops.matmul(h, self.recurrent_kernel))
        return [self.activation(summed + self.bias)]


class LSTMCell(Cell, keras.layers.LSTMCell):
    """(i, f, g, o) = norm(W x) + norm(U h) + b; c = σ(f) c + σ(i) tanh(g); h = σ(o) tanh(norm(c))."""

    def norm_widths(self) -> dict[str, int]:
        return {"norm_x": 4 * self.units, "norm_h": 4 * self.units, "norm_c": self.units}

    def project(self, x: Any) -> Any:
        return self.normalise("norm_x", self.multiply(x)) + ops.cast(self.bias, self.compute_dtype)

    def advance(self, projected: Any, h: Any, states: list[Any]) -> list[Any]:
        summed = projected + self.normalise("norm_h", ops.matmul(h, self.recurrent_kernel))
        i, f, g, o = ops.split(summed, 4, axis=-1)
        c = ops.sigmoid(f) * states[1] + ops.sigmoid(i) * ops.tanh(g)
        return [ops.sigmoid(o) * ops.tanh(self.normalise("norm_c", c)), c]


class GRUCell(Cell, keras.layers.GRUCell):
    """The GRU with W x and U h normalised: those of the two gates together, the proposal's by themselves."""

    def norm_widths(self) -> dict[str, int]:
        return {f"norm_{of}_{part}": n * self.units for of in "xh" for part, n in (("gates", 2), ("proposal", 1))}

    def project(self, x: Any) -> Any:
        gates, proposal = self._parts(self.multiply(x))
        parts = [self.normalise("norm_x_gates", gates), self.normalise("norm_x_proposal", proposal)]
        bias = self.bias[0] if self.reset_after else self.bias
        return ops.concatenate(parts, axis=-1) + ops.cast(bias, self.compute_dtype)

    def advance(self, projected: Any, h: Any, states: list[Any]) -> list[Any]:
        gates, proposal = self._parts(projected)
        if self.reset_after:
            inner_gates, inner = self._parts(ops.matmul(h, self.recurrent_kernel))
            bias_gates, bias = self._parts(self.bias[1])
            gates = gates + self.normalise("norm_h_gates", inner_gates) + bias_gates
            z, r = ops.split(ops.sigmoid(gates), 2, axis=-1)
            inner = r * (self.normalise("norm_h_proposal", inner) + bias)
        else:
            of_gates, of_proposal = self._parts(self.recurrent_kernel)
            gates = gates + self.normalise("norm_h_gates", ops.matmul(h, of_gates))
            z, r = ops.split(ops.sigmoid(gates), 2, axis=-1)
            inner = self.normalise("norm_h_proposal", ops.matmul(r * h, of_proposal))
        return [z * states[0] + (1 - z) * ops.tanh(proposal + inner)]

    def _parts(self, x: Any) -> list[Any]:
        """The columns of the two gates, and those of the proposal."""
        return ops.split(x, [2 * self.units], axis=-1)
