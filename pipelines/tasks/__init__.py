"""The tasks: three families (forecast, classify, generate), and thin files on them.

A task's YAML file in pipelines/configs names it; one that has no class of its own here is a forecast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.config import Configuration
    from pipelines.task import Task


def make(configuration: Configuration) -> Task:
    """The task of a configuration; imports only that task's family."""
    if configuration.task == "weather":
        from pipelines.tasks.weather import Weather

        return Weather(configuration)
    if configuration.task == "sentiment":
        from pipelines.tasks.sentiment import Sentiment

        return Sentiment(configuration)
    if configuration.task == "classify":
        from pipelines.tasks.classify import Classify

        return Classify(configuration)
    if configuration.task == "text":
        from pipelines.tasks.text import Text

        return Text(configuration)
    if configuration.task == "music":
        from pipelines.tasks.music import music

        return music(configuration)
    from pipelines.tasks.forecast import Forecast

    return Forecast(configuration)
