"""The drawing: round ticks, labels that do not cover each other, lines that keep their peaks."""

from __future__ import annotations

import math
import re
from datetime import datetime

import pytest

from pipelines.report import axes
from pipelines.report.chart import NARROW, WIDE, Chart, apart
from pipelines.report.diagram import diagram, settings
from tests.pipelines.records import record


def seconds(text: str) -> float:
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1)).total_seconds()


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0, 5.2, ["0", "1", "2", "3", "4", "5"]),
        (6.1, 17.9, ["7.5", "10.0", "12.5", "15.0", "17.5"]),
        (-0.013, 0.021, ["−0.010", "−0.005", "0.000", "0.005", "0.010", "0.015", "0.020"]),
        (900, 3300, ["1,000", "1,500", "2,000", "2,500", "3,000"]),
    ],
)
def test_ticks_are_round_and_say_what_they_are(low: float, high: float, labels: list[str]) -> None:
    ticks = axes.linear(low, high, 5)
    assert [text for _, text in ticks] == labels
    assert all(math.isclose(float(t.replace(",", "").replace("−", "-")), v, abs_tol=1e-12) for v, t in ticks)


@pytest.mark.parametrize(
    ("start", "end", "labels"),
    [
        ("2024-03-10T20:00", "2024-03-12T14:00", ["11 Mar", "12:00", "12 Mar", "12:00"]),
        ("2024-02-27T00:00", "2024-03-02T00:00", ["27 Feb", "28 Feb", "29 Feb", "1 Mar", "2 Mar"]),
        ("2024-01-03T00:00", "2024-02-01T00:00", ["8 Jan", "15 Jan", "22 Jan", "29 Jan"]),  # Mondays
        ("2023-11-15T00:00", "2024-03-15T00:00", ["Dec", "2024", "Feb", "Mar"]),
        ("2016-05-01T00:00", "2024-05-01T00:00", ["2018", "2020", "2022", "2024"]),
        ("2024-03-10T10:00:00", "2024-03-10T10:02:00", ["10:00:00", "10:00:30", "10:01:00", "10:01:30", "10:02:00"]),
    ],
)
def test_ticks_of_time_fall_on_days_weeks_months_and_years(start: str, end: str, labels: list[str]) -> None:
    assert [text for _, text in axes.times(seconds(start), seconds(end), 5)] == labels


def test_epochs_are_whole_and_logarithms_have_few_ticks() -> None:
    assert [t for _, t in axes.whole(1, 14, 6)] == ["2", "4", "6", "8", "10", "12", "14"]
    assert [t for _, t in axes.whole(1, 3, 8)] == ["1", "2", "3"]
    assert [v for v, _ in axes.logarithmic(0.009, 110, 5)] == pytest.approx([0.01, 0.1, 1, 10, 100])


def test_labels_are_moved_apart_as_little_as_need_be() -> None:
    assert apart([10, 50, 90], 15, 0, 100) == [10, 50, 90]
    assert apart([50, 50, 50], 10, 0, 100) == [40, 50, 60]
    assert apart([98, 99], 10, 0, 100) == [90, 100]
    assert apart([-5, 0], 10, 0, 100) == [0, 10]
    assert apart([], 10, 0, 100) == []


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_a_line_of_a_hundred_thousand_points_keeps_its_peak_and_little_else(size) -> None:
    ys = [math.sin(i / 5000) for i in range(100_000)]
    ys[61_234] = 3.0
    chart = Chart(size, (0, 99_999), (-1, 3))
    chart.line(range(100_000), ys, "model")
    points = re.findall(r"[ML]([\d.]+) ([\d.]+)", chart.parts[0])
    assert len(points) <= 2 * size.width + 2
    assert min(float(y) for _, y in points) == chart.top


def test_a_line_breaks_where_values_are_missing_and_stays_inside() -> None:
    chart = Chart(WIDE, (0, 6), (0, 1))
    chart.line(range(7), [0.1, 0.2, math.nan, 0.5, None, 0.9, 99.0], "model")
    path, dot = chart.parts
    assert path.count("M") == 2 and dot.startswith("<circle")
    assert min(float(y) for y in re.findall(r"[ML][\d.]+ (-?[\d.]+)", path)) == chart.top


def test_equal_layers_are_one_box_and_what_does_nothing_is_left_out() -> None:
    drawn = diagram(record())
    assert drawn is not None
    assert [(b.slot, b.kind, b.times) for b in drawn.branches[0]] == [
        ("embedding", "value", 1),
        ("encoder", "gru", 2),
        ("pooling", "last", 1),
        ("head", "forecast", 1),
    ]


@pytest.mark.parametrize(("sign", "join"), [(" ~ ", "blended"), (" + ", "summed")])
def test_branches_with_heads_of_their_own_are_blended_or_summed(sign: str, join: str) -> None:
    made = record(branches=True)
    made["model"]["slots_table"] = [r for r in made["model"]["slots_table"] if r["branch"] is not None]
    made["model"]["tag"] = f"a{sign}b"
    drawn = diagram(made)
    assert drawn is not None and (drawn.join, len(drawn.branches), drawn.after) == (join, 2, [])


def test_settings_are_words() -> None:
    given = {"units": 64, "dropout": 0.1, "bias": False, "causal": True, "hidden": [], "window": None}
    assert settings(given | {"layer": {"kind": "gru", "units": 8}}) == [
        *("units 64", "dropout 0.1", "no bias", "causal", "no hidden", "layer gru (units 8)")
    ]
