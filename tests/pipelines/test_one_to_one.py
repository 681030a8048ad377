"""One to one: the weather from a single reading; and a model that cannot take its window is refused."""

from __future__ import annotations

import pytest

from data import weather
from tests.pipelines.command import seqlayers, write

#: A look-back of one step: a window less its last reading would be zero, so nothing is subtracted.
ONE = [
    "--set", "data.look_back=1",
    "--set", "model.normalise={kind: none}",
    "--set", "model.branches.1.head.bins=[1]",
    "--set", "baselines.random-feature ridge.bins=[1]",
]  # fmt: skip


@pytest.mark.slow
def test_the_weather_from_one_reading(home):
    answer = seqlayers(
        "run", "weather", "--source", "sample", "--home", home, *ONE, "--set", "train.epochs=2", "--json"
    )
    assert answer.code == 0, answer.err
    assert answer.json["skill"] > 0.2
    readings, _ = weather.sample()
    now, forecast = write(readings.tail(1), home / "now.csv"), home / "forecast.csv"
    answer = seqlayers("predict", home / "runs/weather/latest", "--input", now, "--output", forecast, "--json")
    assert answer.code == 0, answer.out
    assert (answer.json["rows"], answer.json["start"]) == (24, "2024-01-01 01:00:00")


def test_bins_that_are_longer_than_the_look_back_are_refused(home):
    answer = seqlayers("run", "weather", "--source", "sample", "--home", home, *ONE[:4])
    assert answer.code == 2
    assert "head 'random_features' has bins of 72 steps in all" in answer.err + answer.out
    assert "Traceback" not in answer.err + answer.out
