"""Weather: a forecast whose sample is a made station and whose named data sets are real ones."""

from __future__ import annotations

from data import weather
from data.datasets import SERIES
from pipelines.tasks.forecast import Forecast


class Weather(Forecast):
    datasets = SERIES
    sample = staticmethod(weather.sample)
