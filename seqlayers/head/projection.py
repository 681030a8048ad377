"""From features, and what is known ahead, to a value for each step of the horizon."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from seqlayers.arguments import check_ahead


@keras.saving.register_keras_serializable("seqlayers")
class HorizonProjection(keras.layers.Layer):
    r"""Features → (batch, horizon, width), with what is known ahead of each step added in.

    Without hidden units, \(y_h = W_h c + b_h + V a_h\), V shared by all steps of the horizon. With them,
    \(u = \mathrm{relu}(W_u c + b_u)\) takes the place of c, and a small layer lets features and the known ahead act on
    each other: \(y_h \mathrel{+}= O\,\mathrm{relu}(P u + Q a_h)\).

    Args:
        horizon: steps of the forecast.
        width: values a step.
        hidden: hidden units, or None for none.
        dropout: fraction of c (or of u) dropped in training.

    Call arguments:
        features: c, (batch, features), or (batch, time, features), which is flattened.
        ahead: a, (batch, horizon, known features), or None.

    Returns:
        (batch, horizon, width), in the precision of the variables whatever the policy.
    """

    def __init__(self, horizon: int, width: int, hidden: int | None = None, dropout: float = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.horizon, self.width, self.hidden = horizon, width, hidden
        self.drop = keras.layers.Dropout(dropout, dtype=self.dtype_policy, name="drop")
        self.inner = self._dense(hidden, "inner", "relu") if hidden else None
        self.outer = self._dense(horizon * width, "outer")

    def _dense(self, units: int, name: str, activation: str | None = None, bias: bool = True) -> keras.layers.Dense:
        return keras.layers.Dense(units, activation, use_bias=bias, dtype=self.dtype_policy, name=name)

    def build(self, features_shape: Any, ahead_shape: Any = None) -> None:
        self.inputs = math.prod(features_shape[1:])
        if self.inner is not None:
            self.inner.build((None, self.inputs))
        self.outer.build((None, self.hidden or self.inputs))
        self.known: keras.layers.Dense | None = None
        if ahead_shape is None:
            return
        if len(ahead_shape) != 3 or ahead_shape[1] != self.horizon:
            raise ValueError(
                f"What is known ahead must be (batch, horizon {self.horizon}, features), but is {tuple(ahead_shape)}."
            )
        self.known = self._dense(self.width, "known", bias=False)
        self.known.build(ahead_shape)
        if self.hidden:
            self.mix_features = self._dense(self.hidden, "mix_features")
            self.mix_known = self._dense(self.hidden, "mix_known", bias=False)
            self.mix_output = self._dense(self.width, "mix_output", bias=False)
            self.mix_features.build((None, self.hidden))
            self.mix_known.build(ahead_shape)
            self.mix_output.build((None, None, self.hidden))

    def call(self, features: Any, ahead: Any = None, training: bool | None = None) -> Any:
        check_ahead(self, self.known, ahead)
        features = ops.reshape(features, (-1, self.inputs))
        if self.inner is not None:
            features = self.inner(features)
        features = self.drop(features, training=training)
        y = ops.reshape(self.outer(features), (-1, self.horizon, self.width))
        if self.known is not None:
            y = y + self.known(ahead)
            if self.hidden:
                both = ops.expand_dims(self.mix_features(features), 1) + self.mix_known(ahead)
                y = y + self.mix_output(ops.relu(both))
        return ops.cast(y, self.variable_dtype)
