"""Minimal long short-term memory."""

from __future__ import annotations

from typing import Any

from keras import ops

from seqlayers.arguments import Count, Fraction
from seqlayers.encoder.min_recurrent import MinRecurrent, Proposal, log_reaches
from seqlayers.slots import kind


@kind("encoder", "min_lstm")
class MinLSTM(MinRecurrent):
    r"""An LSTM whose gates and proposal see the input alone, so that all steps are computed at once.

    \[ f_t = \sigma(W_f x_t + b_f), \quad i_t = \sigma(W_i x_t + b_i), \quad n_t = g(W_n x_t + b_n) \]
    \[ h_t = \frac{f_t}{f_t + i_t} \odot h_{t-1} + \frac{i_t}{f_t + i_t} \odot n_t \]

    Linear in h: it is solved as a tree over time (`seqlayers.recurrence`), not as a loop. The normalised gates are
    \(\sigma(\pm(\log f_t - \log i_t))\), which holds also where both gates are shut.

    Args:
        units: features of the state and of the output.
        dropout: fraction of the inputs dropped in training: the same ones at all steps of a sequence, others for each
            sequence and call (variational dropout).
        proposal: g. `linear` as in the paper; `tanh` as in the LSTM; `positive`, x + ½ for x ≥ 0 and σ(x) below, as in
            the paper where it computes with logarithms.
        memory: steps that the units' states last at the start of training, spread evenly from 2 to this many by the
            biases \(b_f = -b_i\); None: 2 for all, biases 0 as in the paper.

    Call arguments:
        x: (batch, time, features).
        mask: boolean (batch, time); masked steps leave the state as it is, wherever they stand.

    Returns:
        h, (batch, time, units).

    Streams through h.

    Feng et al. 2024, Were RNNs all we needed?; Tallec and Ollivier 2018, Can recurrent neural networks warp time?
    """

    def __init__(
        self,
        units: Count = 64,
        dropout: Fraction = 0.0,
        proposal: Proposal = "linear",
        memory: Count | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.units, self.dropout, self.proposal, self.memory = units, dropout, proposal, memory
        reaches = log_reaches(self, memory, units)
        self.make(dropout, reaches, -reaches)

    def share(self, *gates: Any) -> Any:
        f, i = gates
        return ops.sigmoid(ops.softplus(-f) - ops.softplus(-i))  # of log σ(i) − log σ(f)
