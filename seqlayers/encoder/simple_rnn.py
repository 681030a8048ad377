"""The plain recurrence."""

from __future__ import annotations

from typing import Any, Literal

import keras

from seqlayers.arguments import Count, Fraction
from seqlayers.encoder.recurrent import Recurrent
from seqlayers.slots import kind


@kind("encoder", "simple_rnn")
class SimpleRNN(Recurrent):
    r"""The plain recurrence of Elman: \(h_t = f(W x_t + U h_{t-1} + b)\).

    Wraps `keras.layers.SimpleRNN`, so that weights can be exchanged with it.

    Args:
        units: features of the state and of the output.
        activation: f.
        dropout: fraction of the inputs dropped in training.
        recurrent_dropout: fraction of the state dropped in training.

    Call arguments:
        x: (batch, time, features).
        mask: boolean (batch, time); padded steps leave the state as it is.

    Returns:
        (batch, time, units).

    Elman 1990, Finding structure in time.
    """

    def __init__(
        self,
        units: Count = 64,
        activation: Literal["tanh", "relu"] = "tanh",
        dropout: Fraction = 0.0,
        recurrent_dropout: Fraction = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.units, self.activation = units, activation
        self.dropout, self.recurrent_dropout = dropout, recurrent_dropout
        self.layer = keras.layers.SimpleRNN(
            units,
            activation,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            return_sequences=True,
            return_state=True,
            dtype=self.dtype_policy,
            name="rnn",
        )
