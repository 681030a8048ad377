"""The gated recurrent unit."""

from __future__ import annotations

from typing import Any

import keras

from seqlayers.arguments import Count, Fraction
from seqlayers.encoder.cells import GRUCell, Noted
from seqlayers.encoder.recurrent import NO_GPU, Recurrent
from seqlayers.slots import kind


class NotedGRU(keras.layers.GRU, Noted):
    """Keras's GRU, which notes the path it takes."""

    faster = "scan" if keras.backend.backend() == "jax" else "cudnn"


@kind("encoder", "gru")
class GRU(Recurrent):
    r"""The gated recurrent unit: a state that moves towards a proposal as far as its gate lets it.

    \[ (z, r) = \sigma(W x_t + U h_{t-1} + b), \quad
       n = \tanh(W_n x_t + b_n + r \odot (U_n h_{t-1} + d_n)), \quad
       h_t = z \odot h_{t-1} + (1 - z) \odot n \]

    Is `keras.layers.GRU`, its weights and its fast paths, unless `layer_norm` or `zoneout` is asked; `path` tells which
    way it went. The other convention, h = (1 − z) h′ + z n, is this one with the weights and the bias of z negated.

    Args:
        units: features of the state and of the output.
        dropout: fraction of the inputs dropped in training: the same ones at all steps of a sequence, others for each
            sequence and call (variational dropout). Likewise:
        recurrent_dropout: fraction of the state dropped in training; more than 0 gives up cuDNN on a GPU.
        reset_after: the reset gate acts after the matrix product, as above and as cuDNN has it; with False before it,
            \(U_n (r \odot h_{t-1})\), as in the paper.
        layer_norm: W x and U h are normalised over their features, gates and proposal apart, each with a learned gain,
            before they are added. Gives up cuDNN.
        zoneout: probability that a unit of h keeps its last value at a step of training; in inference h moves by the
            mean, a share of 1 − zoneout. Gives up cuDNN.

    Call arguments:
        x: (batch, time, features).
        mask: boolean (batch, time); masked steps leave the state as it is, wherever they stand.

    Returns:
        h, (batch, time, units).

    Streams through h.

    Cho et al. 2014, Learning phrase representations using RNN encoder-decoder for statistical machine translation; Gal
    and Ghahramani 2016, A theoretically grounded application of dropout in recurrent neural networks; Ba et al. 2016,
    Layer normalization; Krueger et al. 2017, Zoneout.
    """

    def __init__(
        self,
        units: Count = 64,
        dropout: Fraction = 0.0,
        recurrent_dropout: Fraction = 0.0,
        reset_after: bool = True,
        layer_norm: bool = False,
        zoneout: Fraction = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.units, self.dropout, self.recurrent_dropout = units, dropout, recurrent_dropout
        self.reset_after, self.layer_norm, self.zoneout = reset_after, layer_norm, zoneout
        self.layer = self.make("gru", NotedGRU, GRUCell, reset_after=reset_after)

    def obstacle(self) -> str | None:
        if not self.reset_after:
            return "with `reset_after: false` the reset gate stands inside the product"
        reason = super().obstacle()
        return None if reason == NO_GPU and NotedGRU.faster == "scan" else reason
