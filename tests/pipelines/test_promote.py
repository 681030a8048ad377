"""Only what beats the naive baseline is registered, and a champion is dethroned on its own test alone."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import mlflow
import numpy as np
import pandas as pd
import pytest

from pipelines.promote import offer
from pipelines.track import Tracker


@pytest.fixture
def run(home, saved_model):
    """Offer a run of a given skill; returns what is said and its run id."""

    def offered(skill, **changes):
        tracker = Tracker.open(home, "weather", "run")
        said = offer(tracker, record(skill, **changes), saved_model)
        tracker.finish()
        return said, tracker

    return offered


def record(skill, *, sample=False, sha256="a" * 64, horizon="24h", ridge=0.05, chosen="model"):
    tag = "value>gru>last>forecast"
    return {
        "task": "weather",
        "source": {"name": "weather.csv", "sha256": sha256, "sample": sample},
        "question": {"targets": ["T (degC)"], "step": "1h", "horizon": horizon},
        "repairs": [],
        "splits": [{"part": "train", "end": "2020-09-01"}, {"part": "test", "start": "2020-10-20"}],
        "model": {"tag": tag},
        "chosen": {"name": tag, "role": "model"} if chosen == "model" else {"name": chosen, "role": "baseline"},
        "best_naive": "last value",
        "metrics": [
            {"name": "last value", "role": "baseline", "skill": 0.0},
            {"name": "ridge", "role": "baseline", "skill": ridge},
            {"name": tag, "role": "model", "mae": 1.0, "skill": skill},
        ],
    }


def aliases(tracker, name="seqlayers-weather"):
    return {alias: str(version) for alias, version in tracker.client.get_registered_model(name).aliases.items()}


@pytest.mark.parametrize("skill", [-0.1, 0.0, float("nan")])
def test_a_model_that_loses_to_the_naive_baseline_is_recorded_and_never_registered(run, skill):
    said, tracker = run(skill)
    assert said.startswith("Not registered: its error is not below that of the best naive baseline, last value")
    assert tracker.client.search_registered_models() == []
    assert tracker.client.get_run(tracker.run_id).data.tags["registered"] == "no"


def test_champions_and_challengers(run):
    said, tracker = run(0.20)
    assert said == "Registered as seqlayers-weather, version 1: champion, the first of its name."
    said, _ = run(0.10)
    assert "version 2: challenger, its skill of 0.100 is not above the champion's (version 1, 0.200)" in said
    assert aliases(tracker) == {"champion": "1", "challenger": "2"}
    said, _ = run(0.30)
    assert "version 3: champion, its skill of 0.300 is above version 1's 0.200 on the same test" in said
    assert aliases(tracker)["champion"] == "3"


def test_a_solved_baseline_that_was_chosen_is_what_is_registered(run):
    said, tracker = run(0.20, ridge=0.25, chosen="ridge")
    assert said == "The ridge is registered as seqlayers-weather, version 1: champion, the first of its name."
    version = tracker.client.get_model_version("seqlayers-weather", "1")
    assert (version.tags["slots"], version.tags["skill"]) == ("ridge", "0.25")
    said, _ = run(0.22)
    assert "challenger, its skill of 0.220 is not above the champion's (version 1, 0.250)" in said


@pytest.mark.parametrize("changes", [{"sha256": "b" * 64}, {"horizon": "1h"}])
def test_skills_on_different_tests_are_not_compared(run, changes):
    run(0.20)
    said, tracker = run(0.90, **changes)
    assert "version 2: challenger, since the champion (version 1) was tested on other data, targets or horizon" in said
    assert aliases(tracker) == {"champion": "1", "challenger": "2"}


def test_runs_on_the_sample_have_a_name_of_their_own(run):
    said, tracker = run(0.5, sample=True)
    assert said.startswith("Registered as seqlayers-weather-sample, version 1")
    assert [m.name for m in tracker.client.search_registered_models()] == ["seqlayers-weather-sample"]


def test_to_offer_a_run_again_changes_nothing(run, home, saved_model):
    _, tracker = run(0.2)
    again = Tracker.open(home, "weather", "run", run_id=tracker.run_id)
    assert offer(again, record(0.2), saved_model).endswith("version 1: champion, as before.")
    assert len(tracker.client.search_model_versions("name = 'seqlayers-weather'")) == 1


def test_the_champion_answers_arrays_and_frames_by_name(run, monkeypatch):
    _, tracker = run(0.2)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracker.uri)
    model = mlflow.pyfunc.load_model("models:/seqlayers-weather@champion")
    readings, times = np.arange(24, dtype="float32").reshape(3, 4, 2), np.arange(12).reshape(3, 4)
    for given in (
        {"readings": readings, "times": times},
        pd.DataFrame({"readings": list(readings), "times": list(times)}),
        pd.DataFrame({"readings": [r.ravel().tolist() for r in readings], "times": times.tolist()}),
    ):
        answer = model.predict(given)
        np.testing.assert_array_equal(answer["forecast"], 2 * readings[:, -1:, :1])
        np.testing.assert_array_equal(answer["forecast_times"], times[:, -1:] + 1)
    with pytest.raises(Exception, match=r"Model is missing inputs \['times'\]"):
        model.predict({"readings": readings})


@pytest.mark.slow
def test_the_champion_needs_nothing_of_the_project(run, tmp_path):
    _, tracker = run(0.2)
    code = """
        import sys
        import mlflow, numpy as np
        model = mlflow.pyfunc.load_model("models:/seqlayers-weather@champion")
        model.predict({"readings": np.ones((1, 4, 2), "float32"), "times": np.ones((1, 4), "int64")})
        print({"pipelines", "seqlayers", "data"} & set(sys.modules))
    """
    done = subprocess.run(
        [sys.executable, "-P", "-c", textwrap.dedent(code)],
        cwd=tmp_path,
        env={**os.environ, "MLFLOW_TRACKING_URI": tracker.uri},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "set()"
