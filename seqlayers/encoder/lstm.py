"""Long short-term memory."""

from __future__ import annotations

from typing import Any

import keras

from seqlayers.arguments import Count, Fraction
from seqlayers.encoder.recurrent import Recurrent
from seqlayers.slots import kind


@kind("encoder", "lstm")
class LSTM(Recurrent):
    r"""Long short-term memory: a cell that gates keep, write and read.

    \[ (i, f, o) = \sigma(W x_t + U h_{t-1} + b), \quad g = \tanh(W_g x_t + U_g h_{t-1} + b_g) \]
    \[ c_t = f \odot c_{t-1} + i \odot g, \quad h_t = o \odot \tanh(c_t) \]

    Wraps `keras.layers.LSTM`, so that weights can be exchanged with it and its fast paths are kept.

    Args:
        units: features of the state and of the output.
        dropout: fraction of the inputs dropped in training.
        recurrent_dropout: fraction of the state dropped in training; more than 0 gives up cuDNN on a GPU.

    Call arguments:
        x: (batch, time, features).
        mask: boolean (batch, time); padded steps leave the state as it is.

    Returns:
        h, (batch, time, units).

    Hochreiter and Schmidhuber 1997, Long short-term memory; Gers et al. 2000, Learning to forget.
    """

    def __init__(self, units: Count = 64, dropout: Fraction = 0.0, recurrent_dropout: Fraction = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.units, self.dropout, self.recurrent_dropout = units, dropout, recurrent_dropout
        self.layer = keras.layers.LSTM(
            units,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            return_sequences=True,
            return_state=True,
            dtype=self.dtype_policy,
            name="lstm",
        )
