"""Patches of consecutive steps as one step each."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
from keras import ops

from seqlayers.arguments import Count, sequence_shape
from seqlayers.slots import Choice, ConfigurationError, Kind, kind


@kind("embedding", "patch")
class Patch(Kind):
    r"""Projects patches of `length` steps, one every `stride` steps: \(y_i = W\,[x_{si}, …, x_{si+l-1}] + b\).

    The last patch ends at the last step: where the patches do not come out even, the oldest steps are left out.

    Args:
        length: steps in a patch.
        stride: steps from one patch to the next; no more than `length`, so that no step is skipped.
        units: features of the output.

    Call arguments:
        x: (batch, time, features), time ≥ length.

    Returns:
        (batch, (time − length) // stride + 1, units). A patch counts as padding if any of its steps does; where patches
        begin depends on the length with its padding.

    Raises:
        ValueError: the sequence is shorter than a patch.

    Refuses to stream: an output would have to wait for the rest of its patch.

    Nie et al. 2023, A time series is worth 64 words: long-term forecasting with transformers.
    """

    search: ClassVar = {"units": Choice((32, 64, 128)), "length": Choice((8, 16, 24))}

    def __init__(self, length: Count = 16, stride: Count = 8, units: Count = 64, **kwargs: Any):
        super().__init__(**kwargs)
        if stride > length:
            problem = f"{stride} given with patches of {length}, which would skip steps."
            raise ConfigurationError(f"{self.slot}.stride", problem, f"int ≤ {length}")
        self.length, self.stride, self.units = length, stride, units
        self.rate = 1 / stride
        self.projection = keras.layers.Conv1D(units, length, stride, dtype=self.dtype_policy, name="projection")

    def refusals(self) -> dict[str, str]:
        return {"streams": "it gives one output for a patch of steps, not one a step"}

    def build(self, input_shape: Any) -> None:
        time, features = sequence_shape(self, input_shape)
        self._check(time)
        self.projection.build((None, None, features))

    def call(self, x: Any) -> Any:
        self._check(x.shape[1])
        return self.projection(x[:, self._first(x) :])

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        if previous_mask is None:
            return None
        return previous_mask[:, self._first(inputs) + self.length - 1 :: self.stride]

    def _check(self, time: int | None) -> None:
        if time is not None and time < self.length:
            raise ValueError(
                f"embedding 'patch' has patches of {self.length} steps, but was given {time}. "
                "Give it a longer look-back or a shorter `length`."
            )

    def _first(self, x: Any) -> Any:
        """The step at which the first patch begins."""
        return (ops.shape(x)[1] - self.length) % self.stride
