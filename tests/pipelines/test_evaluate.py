"""Metrics and baselines equal their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines import baselines
from pipelines.evaluate import ForecastErrors, pick_windows, verdict


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
    assert row["pinball"] is None and row["coverage"] is None
    np.testing.assert_allclose(errors.mae_by_step(), np.abs(truth - forecast).mean(0))
    assert errors.rows_by_target()[1]["mae"] == pytest.approx(np.abs(truth - forecast)[..., 1].mean())


def test_pinball_and_coverage_equal_the_definitions(forecasts):
    truth, forecast, scale = forecasts
    levels = (0.1, 0.5, 0.9)
    bands = forecast[..., None] + np.array([-1.0, 0.0, 1.0])
    errors = ForecastErrors(6, 2, levels)
    errors.add(truth, forecast, scale, bands)
    by_hand = [
        (q * max(y - b, 0) + (1 - q) * max(b - y, 0))
        for y, row in zip(truth.ravel(), bands.reshape(-1, 3), strict=True)
        for q, b in zip(levels, row, strict=True)
    ]
    assert errors.row()["pinball"] == pytest.approx(np.mean(by_hand))
    inside = (truth >= bands[..., 0]) & (truth <= bands[..., -1])
    assert errors.row()["coverage"] == pytest.approx(inside.mean())


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


@pytest.mark.parametrize(
    ("model", "ridge", "said"),
    [
        (1.0, 1.2, "The trained model earns its time"),
        (1.2, 1.0, "Use the ridge"),
        (1.001, 1.0, "to be preferred"),
        (2.5, 2.2, "must not be used"),
    ],
)
def test_the_verdict_follows_the_table(model, ridge, said):
    rows = [_row("last value", "baseline", 2.0), _row("ridge", "baseline", ridge, 0.3), _row("gru", "model", model, 40)]
    assert said in verdict(rows, "last value", "degC")
