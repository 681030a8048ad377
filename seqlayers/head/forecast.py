"""A point forecast of every step of the horizon at once."""

from __future__ import annotations

from typing import Any, ClassVar

from seqlayers.arguments import Count, Fraction, check_features
from seqlayers.head.losses import PointLoss
from seqlayers.head.point import PointHead
from seqlayers.head.projection import HorizonProjection
from seqlayers.slots import Choice, kind


@kind("head", "forecast")
class Forecast(PointHead):
    r"""Forecasts every step of the horizon at once from the features, and from what is known ahead of it.

    \[ \hat y_h = W_h c + b_h + V a_h \]

    With `hidden`, \(u = \mathrm{relu}(W_u c + b_u)\) takes the place of c, and \(O\,\mathrm{relu}(P u + Q a_h)\) is
    added, so that what is known ahead can act differently in different situations.

    Args:
        horizon: steps of the forecast.
        targets: series that are forecast.
        hidden: units of a hidden layer; None: none.
        dropout: fraction of c (or of u) dropped in training.
        loss: `mse`, `mae` or `huber`, mean over horizon and targets.

    Call arguments:
        features: c, (batch, features), or the whole sequence (batch, time, features), which is flattened.
        ahead: a, (batch, horizon, known features), or None.

    Returns:
        (batch, horizon, targets).

    Raises:
        ValueError: a sequence of unknown length; `ahead` that does not fit the horizon.
    """

    search: ClassVar = {"hidden": Choice((None, 64, 128)), "dropout": Choice((0.0, 0.1, 0.3))}

    def __init__(
        self,
        horizon: Count,
        targets: Count,
        hidden: Count | None = None,
        dropout: Fraction = 0.0,
        loss: PointLoss = "mse",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.horizon, self.targets, self.hidden, self.dropout = horizon, targets, hidden, dropout
        self.loss_name = loss
        self.projection = HorizonProjection(
            horizon, targets, hidden, dropout, dtype=self.dtype_policy, name="projection"
        )

    def build(self, features_shape: Any, ahead_shape: Any = None) -> None:
        check_features(self, features_shape)
        self.projection.build(features_shape, ahead_shape)

    def call(self, features: Any, ahead: Any = None, training: bool | None = None) -> Any:
        return self.projection(features, ahead=ahead, training=training)
