"""Weather: a forecast whose sample is a made station and whose named data sets are real ones."""

from __future__ import annotations

from data import weather
from pipelines.tasks.forecast import Forecast


class Weather(Forecast):
    datasets = weather.DATASETS
    sample = staticmethod(weather.sample)
