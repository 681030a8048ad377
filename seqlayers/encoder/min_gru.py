"""The minimal gated recurrent unit."""

from __future__ import annotations

from typing import Any

from keras import ops

from seqlayers.arguments import Count, Fraction
from seqlayers.encoder.min_recurrent import MinRecurrent, Proposal, log_reaches
from seqlayers.slots import kind


@kind("encoder", "min_gru")
class MinGRU(MinRecurrent):
    r"""A GRU whose gate and proposal see the input alone, so that all steps are computed at once.

    \[ z_t = \sigma(W_z x_t + b_z), \quad n_t = g(W_n x_t + b_n), \quad h_t = (1 - z_t) \odot h_{t-1} + z_t \odot n_t \]

    Linear in h: it is solved as a tree over time (`seqlayers.recurrence`), not as a loop. What a GRU does with its
    state's own past, stacked layers of this one do.

    Args:
        units: features of the state and of the output.
        dropout: fraction of the inputs dropped in training: the same ones at all steps of a sequence, others for each
            sequence and call (variational dropout).
        proposal: g. `linear` as in the paper; `tanh` as in the GRU; `positive`, x + ½ for x ≥ 0 and σ(x) below, as in
            the paper where it computes with logarithms.
        memory: steps that the units' states last at the start of training, spread evenly from 2 to this many by the
            bias \(b_z\); None: 2 for all, \(b_z\) = 0 as in the paper.

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
        self.make(dropout, -log_reaches(self, memory, units))

    def share(self, *gates: Any) -> Any:
        (z,) = gates
        return ops.sigmoid(z)
