"""Bands cover what they promise, by their definition, in both forms, and in the reports' numbers."""

from __future__ import annotations

import json

import numpy as np
import pytest

from data.transforms.forms import GRAPH, NUMPY
from pipelines import intervals
from pipelines.intervals import QUANTILE, SPLIT, Intervals, calibrate, levels_of, pairs_of

LEVELS = levels_of([0.5, 0.8, 0.95])


def noise(windows: int, seed: int, horizon: int = 4, targets: int = 2) -> np.ndarray:
    """Errors that grow over the horizon and differ by target."""
    size = np.arange(1, horizon + 1)[:, None] * np.array([1.0, 20.0])[:targets]
    return np.random.default_rng(seed).standard_t(5, (windows, horizon, targets)) * size


def covered(found: Intervals, truth: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """(bands, horizon, targets): the share of windows inside."""
    pairs = pairs_of(found.levels)
    return np.stack([((truth >= quantiles[..., i]) & (truth <= quantiles[..., j])).mean(0) for _, i, j in pairs])


def test_levels_and_bands_are_each_others_mirror():
    assert LEVELS == (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
    assert pairs_of(LEVELS) == [(0.5, 2, 4), (0.8, 1, 5), (0.95, 0, 6)]
    assert levels_of([0.95, 0.5, 0.5]) == (0.025, 0.25, 0.5, 0.75, 0.975)
    assert pairs_of((0.05, 0.5, 0.9)) == []  # no level has a partner


def test_the_margin_is_the_order_statistic_of_the_definition():
    """n = 9, b = 0.8: the ⌈10 · 0.8⌉ = 8th smallest of the absolute errors."""
    errors = np.array([3.0, -1, 4, -1.5, 5, 9, -2, 6, 7])[:, None, None]
    found = calibrate([(errors, np.zeros_like(errors), None, None)], levels_of([0.8]), SPLIT)
    assert found.windows == 9 and found.margins.tolist() == [[[7.0]]]
    assert found.quantiles(np.array([[[10.0]]])).tolist() == [[[[3.0, 10.0, 17.0]]]]


def test_bands_around_a_point_forecast_cover_at_least_what_they_say():
    truth = noise(400, 0)
    parts = [(truth[i : i + 70], np.zeros_like(truth[i : i + 70]), None, None) for i in range(0, 400, 70)]
    found = calibrate(parts, LEVELS, SPLIT)
    fresh = noise(20_000, 1)
    shares = covered(found, fresh, found.quantiles(np.zeros_like(fresh)))
    for band, share in zip(found.bands, shares, strict=True):
        np.testing.assert_allclose(share, band, atol=0.06)  # 400 windows leave a share ± 2.5 %


Z = np.array([-1.96, -1.28, -0.67, 0, 0.67, 1.28, 1.96])


def forecast_quantiles(windows: int, spread: float) -> np.ndarray:
    """The quantiles of a model that is `spread` times as unsure as it should be."""
    size = np.arange(1, 5)[:, None, None] * np.array([1.0, 20.0])[:, None]
    return np.broadcast_to(spread * Z * size, (windows, 4, 2, 7))


def test_a_quantile_model_that_is_too_sure_is_put_right():
    truth, fresh = noise(4000, 2), noise(20_000, 3)
    own, new = forecast_quantiles(4000, 0.3), forecast_quantiles(20_000, 0.3)
    found = calibrate([(truth, own[..., 3], own, None)], LEVELS, QUANTILE)
    assert (covered(found, fresh, new)[1] < 0.5).all()
    for band, share in zip(found.bands, covered(found, fresh, found.quantiles(new[..., 3], new)), strict=True):
        np.testing.assert_allclose(share, band, atol=0.03)


def test_a_quantile_model_that_is_too_cautious_is_left_as_it_is():
    own = forecast_quantiles(4000, 3.0)
    found = calibrate([(noise(4000, 2), own[..., 3], own, None)], LEVELS, QUANTILE)
    assert (found.margins == 0).all()
    np.testing.assert_allclose(found.quantiles(own[..., 3], own), own, rtol=1e-6)


def test_calibrated_quantiles_never_cross():
    """The inner band is moved by so much that it would pass the edges of both outer ones."""
    margins = np.array([20.0, 0.0, 1.0], np.float32)[:, None, None]
    found = Intervals(QUANTILE, LEVELS, 100, None, margins)
    own = np.array([-20.0, -3, -2, 0, 2, 3, 20])[None, None, None]
    assert found.quantiles(own[..., 3], own).ravel().tolist() == [-22, -22, -22, 0, 22, 22, 22]


def test_the_bands_of_a_panel_fit_its_small_and_its_large_series():
    rng = np.random.default_rng(4)
    size = np.array([1.0, 100.0])

    def panel(windows: int):
        which = rng.integers(2, size=windows)
        past = rng.normal(size=(windows, 30, 1)).cumsum(1) * size[which][:, None, None]
        truth = past[:, -1:] + rng.normal(size=(windows, 1, 1)) * size[which][:, None, None]
        return which, past, truth, past[:, -1:]

    _, past, truth, forecast = panel(2000)
    floor = (0.1,)
    scaled = calibrate([(truth, forecast, None, intervals.window_scale(past, floor))], LEVELS, SPLIT, floor)
    plain = calibrate([(truth, forecast, None, None)], LEVELS, SPLIT)
    which, past, truth, forecast = panel(10_000)
    for series in (0, 1):
        own = which == series
        got = covered(scaled, truth[own], scaled.quantiles(forecast[own], None, scaled.scale(past[own])))
        np.testing.assert_allclose(got.ravel(), scaled.bands, atol=0.04)
    small = which == 0
    wide = covered(plain, truth[small], plain.quantiles(forecast[small]))
    assert wide[0] > 0.95, "without scales half the large errors cover nearly all of the small series"


def test_a_window_that_stands_still_has_the_least_scale():
    past = np.full((2, 5, 1), 7.0, np.float32)
    past[1, :, 0] = [0, 2, 0, 2, 0]
    assert intervals.window_scale(past, (0.5,)).ravel().tolist() == [0.5, 2.0]


@pytest.mark.parametrize("method", [SPLIT, QUANTILE])
@pytest.mark.parametrize("floor", [None, (0.3, 2.0)])
def test_the_graph_gives_what_numpy_gives(method, floor):
    import tensorflow as tf

    rng = np.random.default_rng(5)
    past = rng.normal(size=(6, 9, 2)).astype("float32")
    own = np.sort(rng.normal(size=(6, 4, 2, 7)), axis=-1).astype("float32")
    margins = rng.exponential(size=(3, 4, 2)).astype("float32")
    found = Intervals(method, LEVELS, 50, floor, margins)
    expected = found.quantiles(own[..., 3], own, found.scale(past, NUMPY), NUMPY)

    @tf.function
    def graph(forecast, own, past):
        return found.quantiles(forecast, own, found.scale(past, GRAPH), GRAPH)

    np.testing.assert_allclose(graph(own[..., 3], own, past).numpy(), expected, rtol=1e-6, atol=1e-6)
    assert expected.shape == (6, 4, 2, 7)


def test_json_brings_them_back():
    margins = np.random.default_rng(6).random((3, 4, 2)).astype("float32")
    found = Intervals(SPLIT, LEVELS, 50, (0.5, 1.5), margins)
    again = Intervals.from_json(json.loads(json.dumps(found.to_json())))
    forecast, past = np.ones((3, 4, 2)), np.random.default_rng(7).random((3, 8, 2))
    np.testing.assert_array_equal(
        found.quantiles(forecast, None, found.scale(past)), again.quantiles(forecast, None, again.scale(past))
    )
    assert again.bands == found.bands == (0.5, 0.8, 0.95) and again.windows == 50


def test_too_few_windows_for_a_band_take_the_largest_error_and_say_so():
    truth = noise(18, 8)
    found = calibrate([(truth, np.zeros_like(truth), None, None)], LEVELS, SPLIT)
    assert found.unsupported == (0.95,)
    np.testing.assert_allclose(found.margins[-1], np.abs(truth).max(0), rtol=1e-6)
    more = noise(19, 8)
    assert calibrate([(more, np.zeros_like(more), None, None)], LEVELS, SPLIT).unsupported == ()


def test_nothing_is_calibrated_on_forecasts_that_are_not_numbers():
    truth = noise(30, 9)
    forecast = np.full_like(truth, np.nan)
    with pytest.raises(FloatingPointError, match="not a finite"):
        calibrate([(truth, forecast, None, None)], LEVELS, SPLIT)
    with pytest.raises(ValueError, match="no windows"):
        calibrate([], LEVELS, SPLIT)


def test_the_windows_used_are_bounded_and_spread_over_the_whole_part():
    origins = np.arange(100, 40_100)
    chosen = intervals.choose(origins, 24, 1, 1)
    assert len(chosen) == 5000 and chosen[0] == 100 and chosen[-1] == 40_099
    assert set(np.diff(chosen)) <= {7, 8, 9}
    large = intervals.choose(origins, 720, 21, 3)
    assert len(large) * 720 * 21 * 3 <= intervals.ERRORS
    assert intervals.choose(origins[:300], 24, 1, 1).tolist() == origins[:300].tolist()
