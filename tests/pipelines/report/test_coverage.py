"""Bands: which quantiles make them, and whether what they hold is said plainly."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

from pipelines.report import bands, coverage
from pipelines.report.page import render
from tests.pipelines.records import record
from tests.pipelines.report.pages import Page, words


def measured(**changes: Any) -> dict[str, Any]:
    """A record with one 80 % band over four hours."""
    made = record(horizon=4)
    made["intervals"] |= {
        "bands": [0.8],
        "hours": [1.0, 2.0, 3.0, 4.0],
        "coverage": {"0.8": [0.8] * 4},
        "width": {"0.8": [1.0, 2.0, 3.0, 4.0]},
    } | changes
    return made


def said(**changes: Any) -> list[str]:
    return [text.replace("\xa0", " ") for text in coverage.sentences(measured(**changes))]


def test_levels_make_bands_with_their_partners_alone() -> None:
    found = bands.nested({"0.9": [3.0], "0.1": [1.0], "0.5": [2.0], "0.025": [0.0], "0.975": [4.0], "0.3": [9.0]})
    assert [(b.share, b.low, b.high) for b in found] == [(0.95, [0.0], [4.0]), (0.8, [1.0], [3.0])]
    assert bands.cases([b.share for b in found]) == "80 and 95 of 100 cases"
    assert bands.nested(None) == []


def test_a_band_holds_what_lies_on_its_edge_and_nothing_that_is_not_a_number() -> None:
    band = bands.Band(0.8, [0.0, 0.0, 0.0, math.nan], [1.0, 1.0, 1.0, 1.0])
    assert band.holds([1.0, 1.01, math.nan, 0.5]) == 1


@pytest.mark.parametrize("count", [1, 3, 30])
def test_the_legend_shows_the_shades_as_they_lie_on_each_other(count: int) -> None:
    found = [bands.Band(1 - (k + 1) / (count + 1), [0.0], [1.0]) for k in range(count)]
    shades = [float(re.findall(r'fill-opacity="([\d.]+)"', key.mark)[0]) for key in bands.legend(found)]
    assert shades == sorted(shades, reverse=True) and len(set(shades)) == count
    assert shades[0] <= bands.DARKEST + 1e-9


def test_a_table_shows_the_80_band_or_else_the_widest() -> None:
    assert bands.column([{"coverage_50": 0.5, "coverage_80": 0.7, "coverage_95": 0.9}]) == ("coverage_80", 0.8)
    assert bands.column([{"coverage_50": None}, {"coverage_50": 0.5, "coverage_90": 0.9}]) == ("coverage_90", 0.9)
    assert bands.column([{"mae": 1.0, "coverage_80": None}]) is None


def test_a_band_that_holds_what_it_should_is_called_right() -> None:
    assert said() == ["Every band holds what it should, to within 3 points, over all and at each step."]


def test_a_band_that_holds_too_little_is_called_so_with_its_worst_step() -> None:
    assert said(coverage={"0.8": [0.8, 0.75, 0.7, 0.55]}) == [
        "The 80 % band holds only 70.0 % of the truth, 10 points less than it should; least 4 h ahead: 55.0 %."
    ]


def test_a_band_that_holds_too_much_is_called_too_wide() -> None:
    assert said(coverage={"0.8": [0.95, 0.9, 0.9, 0.85]}) == [
        "The 80 % band holds 90.0 % of the truth, 10 points more than it should: it is wider than it need be; "
        "most 1 h ahead: 95.0 %."
    ]


def test_steps_that_are_off_are_told_where_the_mean_is_right() -> None:
    assert said(coverage={"0.8": [0.9, 0.8, 0.8, 0.7]}) == [
        "The 80 % band holds 80.0 % of the truth, as it should over all, but at 2 of 4 steps it is more than 3 points "
        "off; furthest 4 h ahead: 70.0 %."
    ]


def test_what_the_calibration_notes_is_told_last() -> None:
    note = "12 validation windows are too few for the band of 95%"
    assert said(note=note) == [*said(), "12 validation windows are too few for the band of 95 %."]


def test_whose_bands_they_are_and_on_what_they_were_calibrated() -> None:
    assert coverage.source(measured()) == (
        "Bands of the trained model, calibrated on 1,731 windows of the validation part (split conformal) and "
        "measured on the test part."
    )
    assert coverage.source(measured(of="ridge")).startswith("Bands of the ridge, calibrated")


def test_the_page_draws_measured_coverage_against_the_nominal_one() -> None:
    drawn = Page(render(measured(uncalibrated={"0.8": [0.7] * 4}))).section("coverage")
    assert drawn.count('<path class="line nominal"') == 2 + 1  # wide, narrow, and the legend
    assert drawn.count('<path class="line model solid"') == drawn.count('<path class="line model before"') == 2 + 1
    cells = re.findall(r"<t[dh] .*?</t[dh]>", re.findall(r"<tbody.*?</tbody>", drawn, re.S)[0], re.S)
    told = [words(cell).replace("\xa0", " ") for cell in cells]
    assert told == ["80 % band", "80.0 %", "0.0", "70.0 %", "2.50"]
    without = Page(render(measured())).section("coverage")
    assert "before" not in without


def test_a_single_step_has_a_table_and_no_figure() -> None:
    drawn = Page(render(record(horizon=1))).section("coverage")
    assert "<figure" not in drawn and "95\xa0% band" in drawn
