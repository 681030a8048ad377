"""The table of runs says what was run, on what, how well, and what became of it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from pipelines import compare, ui
from pipelines.store import TrackingError
from pipelines.track import Tracker


@pytest.fixture
def three(home):
    """Three finished runs and one that was cut short before it had figures."""
    rows = [("gru", "real", 2.0, 0.2, 30.0), ("linear", "real", 1.5, 0.4, 1.0), ("lstm", "sample", 9.0, 0.3, 60.0)]
    for slots, kind, mae, skill, seconds in rows:
        tracker = Tracker.open(home, "weather", slots)
        tracker.tags({"task": "weather", "slots": slots, "source": "sample" if kind == "sample" else "weather.csv"})
        tracker.tags({"kind_of_data": kind, "data": kind})
        tracker.metrics({"mae": mae, "skill": skill, "seconds": seconds})
        tracker.finish()
    cut_short = Tracker.open(home, "weather", "cut short")
    cut_short.tags({"task": "weather"})
    cut_short.finish("KILLED")
    other = Tracker.open(home, "forecast", "another task")
    other.tags({"task": "forecast"})
    other.finish()
    return home


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("started", [None, "lstm", "linear", "gru"]),
        ("mae", ["linear", "gru", "lstm", None]),
        ("skill", ["linear", "lstm", "gru", None]),
        ("seconds", ["linear", "gru", "lstm", None]),
    ],
)
def test_runs_of_the_task_in_the_order_asked_for(three, sort, order):
    assert [row["slots"] for row in compare.runs(three, "weather", sort=sort)] == order


def test_a_row_holds_what_was_tracked(three):
    row = compare.runs(three, "weather", sort="skill", limit=1)[0]
    assert len(row.pop("run_id")) == 32
    assert row.pop("started").startswith("20")
    assert row == {
        "slots": "linear",
        "source": "weather.csv",
        "sample": False,
        "data": "real",
        "mae": 1.5,
        "mase": None,
        "accuracy": None,
        "loss": None,
        "skill": 0.4,
        "seconds": 1.0,
        "status": "finished",
        "registered": None,
        "chosen": None,
    }


def test_a_baseline_that_was_shipped_in_place_of_the_model_is_named(home):
    for name, chosen in (("gru", "ridge"), ("lstm", "lstm")):
        tracker = Tracker.open(home, "weather", name)
        tracker.tags({"task": "weather", "slots": name, "chosen": chosen})
        tracker.finish()
    rows = compare.runs(home, "weather")
    assert {row["slots"]: row["chosen"] for row in rows} == {"gru": "ridge", "lstm": "lstm"}
    console = Console(file=io.StringIO(), width=120)
    compare.show(console, rows)
    assert "finished (ridge)" in console.file.getvalue() and "(lstm)" not in console.file.getvalue()


def test_classifiers_are_compared_by_accuracy(home):
    for name, accuracy in (("gru", 0.9), ("naive_bayes", 0.92)):
        tracker = Tracker.open(home, "sentiment", name)
        tracker.tags({"task": "sentiment", "slots": name})
        tracker.metrics({"accuracy": accuracy, "skill": 0.8})
        tracker.finish()
    rows = compare.runs(home, "sentiment", sort="accuracy")
    assert [row["slots"] for row in rows] == ["naive_bayes", "gru"]
    console = Console(file=io.StringIO(), width=120)
    compare.show(console, rows)
    assert "92.00%" in console.file.getvalue() and "MAE" not in console.file.getvalue()


def test_generators_are_compared_by_their_loss(home):
    for name, loss in (("gru", 1.4612), ("lstm", 1.4597), ("unigram", 3.3175)):
        tracker = Tracker.open(home, "music", name)
        tracker.tags({"task": "music", "slots": name})
        tracker.metrics({"loss": loss, "accuracy": 0.3, "skill": 0.5})
        tracker.finish()
    rows = compare.runs(home, "music", sort="loss")
    assert [row["slots"] for row in rows] == ["lstm", "gru", "unigram"]
    console = Console(file=io.StringIO(), width=120)
    compare.show(console, rows)
    shown = console.file.getvalue()
    assert "1.4597" in shown and "loss" in shown and "accuracy" not in shown


def test_the_table_marks_the_sample_and_warns_of_different_data(three):
    console = Console(file=io.StringIO(), width=120)
    compare.show(console, compare.runs(three, "weather"))
    shown = console.file.getvalue()
    assert shown.count("SAMPLE") == 1
    assert "MAE is comparable between runs on the same data only" in shown
    assert "killed" in shown


def test_what_cannot_be_compared_is_said(three, tmp_path_factory):
    with pytest.raises(TrackingError, match=r"There are no runs of 'wether' in .*mlflow\.db\."):
        compare.runs(three, "wether")
    accepted = r"Accepted: started, mae, accuracy, loss, skill, seconds\."
    with pytest.raises(TrackingError, match=rf"--sort: 'colour' given\. {accepted}"):
        compare.runs(three, "weather", sort="colour")
    with pytest.raises(TrackingError, match=r"--limit: 0 given"):
        compare.runs(three, "weather", limit=0)
    empty = tmp_path_factory.mktemp("empty")
    with pytest.raises(TrackingError, match="There are no tracked runs in"):
        compare.runs(empty, "weather")
    assert list(empty.iterdir()) == []  # to look is not to make


def test_the_pages_are_refused_where_there_is_nothing_to_show(tmp_path, capsys, monkeypatch):
    assert ui.ui(tmp_path) == 2
    assert "There are no tracked runs in" in capsys.readouterr().err
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://me:secret@mlflow.example.org")
    assert ui.ui(tmp_path) == 0
    assert "https://mlflow.example.org" in capsys.readouterr().out
