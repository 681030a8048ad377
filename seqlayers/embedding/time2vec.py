"""Readings as a line and waves."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
import numpy as np
from keras import ops

from seqlayers.arguments import Count, sequence_shape
from seqlayers.slots import Choice, Kind, kind


@kind("embedding", "time2vec")
class Time2Vec(Kind):
    r"""Makes of each step's readings one line, for trends, and waves of learned frequency and phase, for cycles.

    \[ y_{t,0} = w_0 \cdot x_t + b_0, \qquad y_{t,i} = \sin(w_i \cdot x_t + b_i) \quad i = 1, …, \text{units} - 1 \]

    In the paper x is the time alone, and the result stands beside the other readings. Here x is all readings, the time
    among them if the task gives it, and the result stands for them: they do not pass through but in the line, so that
    the output has exactly `units` features.

    Args:
        units: features of the output.

    Call arguments:
        x: (batch, time, features).

    Returns:
        (batch, time, units).

    Kazemi et al. 2019, Time2Vec: learning a vector representation of time.
    """

    search: ClassVar = {"units": Choice((32, 64, 128))}

    def __init__(self, units: Count = 64, **kwargs: Any):
        super().__init__(**kwargs)
        self.units = units
        self.projection = keras.layers.Dense(units, dtype=self.dtype_policy, name="projection")
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        sequence_shape(self, input_shape)
        self.projection.build(input_shape)

    def call(self, x: Any) -> Any:
        y = self.projection(x)
        return ops.where(np.arange(self.units) == 0, y, ops.sin(y))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return previous_mask
