"""A backtest fits everything anew in each fold, and its figures come with their spread."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from pipelines import backtest
from pipelines.store import TrackingError
from pipelines.track import Tracker
from tests.pipelines.command import SMALL, sales, seqlayers, write

TARGET = ("--set", "data.target=units")


def backtested(home, *more, rows=500):
    source = write(sales(rows), home / "sales.csv")
    return seqlayers("backtest", "forecast", "--source", source, "--home", home, *TARGET, *SMALL, "--json", *more)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    answer = backtested(home, "--folds", "3", "--embargo", "2d")
    assert answer.code == 0, answer.err
    return answer, json.loads((home / "runs" / "forecast-backtest" / "latest" / "backtest.json").read_text())


def test_every_fold_is_tested_on_the_stretch_after_it(result):
    _, record = result
    splits = [{part["part"]: part for part in fold["splits"]} for fold in record["folds"]]
    assert len(splits) == 3
    assert len({parts["train"]["start"] for parts in splits}) == 1  # expanding
    for parts in splits:
        assert (
            parts["train"]["end"] < parts["validation"]["start"] < parts["validation"]["end"] < parts["test"]["start"]
        )
    for before, after in pairwise(splits):
        assert before["test"]["end"] < after["test"]["start"]
        assert before["train"]["rows"] < after["train"]["rows"]


def test_the_summary_is_the_mean_over_folds_with_its_spread(result):
    answer, record = result
    names = [row["name"] for row in record["summary"]]
    assert names[:4] == ["last value", "seasonal naive", "drift", "ridge"] and record["summary"][-1]["role"] == "model"
    for i, row in enumerate(record["summary"]):
        errors = [fold["metrics"][i]["mae"] for fold in record["folds"]]
        assert row["mae"] == pytest.approx(sum(errors) / 3)
        assert (row["mae_low"], row["mae_high"]) == (min(errors), max(errors))
        assert row["mae_sd"] > 0
    assert sum(row["best_in"] for row in record["summary"]) == 3
    assert answer.json["metrics"]["mae"] == record["summary"][-1]["mae"] and answer.json["folds"] == 3
    assert "Over 3 folds" in record["verdict"]


def test_its_checks_and_its_report(result):
    answer, record = result
    assert record["checks"] and all(check["passed"] for fold in record["folds"] for check in fold["checks"])
    assert any("fold" in check["name"] for check in record["checks"])
    page = Path(answer.json["artifacts"]["report"]).read_text(encoding="utf-8")
    assert "Fold 3" in page and "ridge" in page


@pytest.mark.slow
def test_a_sliding_window_keeps_its_length(tmp_path):
    answer = backtested(
        tmp_path, "--folds", "2", "--window", "sliding", "--set", "model={head: {kind: linear, solve: ridge}}"
    )
    assert answer.code == 0, answer.err
    record = json.loads((tmp_path / "runs" / "forecast-backtest" / "latest" / "backtest.json").read_text())
    first, second = (fold["splits"][0] for fold in record["folds"])
    assert first["rows"] == second["rows"] and first["start"] < second["start"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--folds", "400"], "fold"),
        (["--folds", "1"], "folds"),
        (["--window", "growing"], "expanding"),
        (["--embargo", "soon"], "embargo"),
        (["--embargo", "900d"], "embargo"),
        (["--classical", "prophet"], "ets, arima, theta"),
    ],
)
def test_what_cannot_be_folded_is_refused(tmp_path, more, said):
    answer = backtested(tmp_path, *more)
    assert answer.code == 2 and said in answer.out + answer.err, answer.out
    assert [path.name for path in tmp_path.iterdir()] == ["sales.csv"], "refused before anything is begun"


@pytest.mark.slow
def test_a_fold_in_which_the_model_diverges_is_named(tmp_path):
    answer = backtested(tmp_path, "--folds", "2", "--set", "train.learning_rate=1e30", "--set", "train.clip_norm=null")
    assert answer.code == 2 and answer.json["error"].startswith("Fold 1: The loss became nan")


@pytest.mark.slow
def test_where_tracking_fails_at_the_end_no_fold_is_lost(tmp_path, monkeypatch):
    finish, fold, done = Tracker.finish, backtest._fold, []
    settings = ("--folds", "2", "--set", "model={head: {kind: linear, solve: ridge}}")

    def away(self, status="FINISHED"):
        if status == "FINISHED":
            raise TrackingError("The server does not answer.")
        finish(self, status)

    with monkeypatch.context() as patched:
        patched.setattr(Tracker, "finish", away)
        assert backtested(tmp_path, *settings).code == 2
    monkeypatch.setattr(backtest, "_fold", lambda number, task, work: done.append(number) or fold(number, task, work))
    answer = backtested(tmp_path, *settings)
    assert answer.code == 0 and done == []
    folder = Path(answer.json["artifacts"]["report"]).parent
    assert {path.name for path in folder.iterdir()} == {"configuration.yaml", "backtest.json", "report.html"}


def test_a_fold_without_skill_leaves_the_mean_without_one():
    rows = [{"name": "last value", "role": "baseline", "mae": 1.0, "rmse": 1.0, "mase": m, "skill": s}
            for m, s in ((0.0, None), (1.0, 0.0))]  # fmt: skip
    row = backtest.summarise([{"metrics": [r]} for r in rows])[0]
    assert (row["skill"], row["skill_sd"]) == (None, None) and row["mase"] == 0.5 and row["best_in"] == 2


@pytest.mark.slow
def test_an_interrupted_backtest_goes_on_with_the_fold_it_was_at(tmp_path, monkeypatch):
    fold, done = backtest._fold, []
    settings = ("--folds", "2", "--set", "train.epochs=1")

    def until_the_second(number, task, work):
        if number == 2:
            raise KeyboardInterrupt
        return fold(number, task, work)

    def counted(number, task, work):
        done.append(number)
        return fold(number, task, work)

    monkeypatch.setattr(backtest, "_fold", until_the_second)
    assert backtested(tmp_path, *settings).code == 5
    monkeypatch.setattr(backtest, "_fold", counted)
    cut = backtested(tmp_path, *settings)
    assert cut.code == 0 and done == [2]
    (tmp_path / "whole").mkdir()
    assert backtested(tmp_path / "whole", *settings).json["metrics"] == cut.json["metrics"]
