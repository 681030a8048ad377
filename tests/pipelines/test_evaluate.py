"""Metrics and baselines equal their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines import baselines
from pipelines.evaluate import ForecastErrors, IntervalErrors, coverage_key, pick_windows, verdict
from pipelines.task import Verdict


@pytest.fixture
def forecasts():
    rng = np.random.default_rng(0)
    truth, forecast = rng.normal(size=(50, 6, 2)), rng.normal(size=(50, 6, 2))
    scale = rng.uniform(0.5, 2, size=(50, 2))
    return truth, forecast, scale


def test_errors_in_batches_equal_the_definitions(forecasts):
    truth, forecast, scale = forecasts
    errors = ForecastErrors(6, 2)
    for part in (slice(0, 7), slice(7, 50)):
        errors.add(truth[part], forecast[part], scale[part])
    row = errors.row()
    assert row["mae"] == pytest.approx(np.abs(truth - forecast).mean())
    assert row["rmse"] == pytest.approx(np.sqrt(((truth - forecast) ** 2).mean((0, 1))).mean())
    assert row["mase"] == pytest.approx((np.abs(truth - forecast) / scale[:, None]).mean())
    np.testing.assert_allclose(errors.mae_by_step(), np.abs(truth - forecast).mean(0))
    assert errors.rows_by_target()[1]["mae"] == pytest.approx(np.abs(truth - forecast)[..., 1].mean())


def test_pinball_coverage_and_width_equal_the_definitions(forecasts):
    truth, forecast, scale = forecasts
    levels = (0.1, 0.25, 0.5, 0.75, 0.9)
    quantiles = forecast[..., None] + np.array([-1.0, -0.4, 0.0, 0.4, 1.0])
    errors = IntervalErrors(6, 2, levels)
    for part in (slice(0, 7), slice(7, 50)):
        errors.add(truth[part], quantiles[part], scale[part])
    row = errors.row()
    by_hand = [
        (q * max(y - b, 0) + (1 - q) * max(b - y, 0))
        for y, own in zip(truth.ravel(), quantiles.reshape(-1, 5), strict=True)
        for q, b in zip(levels, own, strict=True)
    ]
    assert row["pinball"] == pytest.approx(np.mean(by_hand))
    inside = (truth >= quantiles[..., 0]) & (truth <= quantiles[..., -1])
    assert row["coverage_80"] == pytest.approx(inside.mean()) and row["coverage_50"] < row["coverage_80"]
    assert errors.coverage_by_step()["0.8"] == pytest.approx(inside.mean((0, 2)))
    assert errors.width_by_step(scaled=False)["0.8"] == pytest.approx([2.0] * 6)
    assert errors.width_by_step(scaled=True)["0.5"] == pytest.approx([np.mean(0.8 / scale)] * 6)


def test_naive_forecasts_use_only_the_past():
    values = np.arange(40.0)[:, None] ** 1.5
    origins, starts = np.array([20, 25]), np.array([0, 0])
    for rule in baselines.NAIVE.values():
        before = rule(values, origins, starts, 8, 4, 6)
        changed = values.copy()
        changed[25:] = -1
        after = rule(changed, origins, starts, 8, 4, 6)
        np.testing.assert_array_equal(before[1], after[1])
        assert before.shape == (2, 4, 1)


def test_naive_forecasts_equal_their_equations():
    values = np.array([3.0, 1, 4, 1, 5, 9, 2, 6])[:, None]
    at = (values, np.array([6]), np.array([0]))
    np.testing.assert_array_equal(baselines.last_value(*at, 4, 3, 2)[0, :, 0], [9, 9, 9])
    np.testing.assert_array_equal(baselines.seasonal_naive(*at, 4, 5, 2)[0, :, 0], [5, 9, 5, 9, 5])
    slope = (9 - 4) / 3
    np.testing.assert_allclose(baselines.drift(*at, 4, 3, 2)[0, :, 0], 9 + slope * np.array([1, 2, 3]))


def test_seasonal_naive_falls_back_to_the_last_value_where_the_series_is_younger_than_a_season():
    values = np.arange(10.0)[:, None]
    got = baselines.seasonal_naive(values, np.array([5]), np.array([2]), 2, 4, 4)[0, :, 0]
    np.testing.assert_array_equal(got, [4, 2, 3, 4])  # row 1 lies before the series' first row, 2


def test_the_windows_shown_are_not_the_luckiest():
    errors = np.random.default_rng(1).permutation(np.arange(101.0))
    picked = {name: errors[at] for name, at in pick_windows(errors).items()}
    assert picked == {"good": 5, "typical": 50, "worst": 100}


def _row(name, role, mase, seconds=0.0):
    return {"name": name, "role": role, "mae": mase, "mase": mase, "skill": 1 - mase / 2.0, "seconds": seconds}


def _verdict(model, ridge, arima=None, candidate="best"):
    rows = [_row("last value", "baseline", 2.0), _row("ridge", "baseline", ridge, 0.3)]
    rows += [_row("arima", "baseline", arima, 37)] if arima else []
    rows.append(_row("gru", "model", model, 40))
    return verdict(rows, "last value", "degC", ["ridge"], candidate)


@pytest.mark.parametrize(
    ("model", "ridge", "said", "chosen"),
    [
        (1.0, 1.2, "The trained model earns its time", "gru"),
        (1.2, 1.0, "Use the ridge: its error of 1.00 degC is 16.7% below the trained model's", "ridge"),
        (0.996, 1.0, "to be preferred", "ridge"),
        (0.994, 1.0, "The trained model earns its time", "gru"),
        (2.5, 2.2, "It must not be used. Nor must the ridge", "ridge"),
        (2.2, 2.5, "The model loses to the best naive forecast (last value): 2.20 degC, 10.0% above it", "gru"),
        (2.5, 1.0, "Use the ridge: its error of 1.00 degC is 50.0% below the best naive forecast", "ridge"),
    ],
)
def test_the_verdict_follows_the_table(model, ridge, said, chosen):
    found = _verdict(model, ridge)
    assert said in found.text and found.chosen == chosen


def test_a_classical_baseline_that_is_best_of_all_is_named_and_not_shipped():
    found = _verdict(1.0, 1.2, arima=0.8)
    assert found.chosen == "gru"
    assert "Better still is arima: its error of 0.800 degC is 20.0% below the trained model's, for 37 s" in found.text
    assert "Better still is arima" in _verdict(1.2, 1.0, arima=0.9).text
    assert "arima" not in _verdict(1.0, 1.2, arima=1.1).text
    assert "Better still" not in _verdict(2.5, 2.4, arima=2.2).text, "it loses to naive itself"


def test_the_configured_model_is_chosen_where_that_is_asked_for():
    found = _verdict(1.2, 1.0, candidate="model")
    assert found.chosen == "gru" and "Use the ridge" in found.text and "exported" not in found.text
    assert "The trained model is kept all the same, as export.candidate asks." in found.text
    assert "all the same" not in _verdict(1.0, 1.2, candidate="model").text


@pytest.mark.parametrize(
    ("model", "ridge", "naive", "said", "chosen"),
    [
        (0.1, 0.2, 0.0, "loses to the best naive forecast (last value): 0.100 degC against 0.00 degC", "gru"),
        (0.1, 0.0, 0.0, "0.100 degC against 0.00 degC. It must not be used. Nor must the ridge", "ridge"),
        (0.1, 0.0, 0.3, "Use the ridge: its error of 0.00 degC is 100.0% below", "ridge"),
        (float("nan"), 1.0, 2.0, "The model loses", "ridge"),
    ],
)
def test_errors_of_nought_and_no_numbers_have_a_verdict_too(model, ridge, naive, said, chosen):
    rows = [_row("last value", "baseline", naive), _row("ridge", "baseline", ridge), _row("gru", "model", model)]
    found = verdict(rows, "last value", "degC", ["ridge"])
    assert said in found.text and found.chosen == chosen


def test_a_band_is_named_by_its_share_in_per_cent():
    assert [coverage_key(b) for b in (0.5, 0.29, 0.955, 0.96, 0.999)] == [
        f"coverage_{p}" for p in ("50", "29", "95.5", "96", "99.9")
    ]


def test_without_a_solved_baseline_the_model_is_chosen():
    rows = [_row("last value", "baseline", 2.0), _row("gru", "model", 1.0, 40)]
    assert verdict(rows, "last value", None) == Verdict(
        "The model's error of 1.00 (MASE) is 50.0% below the best naive forecast (last value).", "gru"
    )
