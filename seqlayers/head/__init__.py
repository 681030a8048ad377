"""What comes out: forecasts, their quantiles, and the loss that trains them."""

from seqlayers.head.forecast import Forecast
from seqlayers.head.linear import Linear
from seqlayers.head.quantile import Quantile

__all__ = ["Forecast", "Linear", "Quantile"]
