"""What is read of the past does not hang on what came after: on honest tables, and where the reader is made to peek."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from data import regular
from data.forecasting import ForecastData
from data.grid import Grid
from data.hindsight import readings_ignore_the_future
from data.leaks import LeakError
from data.series import ForecastOptions, read_series
from tests.data.tables import NOWHERE, hourly

ROWS = 600


def prepare(frame: pd.DataFrame, **options: object) -> ForecastData:
    return ForecastData.prepare(frame, NOWHERE, ForecastOptions(**{"target": "y"} | options))


def holed(rows: int = ROWS) -> pd.DataFrame:
    """Holes in the target, in a covariate and in the stamps, and some cells as text."""
    frame = hourly(rows, wv=np.abs(np.sin(np.arange(rows))) * 9, wd=np.arange(rows) * 7 % 360)
    frame.loc[100:102, "y"] = np.nan
    frame.loc[200:260, "x"] = -9999
    frame["rain"] = (np.arange(rows) % 50).astype(float).astype(str)
    frame.loc[320:324, "rain"] = ""
    return frame.drop(index=[150, 151, 380])


def months(rows: int = 400) -> pd.DataFrame:
    stamps = (np.datetime64("1980-01", "M") + np.arange(rows)).astype("datetime64[s]")
    return pd.DataFrame({"time": stamps, "y": np.random.default_rng(0).normal(size=rows)})


def days(rows: int = 900) -> pd.DataFrame:
    stamps = np.datetime64("2015-01-01", "D") + np.arange(rows)
    kept = stamps[np.is_busday(stamps)].astype("datetime64[s]")
    return pd.DataFrame({"time": kept, "y": np.random.default_rng(0).normal(size=len(kept))})


HONEST = {
    "holes": (holed(), {"missing": [-9999]}),
    "holes, averaged, with wind": (
        holed(1500),
        {"missing": [-9999], "step": "2h", "wind": [{"speed": "wv", "direction": "wd"}]},
    ),
    "a running total": (holed(), {"missing": [-9999], "totals": ["rain"]}),
    "unsorted": (holed().sample(frac=1, random_state=0), {"missing": [-9999]}),
    "every row twice": (pd.concat([hourly(ROWS), hourly(ROWS)]), {}),
    "known ahead": (hourly(ROWS, promo=np.arange(ROWS) % 11), {"known_ahead": ["promo"]}),
    "a panel": (
        pd.concat([holed().assign(shop="a"), holed(400).assign(shop="b")]).sample(frac=1, random_state=0),
        {"missing": [-9999], "id": "shop", "look_back": 48},
    ),
    "holes too long to fill": (holed(900).drop(index=range(600, 640)), {"missing": [-9999], "look_back": 48}),
    "a target that ends early": (hourly(700).assign(y=lambda f: f["y"].where(f.index < 650)), {}),
    "months": (months(), {}),
    "averaged to months": (days(3000), {"step": "1mo", "look_back": 12, "horizon": 6}),
    "weekdays": (days(), {}),
    "a last line of text": (pd.concat([hourly(ROWS), pd.DataFrame({"y": ["the end"]})]), {}),
}


@pytest.mark.parametrize(("frame", "options"), HONEST.values(), ids=HONEST)
def test_honest_tables_pass(frame, options):
    data = prepare(frame, **options)
    assert all(check.passed for check in data.checks)
    for seed in range(3):
        assert readings_ignore_the_future(frame, data.options, data.series, seed=seed, count=4).passed


def straight(values):
    """Holes filled with a straight line to what comes after."""
    return pd.DataFrame(values).interpolate(limit_area="inside").ffill().to_numpy()


def backward(values):
    return pd.DataFrame(values).bfill().ffill().to_numpy()


@pytest.mark.parametrize("filled", [straight, backward])
def test_a_hole_filled_from_its_end_is_caught(monkeypatch, filled):
    monkeypatch.setattr(regular, "_fill_forward", filled)
    with pytest.raises(LeakError, match=r"readings do not move.*Changing the readings after 2021.* rows up to it"):
        prepare(holed(), missing=[-9999])


def test_averages_of_what_comes_after_their_time_are_caught(monkeypatch):
    """A row then holds [t, t + step) instead of (t - step, t]."""
    honest = Grid.positions
    monkeypatch.setattr(Grid, "positions", lambda self, times: honest(self, times + 1) - 1)
    with pytest.raises(LeakError, match="readings do not move"):
        prepare(hourly(1500), step="3h")


def test_a_centred_average_of_the_cells_is_caught(monkeypatch):
    honest = regular._average

    def centred(positions, values):
        positions, values = honest(positions, values)
        return positions, pd.DataFrame(values).rolling(3, center=True, min_periods=1).mean().to_numpy()

    monkeypatch.setattr(regular, "_average", centred)
    with pytest.raises(LeakError, match="readings do not move"):
        prepare(hourly(ROWS))


def test_a_row_that_is_gone_is_caught():
    data = prepare(hourly(ROWS))
    series = read_series(hourly(ROWS), data.options)
    longer = replace(
        series,
        times=np.append(series.times[:1] - series.step, series.times),
        values=np.append(series.values[:1], series.values, axis=0),
        bounds=np.array([0, ROWS + 1]),
    )
    check = readings_ignore_the_future(hourly(ROWS), data.options, longer)
    assert not check.passed
    assert "changed 1 rows up to it" in check.detail
