"""The page of a backtest: every candidate with its spread, every fold, and no picture that breaks on odd folds."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from pipelines.report import write_backtest_report
from pipelines.report.backtest import render
from pipelines.report.folds import averaged
from tests.pipelines.records import TAG
from tests.pipelines.report.backtests import backtest
from tests.pipelines.report.pages import Page, difficult_backtests, words
from tests.pipelines.report.promises import stands

SECTIONS = ["summary", "data", "folds", "steps", "coverage", "checks", "reproduce"]


def test_every_part_is_there_and_marked_as_a_sample(tmp_path: Path) -> None:
    write_backtest_report(backtest(), tmp_path / "report.html")
    found = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    for name in SECTIONS:
        assert len(words(found.section(name))) > 40 and "SAMPLE" in found.section(name), name
    assert "· backtest ·" in found.text and "the whole backtest took" in found.text
    assert "seqlayers backtest weather --source sample --folds 5" in found.text
    assert "SAMPLE" not in render(backtest(sample=False))


def test_the_summary_gives_mean_spread_and_range_over_the_folds() -> None:
    made = backtest()
    errors = [fold["metrics"][-1]["mae"] for fold in made["folds"]]
    mean = sum(errors) / 5
    deviation = math.sqrt(sum((e - mean) ** 2 for e in errors) / 4)
    lines = re.findall(r"<tr role=\"row\".*?</tr>", Page(render(made)).section("summary"), re.S)
    model = words(lines[-1]).replace("\xa0", " ")
    assert f"{mean:.2f} ± {deviation:.2f}" in model and f"{min(errors):.2f} to {max(errors):.2f}" in model
    heads = words(lines[0]).replace("\xa0", " ")
    assert [heads.index(head) for head in ("MAE", "MASE", "pinball", "best in", "coverage", "skill", "a fold")]
    assert "of 5" in heads and "80 % band" in heads
    assert lines[-1].count("(best)") == 5 and not any("(best)" in line for line in lines[1:-1])


def test_folds_are_drawn_in_time_with_what_is_left_out() -> None:
    drawn = Page(render(backtest(count=4))).section("data")
    assert drawn.count('class="part test"') == 2 * 4 + 1  # wide, narrow, and the legend
    assert drawn.count('class="part embargo"') == 2 * 4 + 1
    assert "Four folds, each trained on all that came before it, with 24 hours left out" in words(drawn).replace(
        "\xa0", " "
    )
    assert "Fold 1: train from 1 Jan 2023" in drawn  # read aloud
    slid = Page(render(backtest(count=4, window="sliding", embargo="0"))).section("data")
    assert "embargo" not in slid and "slides forward" in slid
    starts = re.findall(r'<rect class="part train" x="([\d.]+)"', slid)[:4]
    assert sorted(set(starts), key=float) == starts


def test_the_error_of_every_fold_is_drawn_and_tabled() -> None:
    made = backtest(count=4)
    drawn = Page(render(made)).section("folds")
    assert drawn.count('class="dot model"') == 2 * 4
    table = re.findall(r"<tr role=\"row\".*?</tr>", drawn.split("<details>")[0], re.S)
    for line, fold in zip(table[1:], made["folds"], strict=True):
        errors = [row["mae"] for row in fold["metrics"]]
        assert words(line).startswith(f"{fold['number']}: ")
        assert f"{errors[-1]:.2f}" in words(line) and line.count("(best)") == 1
    assert drawn.count("<details>") == 4 and "The test part of fold 4." in drawn


def test_steps_are_averaged_over_folds_with_their_spread() -> None:
    made = backtest(count=3)
    found = averaged(made)
    first = [fold["by_step"]["mae"][TAG][0] for fold in made["folds"]]
    assert found["by_step"]["mae"][TAG][0] == pytest.approx(sum(first) / 3)
    low, high = found["by_step"]["spread"][TAG]
    assert (low[0], high[0]) == (min(first), max(first))
    assert set(found["by_step"]["spread"]) == {TAG, "ridge"}
    held = [fold["intervals"]["coverage"]["0.8"][-1] for fold in made["folds"]]
    assert found["intervals"]["coverage"]["0.8"][-1] == pytest.approx(sum(held) / 3)
    drawn = Page(render(made))
    assert drawn.section("steps").count('<path class="band model"') == 2
    assert drawn.section("coverage").count('<path class="band model"') == 2 * 3


def test_a_check_that_failed_in_one_fold_stands_at_the_top() -> None:
    made = backtest()
    made["folds"][2]["checks"][1]["passed"] = False
    found = Page(render(made))
    assert "Leak check failed in fold 3: windows stay in their series." in found.text.split("Over all folds")[0]
    assert "In five folds together 45 checks ran: one check failed." in words(found.section("checks"))


@pytest.mark.parametrize("case", difficult_backtests())
def test_it_stands_what_records_bring(case: str) -> None:
    stands(difficult_backtests()[case], render)
