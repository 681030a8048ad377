"""Weather: a forecast whose sample is a made station."""

from __future__ import annotations

from data import weather
from pipelines.tasks.forecast import Forecast


class Weather(Forecast):
    sample = staticmethod(weather.sample)
