"""A forecast of quantiles that never cross."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, ClassVar

from keras import ops
from pydantic import Field

from seqlayers.arguments import Count, Fraction, check_features
from seqlayers.head.losses import pinball_loss
from seqlayers.head.projection import HorizonProjection
from seqlayers.slots import Choice, ConfigurationError, Kind, kind


@kind("head", "quantile")
class Quantile(Kind):
    r"""Forecasts quantiles of every step of the horizon, in order by construction.

    The median comes from the features as in head `forecast`; the quantiles above (below) it are reached in steps up
    (down) that cannot be negative:

    \[ \hat y^{(q_{m \pm j})} = \hat y^{(0.5)} \pm \sum_{i \le j} \mathrm{softplus}(d_{m \pm i}) \]

    Args:
        horizon: steps of the forecast.
        targets: series that are forecast.
        quantiles: probabilities in rising order; 0.5, the point forecast, is one of them.
        hidden: units of a hidden layer; None: none.
        dropout: fraction of the features dropped in training.

    Call arguments:
        features: (batch, features), or the whole sequence (batch, time, features), which is flattened.
        ahead: (batch, horizon, known features), or None.

    Returns:
        (batch, horizon, targets, quantiles).

    Raises:
        ValueError: a sequence of unknown length; `ahead` that does not fit the horizon.

    Koenker and Bassett 1978, Regression quantiles (the pinball loss it is trained by).
    """

    search: ClassVar = {"hidden": Choice((None, 64, 128)), "dropout": Choice((0.0, 0.1, 0.3))}
    from_task = ("horizon", "targets")
    rate = None
    forecasts = True

    def __init__(
        self,
        horizon: Count,
        targets: Count,
        quantiles: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = (0.1, 0.5, 0.9),
        hidden: Count | None = None,
        dropout: Fraction = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if 0.5 not in quantiles or any(a >= b for a, b in pairwise(quantiles)):
            problem = f"{list(quantiles)} given; they must rise and hold the median, 0.5."
            raise ConfigurationError(f"{self.slot}.quantiles", problem, "a list such as [0.1, 0.5, 0.9]")
        self.horizon, self.targets, self.quantiles = horizon, targets, quantiles
        self.hidden, self.dropout = hidden, dropout
        self.median = quantiles.index(0.5)
        self.projection = HorizonProjection(
            horizon, targets * len(quantiles), hidden, dropout, dtype=self.dtype_policy, name="projection"
        )

    @property
    def output_kind(self) -> tuple[str, tuple[float, ...]]:
        """What the output means; heads are blended only with their like."""
        return "quantile", self.quantiles

    @property
    def mixture_shape(self) -> tuple[int, ...]:
        """The axes of the output that have weights of their own in a blend: (horizon, targets, 1)."""
        return self.horizon, self.targets, 1

    def build(self, features_shape: Any, ahead_shape: Any = None) -> None:
        check_features(self, features_shape)
        self.projection.build(features_shape, ahead_shape)

    def call(self, features: Any, ahead: Any = None, training: bool | None = None) -> Any:
        raw = self.projection(features, ahead=ahead, training=training)
        raw = ops.reshape(raw, (-1, self.horizon, self.targets, len(self.quantiles)))
        values = {self.median: raw[..., self.median]}
        for i in range(self.median + 1, len(self.quantiles)):
            values[i] = values[i - 1] + ops.softplus(raw[..., i])
        for i in range(self.median - 1, -1, -1):
            values[i] = values[i + 1] - ops.softplus(raw[..., i])
        return ops.stack([values[i] for i in range(len(self.quantiles))], axis=-1)

    def loss(self, target: Any, output: Any) -> Any:
        """target (batch, horizon, targets), output with quantiles → the pinball loss, (batch,)."""
        return pinball_loss(self.quantiles, target, output)

    def predict(self, output: Any) -> Any:
        """The point forecast of an output: its median, (batch, horizon, targets)."""
        return output[..., self.median]

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return None
