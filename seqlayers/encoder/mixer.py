"""A mixer block: layers over time and over features in turn (TSMixer)."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
from keras import ops

from seqlayers.arguments import Activation, Count, Fraction, sequence_shape
from seqlayers.slots import Choice, Kind, kind


@kind("encoder", "mixer")
class Mixer(Kind):
    r"""Mixes the steps of each feature, then the features of each step, each beside a shortcut.

    \[ u = x + V_2\, f(V_1\, \mathrm{norm}(x)), \qquad y = u + W_2\, f(W_1\, \mathrm{norm}(u)) \]

    with V acting along time, so that the order of the steps is known without a position kind, and W along features.

    Args:
        time_units: steps between V1 and V2; None: as many as the sequence has.
        feature_units: features between W1 and W2; None: as many as the input has.
        dropout: fraction dropped in training behind f and behind V2 and W2.
        activation: f.

    Call arguments:
        x: (batch, time, features), of known length.
        mask: refused: V has a weight for each step, and none can be left out.

    Returns:
        (batch, time, features).

    Raises:
        ValueError: the length is not known, or there is a mask.

    Refuses to stream: every output depends on every step.

    Chen et al. 2023, TSMixer: an all-MLP architecture for time series forecasting; Tolstikhin et al. 2021, MLP-Mixer.
    """

    search: ClassVar = {
        "time_units": Choice((None, 32, 64, 128)),
        "feature_units": Choice((None, 64, 128, 256)),
        "dropout": Choice((0.0, 0.1, 0.3, 0.7)),
    }

    causal = False

    def __init__(
        self,
        time_units: Count | None = None,
        feature_units: Count | None = None,
        dropout: Fraction = 0.0,
        activation: Activation = "relu",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.time_units, self.feature_units = time_units, feature_units
        self.dropout, self.activation = dropout, activation
        policy = {"dtype": self.dtype_policy}
        self.norms = [keras.layers.LayerNormalization(epsilon=1e-6, name=f"norm_{i}", **policy) for i in (1, 2)]
        self.drops = [keras.layers.Dropout(dropout, name=f"drop_{i}", **policy) for i in (1, 2)]

    def refusals(self) -> dict[str, str]:
        return {
            "streams": "every output depends on every step",
            "masks": "it has a weight for each step, and cannot leave padding out",
            "dynamic_time": "it has a weight for each step",
        }

    def build(self, input_shape: Any) -> None:
        time, features = sequence_shape(self, input_shape)
        if time is None:
            raise ValueError(f"encoder 'mixer' needs a known number of steps, but was given {tuple(input_shape)}.")
        self.pairs = [
            self._pair("time", self.time_units or time, time),
            self._pair("feature", self.feature_units or features, features),
        ]
        for norm in self.norms:
            norm.build((None, time, features))

    def _pair(self, axis: str, inner: int, outer: int) -> tuple[keras.layers.Dense, keras.layers.Dense]:
        first = keras.layers.Dense(inner, self.activation, dtype=self.dtype_policy, name=f"{axis}_inner")
        second = keras.layers.Dense(outer, dtype=self.dtype_policy, name=f"{axis}_outer")
        first.build((None, None, outer))
        second.build((None, None, inner))
        return first, second

    def call(self, x: Any, mask: Any = None, training: bool | None = None) -> Any:
        if mask is not None:
            raise ValueError(
                "encoder 'mixer' has a weight for each step and cannot leave padding out. Give it windows of one "
                "length without padding, or use an encoder that heeds masks, such as 'gru'."
            )
        for swapped, norm, drop, (inner, outer) in zip((True, False), self.norms, self.drops, self.pairs, strict=True):
            h = norm(x)
            h = ops.swapaxes(h, 1, 2) if swapped else h
            h = drop(outer(drop(inner(h), training=training)), training=training)
            x = x + (ops.swapaxes(h, 1, 2) if swapped else h)
        return x
