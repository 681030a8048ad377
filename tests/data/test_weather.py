"""The made station: the columns of the real one, physics that hold, seasons and days, and the faults of a logger."""

from __future__ import annotations

import time

import numpy as np
import pytest

from data import weather
from data.forecasting import ForecastData
from data.series import ForecastOptions

SETTINGS = {
    "target": "T (degC)",
    "missing": [-9999],
    "step": "1h",
    "look_back": "5d",
    "horizon": "24h",
    "wind": [{"speed": "wv (m/s)", "direction": "wd (deg)"}],
}


@pytest.fixture(scope="module")
def station():
    return weather.sample()[0]


def test_two_years_every_ten_minutes_with_the_columns_of_the_real_station(station):
    assert tuple(station.columns) == weather.COLUMNS
    assert len(station) == weather.ROWS - 8 + 1


def test_it_is_the_same_every_time_and_marked_as_a_sample(station):
    again, source = weather.sample()
    assert again.equals(station)
    assert source.sample
    assert source.sha256 == weather.sample()[1].sha256
    assert "not measured" in source.note


def test_it_is_made_quickly():
    start = time.perf_counter()
    weather.sample()
    assert time.perf_counter() - start < 5  # two on an idle machine


def test_the_physics_hold(station):
    """Magnus, the ideal gas law and the definitions, from pressure, temperature and dew point."""
    p, t, dew = (station[c] for c in ("p (mbar)", "T (degC)", "Tdew (degC)"))
    most, actual = (6.1078 * np.exp(17.08085 * x / (234.175 + x)) for x in (t, dew))
    kelvin = t + 273.15
    for column, expected, slack in (
        ("VPmax (mbar)", most, 0.01),
        ("VPact (mbar)", actual, 0.01),
        ("VPdef (mbar)", most - actual, 0.01),
        ("rh (%)", 100 * actual / most, 0.1),
        ("Tpot (K)", kelvin * (1000 / p) ** 0.2857, 0.01),
        ("sh (g/kg)", 622 * actual / (p - 0.378 * actual), 0.01),
        ("H2OC (mmol/mol)", 1000 * actual / p, 0.01),
        ("rho (g/m**3)", 1e5 * ((p - actual) / 287.05 + actual / 461.5) / kelvin, 0.01),
    ):
        assert np.abs(station[column] - expected).max() <= slack, column
    assert (dew <= t).all()
    assert station["rh (%)"].between(0, 100).all()
    assert station["wd (deg)"].between(0, 360, inclusive="left").all()
    measured = station["wv (m/s)"] != weather.MISSING
    assert (station["max. wv (m/s)"] >= station["wv (m/s)"])[measured].all()


def test_the_climate_is_one_of_central_europe(station):
    t, months = station["T (degC)"], station["Date Time"].dt.month
    by_month = t.groupby(months).mean()
    assert 8 < t.mean() < 11
    assert -4 < by_month[1] < 3 < 16 < by_month[7] < 22
    assert -25 < t.min() < -5 < 28 < t.max() < 40
    day = t.groupby(station["Date Time"].dt.date).agg(np.ptp)
    assert 5 < day.mean() < 11
    assert t.groupby(station["Date Time"].dt.hour).mean().idxmax() in range(12, 18)
    assert 7 < station["p (mbar)"].std() < 11


def test_the_faults_of_a_logger_are_repaired_and_counted(station):
    data = ForecastData.prepare(*weather.sample(), ForecastOptions(**SETTINGS))
    repairs = {(r.what, r.column): r.count for r in data.series.repairs}
    assert repairs["marked as missing (-9999)", "wv (m/s)"] == 22
    assert repairs["rows that are copies of another, dropped", None] == 1
    assert repairs["missing times, filled forward", None] == 1  # one whole hour lies in the gap of 80 minutes
    assert data.series.rows == 2 * 365 * 24
    assert data.series.names == ("series",)


def test_pressure_and_wind_help_to_forecast_temperature():
    """A ridge on all channels beats one on temperature alone, and both beat repeating the last value."""
    data = ForecastData.prepare(*weather.sample(), ForecastOptions(**SETTINGS))
    temperature, features = data.series.values[:, 0].astype(np.float64), data.features.astype(np.float64)
    truth = data.truth("test")[..., 0]
    last = temperature[data.origins("test") - 1][:, None]

    def error(columns):
        def design(origins):
            rows = origins[:, None] + np.arange(-48, 0, 3)
            return np.c_[features[rows][..., columns].reshape(len(origins), -1), np.ones(len(origins))]

        train = data.origins("train")[::3]
        x, y = design(train), data.truth(train)[..., 0] - temperature[train - 1][:, None]
        weights = np.linalg.solve(x.T @ x + 10 * np.eye(x.shape[1]), x.T @ y)
        return np.abs(truth - last - design(data.origins("test")) @ weights).mean()

    alone, together, naive = error([0]), error(list(range(features.shape[1]))), np.abs(truth - last).mean()
    assert together < 0.93 * alone < 0.93 * 0.9 * naive
