"""A GRU over segments of the sequence (SegRNN's encoder)."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
from keras import ops

from seqlayers.arguments import Count, Fraction, sequence_shape
from seqlayers.slots import Choice, Kind, kind


@kind("encoder", "segment_gru")
class SegmentGRU(Kind):
    r"""Cuts the sequence into segments, projects each, and runs a GRU over them: fewer, longer steps.

    \[ u_i = \mathrm{relu}(W\,[x_{iw}, …, x_{iw+w-1}] + b), \qquad h_i = \mathrm{GRU}(u_i, h_{i-1}) \]

    With one channel at a time (`channels: independent`) it is the encoder of the paper.

    Args:
        units: features of a segment's projection and of the state.
        segment: w, steps in a segment.
        dropout: fraction of the projections dropped in training.

    Call arguments:
        x: (batch, time, features), time a multiple of `segment`.
        mask: boolean (batch, time); a segment counts as padding if any of its steps does.

    Returns:
        h, (batch, time / segment, units).

    Raises:
        ValueError: time is not a multiple of `segment`.

    Refuses to stream: an output would have to wait for the rest of its segment.

    Lin et al. 2023, SegRNN: segment recurrent neural network for long-term time series forecasting.
    """

    search: ClassVar = {"units": Choice((64, 128, 256, 512)), "segment": Choice((12, 24, 48))}

    def __init__(self, units: Count = 128, segment: Count = 24, dropout: Fraction = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.units, self.segment, self.dropout = units, segment, dropout
        self.rate = 1 / segment
        self.projection = keras.layers.Dense(units, "relu", dtype=self.dtype_policy, name="projection")
        self.drop = keras.layers.Dropout(dropout, dtype=self.dtype_policy, name="drop")
        self.gru = keras.layers.GRU(units, return_sequences=True, dtype=self.dtype_policy, name="gru")

    def refusals(self) -> dict[str, str]:
        return {"streams": "it gives one output for a segment of steps, not one a step"}

    def build(self, input_shape: Any) -> None:
        _, features = sequence_shape(self, input_shape)
        self.projection.build((None, None, self.segment * features))
        self.gru.build((None, None, self.units))

    def call(self, x: Any, mask: Any = None, training: bool | None = None) -> Any:
        _, time, features = x.shape
        if time is not None and time % self.segment:
            below = time // self.segment * self.segment
            raise ValueError(
                f"encoder 'segment_gru' needs a multiple of {self.segment} steps, but was given {time}. "
                f"Choose a `segment` that divides {time}, or a look-back of {below or self.segment} steps."
            )
        x = ops.reshape(x, (-1, ops.shape(x)[1] // self.segment, self.segment * features))
        x = self.drop(self.projection(x), training=training)
        return self.gru(x, mask=self.compute_mask(None, mask), training=training)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        if previous_mask is None:
            return None
        segments = ops.shape(previous_mask)[1] // self.segment
        return ops.all(ops.reshape(previous_mask, (-1, segments, self.segment)), axis=2)
