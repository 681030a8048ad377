"""What the terminal shows of a run's and a backtest's figures: all of it, in eighty columns."""

from __future__ import annotations

import pytest

from pipelines.evaluate import columns
from pipelines.screen import Screen
from tests.pipelines.records import record
from tests.pipelines.report.backtests import backtest


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_a_run_shows_every_candidate_with_pinball_and_coverage(capsys: pytest.CaptureFixture[str]) -> None:
    made = record()
    Screen().table(made["metrics"], columns(made["metrics"]), made["source"]["sample"])
    title, head, *lines = capsys.readouterr().out.splitlines()
    assert title == "Test part SAMPLE"
    assert head.split() == ["MAE", "RMSE", "MASE", "pinball", "in", "80", "%", "skill", "fitted"]
    assert len(lines) == len(made["metrics"])
    assert lines[-1].split() == ["the", "model", "2.158", "2.827", "3.074", "0.7769", "79.1%", "+20.3%", "92.4", "s"]
    assert lines[0].split()[-2:] == ["+0.0%", "–"]


def test_without_bands_there_are_no_columns_for_them(capsys: pytest.CaptureFixture[str]) -> None:
    made = record(bands=False, sample=False)
    Screen().table(made["metrics"], columns(made["metrics"]), made["source"]["sample"])
    title, head, *_ = capsys.readouterr().out.splitlines()
    assert title == "Test part" and head.split() == ["MAE", "RMSE", "MASE", "skill", "fitted"]


def test_a_backtest_shows_means_with_their_spread(capsys: pytest.CaptureFixture[str]) -> None:
    made = backtest(count=3)
    Screen().backtest_table(made)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Test parts of 3 folds, mean ± standard deviation SAMPLE"
    assert max(map(len, lines)) <= 80 and len(lines) == 2 + len(made["summary"])
    row = made["summary"][-1]
    assert f"{row['mae']:#.4g} ± {row['mae_sd']:#.2g}" in lines[-1] and "3/3" in lines[-1]
    assert f"{row['skill']:+.1%} ± {row['skill_sd']:.1%}" in lines[-1]


def test_errors_of_several_targets_are_told_as_mase(capsys: pytest.CaptureFixture[str]) -> None:
    made = backtest(count=3, targets=("a (m)", "b (s)"))
    Screen().backtest_table(made)
    Screen().fold_line(made["folds"][0], 3)
    _, head, *_, last = capsys.readouterr().out.splitlines()
    assert "MASE" in head and "MAE" not in head
    rows = {row["name"]: row for row in made["folds"][0]["metrics"]}
    assert last.startswith("  fold 1/3  ") and f"ridge {rows['ridge']['mase']:#.4g} (MASE)" in last


def test_lines_and_bars_share_a_console_so_that_a_line_does_not_run_into_a_bar() -> None:
    screen = Screen()
    with screen.training(epochs=1, patience=1):
        assert screen.console is screen.console
