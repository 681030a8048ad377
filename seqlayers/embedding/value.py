"""A dense projection of each step's readings."""

from __future__ import annotations

from typing import Any, ClassVar

import keras

from seqlayers.arguments import Activation, Count, sequence_shape
from seqlayers.slots import Choice, Kind, kind


@kind("embedding", "value")
class Value(Kind):
    r"""Projects each step's readings by itself: \(y_t = f(W x_t + b)\).

    Args:
        units: features of the output.
        activation: f.

    Call arguments:
        x: (batch, time, features).

    Returns:
        (batch, time, units).
    """

    search: ClassVar = {"units": Choice((32, 64, 128, 256))}

    def __init__(self, units: Count = 64, activation: Activation = "linear", **kwargs: Any):
        super().__init__(**kwargs)
        self.units, self.activation = units, activation
        self.projection = keras.layers.Dense(units, activation, dtype=self.dtype_policy, name="projection")
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        sequence_shape(self, input_shape)
        self.projection.build(input_shape)

    def call(self, x: Any) -> Any:
        return self.projection(x)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return previous_mask
