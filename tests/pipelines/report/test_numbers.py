"""Numbers as readers get them: three significant digits, units that stay with their number, nothing made up."""

from __future__ import annotations

import math

import pytest

from pipelines.report import numbers
from pipelines.report.tables import repairs
from tests.pipelines.records import record


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (2.158, "2.16"),
        (0.021349, "0.0213"),
        (31256.4, "31,256"),
        (-0.5, "−0.500"),
        (0, "0"),
        (math.nan, "NaN"),
        (-math.inf, "−∞"),
        (None, "–"),
    ],
)
def test_a_number_has_three_significant_digits(value: float | None, said: str) -> None:
    assert numbers.number(value) == said


def test_a_column_has_one_number_of_decimals() -> None:
    assert numbers.column([2.709, 12.6, 2.158, None, math.nan]) == ["2.71", "12.60", "2.16", "–", "NaN"]
    assert numbers.column([1250.4, 980.6]) == ["1,250", "981"]
    assert numbers.column([None, None]) == ["–", "–"]


def test_the_best_is_the_lowest_and_never_a_nan() -> None:
    assert numbers.best(["NaN", "2.3", "2.2"], [math.nan, 2.3, 2.2]) == [False, False, True]
    assert numbers.best(["NaN"], [math.nan]) == [False]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.912, "0.91 s"), (92.4, "92 s"), (99.7, "100 s"), (168.4, "2 min 48 s"), (180, "3 min"), (4330, "1 h 12 min")],
)
def test_a_duration_is_given_in_units_of_its_size(seconds: float, said: str) -> None:
    assert numbers.duration(seconds).replace(numbers.GAP, " ") == said


def test_small_errors_are_powers_of_ten() -> None:
    assert numbers.scientific(2.4e-7) == "2.4 × 10⁻⁷"
    assert numbers.scientific(9.96e-7) == "1.0 × 10⁻⁶"
    assert numbers.scientific(0) == "0"
    assert numbers.scientific(0.31) == "0.31"


def test_durations_and_counts_are_words() -> None:
    assert numbers.span("5d") == f"five{numbers.GAP}days"
    assert numbers.span("24h") == f"24{numbers.GAP}hours"
    assert numbers.every("1h") == "hour" and numbers.every("10min") == f"ten{numbers.GAP}minutes"
    assert numbers.span("whatever") == "whatever"
    assert numbers.count(1, "repair") == "one repair" and numbers.count(17544, "row") == "17,544 rows"


def test_a_mean_has_its_spread_beside_it_in_the_same_decimals() -> None:
    gap = numbers.GAP
    assert numbers.spreads([2.709, 12.6], [0.1234, None]) == [f"2.71{gap}±{gap}0.12", "12.60"]
    assert numbers.points(-0.061) == f"6.1{gap}points" and numbers.points(0.01) == f"1{gap}point"
    assert numbers.listed(["50", "80", "95"]) == "50, 80 and 95" and numbers.listed(["50"]) == "50"


def test_a_stretch_of_nought_is_nothing_and_a_bare_number_counts_rows() -> None:
    assert [numbers.stretch(text) for text in (None, "0", "0h", "144", "24h")] == [
        *("", "", "", "144 rows", f"24{numbers.GAP}hours")
    ]


def test_units_are_put_right_in_prose_behind_numbers_alone() -> None:
    said = numbers.prose("T (degC): 2.16 degC, 20.3% below the ridge's", ["degC"])
    assert said == f"T (degC): 2.16{numbers.GAP}°C, 20.3{numbers.GAP}% below the ridge’s"


def test_times_are_dates_unless_the_hour_matters() -> None:
    assert numbers.when("2024-05-26T16:00:00") == "26 May 2024, 16:00"
    assert numbers.when("2024-05-26T00:00:00") == "26 May 2024"
    assert numbers.when("2024-05-26", clock=True) == "26 May 2024, 00:00"
    assert numbers.when(None) == "–" and numbers.when("week 3") == "week 3"


def test_repairs_are_counted_in_words() -> None:
    assert repairs(record(repairs=[])) == ("Nothing had to be repaired.", [])
    assert repairs(record(repairs=[{"what": "empty or NaN", "count": 1, "column": "x"}])) == (
        "One repair.",
        ["Empty or NaN: 1 in x"],
    )
