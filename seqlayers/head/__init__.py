"""What comes out: forecasts, their quantiles, and the loss that trains them."""

from seqlayers.head.forecast import Forecast
from seqlayers.head.linear import Linear
from seqlayers.head.quantile import Quantile
from seqlayers.head.random_features import RandomFeatures

__all__ = ["Forecast", "Linear", "Quantile", "RandomFeatures"]
