"""Durations are read as people write them, and refused when they mean nothing."""

from __future__ import annotations

import pytest

from data import durations
from data.errors import DataError


@pytest.mark.parametrize(
    ("text", "expected"),
    [("30s", 30), ("10min", 600), ("24h", 86400), ("5d", 432000), ("2w", 1209600), ("1.5h", 5400), (" 3 H ", 10800)],
)
def test_seconds(text, expected):
    assert durations.seconds(text, "data.step") == expected


def test_twelve_months_are_a_year():
    assert durations.seconds("12mo", "") == durations.seconds("1y", "")


@pytest.mark.parametrize(("value", "rows"), [("24h", 24), ("1d", 24), (24, 24), ("24", 24), ("1w", 168)])
def test_steps_of_an_hour(value, rows):
    assert durations.steps(value, 3600, "data.horizon") == rows


def test_a_week_of_weekdays_has_five_rows():
    assert durations.steps("2w", 86400, "data.horizon", week=5 * 86400) == 10


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0, r"data.horizon: 0 given. Accepted: 1 step or more"),
        ("0h", "must be longer than nothing"),
        (-3, "-3 given"),
        ("-3h", "must be longer than nothing"),
        ("soon", "'soon' is not a duration. Accepted: a number with a unit"),
        ("5m", r"minutes \(min\) or months \(mo\)"),
        ("90min", "90min is not a multiple of the step, 1h. The nearest that are: 1h or 2h"),
        ("10min", "The nearest that are: 1h"),
        ("0.3s", "not a whole number of seconds"),
        (True, "not a duration"),
        (None, "not a duration"),
        ("", "not a duration"),
    ],
)
def test_what_is_no_duration_is_refused(value, message):
    with pytest.raises(DataError, match=message):
        durations.steps(value, 3600, "data.horizon")


@pytest.mark.parametrize("text", ["30s", "10min", "1h", "5d", "2w", "7d", "1mo", "1y", "90s"])
def test_text_and_back(text):
    assert durations.text(durations.seconds(text, "")) == text
