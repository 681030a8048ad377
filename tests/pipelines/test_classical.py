"""Classical baselines: chosen on the train part, causal, better than naive where there is a season, bounded in time."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

from pipelines import classical
from pipelines.classical import ClassicalOptions, fit
from seqlayers.errors import ConfigurationError
from tests.pipelines.command import sales
from tests.pipelines.test_forecast_task import RIDGE, prepared

pytest.importorskip("statsforecast", reason="the extra `classical` is not installed")


def options(name: str, **changes) -> ClassicalOptions:
    return ClassicalOptions(classical=name, **changes)


def ask(predictor, task, origins: np.ndarray, values: np.ndarray | None = None) -> np.ndarray:
    data, spec = task.data, task.data.spec
    values = data.series.values[:, :1] if values is None else values
    starts = data.series.bounds[np.searchsorted(data.series.bounds, origins, side="right") - 1]
    return predictor(values, origins, starts, spec.look_back, spec.horizon, spec.season)


@pytest.fixture(scope="module")
def daily(tmp_path_factory):
    return prepared(tmp_path_factory.mktemp("daily"), RIDGE)


@pytest.mark.parametrize("name", ["auto_ets", "auto_arima", "auto_theta"])
def test_they_beat_the_naive_forecasts_on_a_seasonal_series(tmp_path, name):
    task = prepared(tmp_path, RIDGE, f"baselines={{mine: {{classical: {name}}}}}")
    told: list[str] = []
    candidates = task.baselines(told.append)
    assert [c.name for c in candidates] == ["last value", "seasonal naive", "drift", "mine"]
    rows = {row["name"]: row for row in task.evaluate("test", candidates).rows}
    assert rows["mine"]["role"] == "baseline" and rows["mine"]["seconds"] > 0
    assert rows["mine"]["mae"] < rows["seasonal naive"]["mae"] < rows["last value"]["mae"]
    assert rows["mine"]["skill"] > 0
    assert any("fitted in" in line for line in told) and any("108 windows forecast in" in line for line in told)


@pytest.mark.parametrize("name", ["auto_ets", "auto_arima", "auto_theta"])
def test_a_forecast_reads_nothing_after_its_origin(daily, name):
    predictor = fit("mine", options(name), daily.data, lambda line: None)
    origin = daily.data.origins("test")[20:21]
    values = daily.data.series.values[:, :1].copy()
    before = ask(predictor, daily, origin)
    values[origin[0] :] = 1e6
    predictor.found.clear()
    np.testing.assert_array_equal(ask(predictor, daily, origin, values), before)
    values[origin[0] - 1] += 50
    predictor.found.clear()
    assert not np.allclose(ask(predictor, daily, origin, values), before), "the last reading counts"


@pytest.mark.parametrize("name", ["auto_ets", "auto_arima", "auto_theta"])
def test_orders_and_parameters_come_from_the_train_part(tmp_path, name):
    """Everything after the train part is another series; what was fitted is the same."""
    frame = sales()
    changed = frame.copy()
    last = int(len(frame) * 0.7)
    changed.loc[last:, "units"] = 500 + 100 * np.random.default_rng(1).normal(size=len(frame) - last)
    past = np.random.default_rng(2).normal(100, 20, 60)
    found = []
    for given in (frame, changed):
        task = prepared(tmp_path, RIDGE, frame=given)
        predictor = fit("mine", options(name), task.data, lambda line: None)
        (fitted,) = predictor.fitted.values()
        found.append(fitted.models[0].forward(past, 7)["mean"])
    np.testing.assert_array_equal(*found)


def test_exponential_smoothing_carries_its_state_on_from_the_fit(daily):
    """Its forecast is that of the same model run over every row since the first one it was fitted on."""
    predictor = fit("mine", options("auto_ets", fit_rows=100), daily.data, lambda line: None)
    (fitted,) = predictor.fitted.values()
    first = int(daily.data.borders_in_time.ranges(daily.data.series, "train")[1][0]) - 100
    origin = daily.data.origins("test")[:1]
    past = daily.data.series.values[first : origin[0], 0].astype(float)
    expected = fitted.models[0].forward(past, 7)["mean"]
    np.testing.assert_allclose(ask(predictor, daily, origin)[0, :, 0], expected, rtol=1e-6)


def test_behind_a_gap_the_state_begins_at_the_same_phase_of_the_season(tmp_path):
    """A pure weekly pattern with three months missing: forecasts stay in step with the week."""
    frame = sales(500)
    frame["units"] = 100 + 20.0 * (np.arange(500) % 7)
    frame = frame.drop(index=range(330, 420))
    task = prepared(tmp_path, RIDGE, frame=frame)
    assert len(task.data.series.bounds) == 3
    predictor = fit("mine", options("auto_ets"), task.data, lambda line: None)
    origins = task.data.origins("test")[-5:]
    np.testing.assert_allclose(ask(predictor, task, origins), task.data.truth(origins), atol=1)


def test_a_series_too_short_to_fit_on_gets_the_seasonal_naive_forecast_and_it_is_said(tmp_path):
    old = sales().assign(shop="old")
    new = sales(66).assign(shop="new")
    new["date"] = pd.date_range("2023-12-01", periods=66)  # train ends before
    told: list[str] = []
    task = prepared(tmp_path, RIDGE, "data.id=shop", frame=pd.concat([old, new]))
    predictor = fit("mine", options("auto_theta"), task.data, told.append)
    assert any("1 of 2 series have fewer than 20 rows to fit on" in line for line in told)
    start = int(task.data.series.bounds[task.data.series.names.index("new")])
    origin = np.array([start + 40])
    expected = task.data.series.values[start + 33 : start + 40, 0]
    np.testing.assert_array_equal(ask(predictor, task, origin)[0, :, 0], expected)


def test_what_would_take_too_long_is_refused_with_the_minutes(daily, monkeypatch):
    with pytest.raises(ConfigurationError, match=r"baselines\.mine: it would take about .* minutes .* 1e-05 are allo"):
        fit("mine", options("auto_theta", minutes=1e-5), daily.data, lambda line: None)


def test_a_setting_that_means_nothing_is_refused(daily):
    with pytest.raises(ConfigurationError, match=r"baselines\.mine\.context_rows: auto_ets carries its state on"):
        fit("mine", options("auto_ets", context_rows=50), daily.data, lambda line: None)


@pytest.mark.parametrize("given", ["{classical: prophet}", "{classical: auto_ets, seasons: 7}"])
def test_an_unknown_model_or_setting_is_refused(tmp_path, given):
    with pytest.raises(ConfigurationError, match=r"baselines\.mine\.(classical|seasons): .*(auto_arima|Did you mean)"):
        prepared(tmp_path, RIDGE, f"baselines={{mine: {given}}}")


def test_without_the_library_the_error_says_what_to_install(daily, monkeypatch):
    monkeypatch.setitem(sys.modules, "statsforecast", None)
    monkeypatch.setitem(sys.modules, "statsforecast.models", None)
    with pytest.raises(ConfigurationError, match=r'not installed.*pip install "seqlayers\[classical\]"'):
        fit("mine", options("auto_ets"), daily.data, lambda line: None)


def test_progress_is_told_on_the_way(daily, monkeypatch):
    monkeypatch.setattr(classical, "QUIET", 0.0)
    told: list[str] = []
    fit("mine", options("auto_theta"), daily.data, told.append)
    assert any("% of 108 windows" in line and "s left" in line for line in told)
