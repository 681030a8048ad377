"""Long short-term memory."""

from __future__ import annotations

from typing import Any

import keras

from seqlayers.arguments import Count, Fraction
from seqlayers.encoder.cells import LSTMCell, Noted
from seqlayers.encoder.recurrent import Recurrent
from seqlayers.slots import kind


class NotedLSTM(keras.layers.LSTM, Noted):
    """Keras's LSTM, which notes the path it takes."""


@kind("encoder", "lstm")
class LSTM(Recurrent):
    r"""Long short-term memory: a cell that gates keep, write and read.

    \[ (i, f, o) = \sigma(W x_t + U h_{t-1} + b), \quad g = \tanh(W_g x_t + U_g h_{t-1} + b_g) \]
    \[ c_t = f \odot c_{t-1} + i \odot g, \quad h_t = o \odot \tanh(c_t) \]

    Is `keras.layers.LSTM`, its weights and its fast paths, unless `layer_norm` or `zoneout` is asked; `path` tells
    which way it went.

    Args:
        units: features of the state and of the output.
        dropout: fraction of the inputs dropped in training: the same ones at all steps of a sequence, others for each
            sequence and call (variational dropout). Likewise:
        recurrent_dropout: fraction of the state dropped in training; more than 0 gives up cuDNN on a GPU.
        layer_norm: W x, U h and the cell's c are normalised over their features, each with a learned gain, before they
            are added and, c, before tanh. Gives up cuDNN.
        zoneout: probability that a unit of h, or of c, keeps its last value at a step of training; in inference both
            move by the mean, a share of 1 − zoneout. Gives up cuDNN.

    Call arguments:
        x: (batch, time, features).
        mask: boolean (batch, time); masked steps leave the state as it is, wherever they stand.

    Returns:
        h, (batch, time, units).

    Streams through h and c.

    Hochreiter and Schmidhuber 1997, Long short-term memory; Gers et al. 2000, Learning to forget; Gal and Ghahramani
    2016, A theoretically grounded application of dropout in recurrent neural networks; Ba et al. 2016, Layer
    normalization; Krueger et al. 2017, Zoneout.
    """

    def __init__(
        self,
        units: Count = 64,
        dropout: Fraction = 0.0,
        recurrent_dropout: Fraction = 0.0,
        layer_norm: bool = False,
        zoneout: Fraction = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.units, self.dropout, self.recurrent_dropout = units, dropout, recurrent_dropout
        self.layer_norm, self.zoneout = layer_norm, zoneout
        self.layer = self.make("lstm", NotedLSTM, LSTMCell)
