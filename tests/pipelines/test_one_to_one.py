"""One to one: the weather from a single reading; and a model that cannot take its window is refused."""

from __future__ import annotations

import pytest

from tests.pipelines.command import seqlayers

#: A look-back of one step: a window less its last reading would be zero, so nothing is subtracted.
ONE = [
    "--set", "data.look_back=1h",
    "--set", "model.normalise=null",
    "--set", "model.encoder=[]",
    "--set", "model.branches=null",
    "--set", "model.join=concatenate",
    "--set", "model.head={kind: forecast, hidden: 32}",
    "--set", "baselines={ridge: {kind: linear, solve: ridge, subtract: none}}",
]  # fmt: skip


@pytest.mark.slow
def test_the_weather_from_one_reading(home):
    answer = seqlayers(
        "run", "weather", "--source", "sample", "--home", str(home), *ONE, "--set", "train.epochs=2", "--json"
    )
    assert answer.code == 0, answer.err
    assert answer.json["skill"] > 0.2


def test_bins_that_are_longer_than_the_look_back_are_refused(home):
    answer = seqlayers("run", "weather", "--source", "sample", "--home", str(home), "--set", "data.look_back=1h")
    assert answer.code == 2
    assert "head 'random_features' has bins of 72 steps in all" in answer.err + answer.out
    assert "Traceback" not in answer.err + answer.out
