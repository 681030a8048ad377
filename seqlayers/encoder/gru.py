"""The gated recurrent unit."""

from __future__ import annotations

from typing import Any

import keras

from seqlayers.arguments import Count, Fraction
from seqlayers.encoder.recurrent import Recurrent
from seqlayers.slots import kind


@kind("encoder", "gru")
class GRU(Recurrent):
    r"""The gated recurrent unit: a state that moves towards a proposal as far as its gate lets it.

    \[ (z, r) = \sigma(W x_t + U h_{t-1} + b), \quad
       n = \tanh(W_n x_t + b_n + r \odot (U_n h_{t-1} + d_n)), \quad
       h_t = z \odot h_{t-1} + (1 - z) \odot n \]

    Wraps `keras.layers.GRU`, so that weights can be exchanged with it and its fast paths are kept.

    Args:
        units: features of the state and of the output.
        dropout: fraction of the inputs dropped in training.
        recurrent_dropout: fraction of the state dropped in training; more than 0 gives up cuDNN on a GPU.
        reset_after: the reset gate acts after the matrix product, as above and as cuDNN has it; with False before it,
            \(U_n (r \odot h_{t-1})\), as in the paper.

    Call arguments:
        x: (batch, time, features).
        mask: boolean (batch, time); padded steps leave the state as it is.

    Returns:
        h, (batch, time, units).

    Cho et al. 2014, Learning phrase representations using RNN encoder-decoder for statistical machine translation.
    """

    def __init__(
        self,
        units: Count = 64,
        dropout: Fraction = 0.0,
        recurrent_dropout: Fraction = 0.0,
        reset_after: bool = True,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.units, self.dropout, self.recurrent_dropout = units, dropout, recurrent_dropout
        self.reset_after = reset_after
        self.layer = keras.layers.GRU(
            units,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            reset_after=reset_after,
            return_sequences=True,
            return_state=True,
            dtype=self.dtype_policy,
            name="gru",
        )
