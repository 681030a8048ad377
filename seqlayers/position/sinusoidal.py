"""Sines and cosines of the absolute position."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from keras import ops
from pydantic import Field

from seqlayers.position.additive import Additive
from seqlayers.slots import kind


@kind("position", "sinusoidal")
class Sinusoidal(Additive):
    r"""Adds waves of the absolute position, from fast to slow.

    \[ p_{t,2i} = \sin(t\,/\,P^{2i/d}), \qquad p_{t,2i+1} = \cos(t\,/\,P^{2i/d}) \]

    with d the number of features. It has no weights and no longest sequence.

    Args:
        period: P; the slowest wave takes nearly 2πP steps.

    Call arguments:
        x: (batch, time, features).

    Returns:
        x + p, (batch, time, features). `add(x, start)` counts from `start` instead of 0.

    Vaswani et al. 2017, Attention is all you need, section 3.5.
    """

    def __init__(self, period: Annotated[float, Field(gt=1)] = 10000.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.period = period

    def vectors(self, positions: Any, features: int) -> Any:
        wave = np.arange(features) // 2
        frequency = np.power(self.period, -2.0 * wave / features).astype("float32")
        phase = np.where(np.arange(features) % 2, np.pi / 2, 0.0).astype("float32")  # cos(a) = sin(a + π/2)
        return ops.sin(ops.cast(positions, "float32")[..., None] * frequency + phase)
