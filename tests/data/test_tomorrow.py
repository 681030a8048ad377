"""A column that is the target of a later time is found at any lag that matters; columns that may be read are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from data.forecasting import ForecastData
from data.leaks import Check, LeakError
from data.series import ForecastOptions, read_series
from data.source import read_table
from data.tomorrow import no_column_tells_the_target
from data.windows import WindowSpec
from tests.data.tables import NOWHERE, hourly, real

SPEC = WindowSpec(look_back=48, horizon=24, stride=1, season=24)
ROWS = 900


def check(frame: pd.DataFrame, spec: WindowSpec = SPEC, train: float = 0.7, **options: object) -> Check:
    series = read_series(frame, ForecastOptions(**{"target": "y"} | options))
    rows = series.times < np.quantile(series.times, train)
    return no_column_tells_the_target(series, rows, spec, tuple(options.get("known_ahead", ())))


def shifted(by: int, rows: int = ROWS, noise: float = 0.0) -> pd.DataFrame:
    """x at t is y at t + by, in another unit."""
    long = hourly(rows + 200)
    y = long["y"].to_numpy()[100 : rows + 100]
    x = 32 + 1.8 * long["y"].to_numpy()[100 + by : rows + 100 + by]
    return hourly(rows).assign(y=y, x=x + noise * np.random.default_rng(1).normal(size=rows))


def walk(rows: int = 3000) -> pd.Series:
    """A target that wanders, and forgets over ten hours."""
    return pd.Series(np.random.default_rng(2).normal(size=rows)).ewm(alpha=0.1, adjust=False).mean()


class TestCovariates:
    @pytest.mark.parametrize("by", [1, 2, 24, 70, 71])
    def test_the_target_of_a_later_time_is_found(self, by):
        """71 rows lie between the first reading of a window and its last target."""
        found = check(shifted(by))
        assert not found.passed
        assert f"Column 'x' is 'y' {by} row" in found.detail
        assert f"({by}h) later" in found.detail or f"({by // 24}d) later" in found.detail

    def test_rounding_does_not_hide_it(self):
        assert not check(shifted(5).round({"x": 2})).passed

    def test_coarse_rounding_does_not_either(self):
        """To a tenth of the target's spread."""
        y = walk()
        tenth = y.std() / 10
        x = (y.shift(-10).ffill() / tenth).round() * tenth
        assert "Column 'x' is 'y' 10 rows (10h) later" in check(hourly(3000).assign(y=y, x=x)).detail

    def test_of_a_target_that_climbs(self):
        climb = np.random.default_rng(0).exponential(size=3001).cumsum()
        assert not check(hourly(3000).assign(y=climb[:-1], x=climb[1:])).passed

    @pytest.mark.parametrize("by", [72, 90, 0, -1, -24])
    def test_what_says_nothing_of_the_horizon_may_be_read(self, by):
        """The target in another unit, of before, or of after every window's end."""
        assert check(shifted(by)).passed

    def test_a_good_forecast_is_no_leak(self):
        assert check(shifted(5, noise=0.1)).passed

    @pytest.mark.parametrize("horizon", [1, 720])
    def test_any_horizon(self, horizon):
        spec = WindowSpec(48, horizon, 1, 24)
        assert not check(shifted(1, rows=4000), spec).passed
        assert check(shifted(0, rows=4000), spec).passed

    def test_it_is_enough_that_train_rows_agree(self):
        frame = shifted(3)
        frame.loc[700:, "x"] = 0.0
        assert not check(frame).passed

    def test_one_series_of_a_panel(self):
        panel = pd.concat([shifted(3).assign(id="a"), hourly(600).assign(id="b")])
        assert not check(panel, id="id").passed
        assert check(pd.concat([shifted(-3).assign(id="a"), hourly(600).assign(id="b")]), id="id").passed


class TestComputedFromLaterRows:
    """Columns that are not the target, but with the target's past complete it some rows ahead."""

    @pytest.mark.parametrize("rows", [3, 5, 24, 49])
    def test_a_centred_mean_is_found(self, rows):
        y = walk()
        found = check(hourly(3000).assign(y=y, x=y.rolling(rows, center=True).mean().ffill().bfill()))
        assert not found.passed
        assert "Column 'x', with what came before, gives 'y'" in found.detail
        assert "a centred mean" in found.detail

    def test_the_change_to_the_next_row_is_found(self):
        y = walk()
        found = check(hourly(3000).assign(y=y, x=-y.diff(-1).fillna(0.0)))
        assert "gives 'y' 1 row (1h) later" in found.detail

    def test_the_mean_of_the_next_day_is_found(self):
        y = walk()
        assert not check(hourly(3000).assign(y=y, x=y.rolling(24).mean().shift(-24).ffill())).passed

    @pytest.mark.parametrize("lead", [0, 1])
    def test_what_drives_the_target_may_be_read_where_anything_else_moves_it_too(self, lead):
        rng = np.random.default_rng(3)
        u, y = rng.normal(size=3000), np.zeros(3000)
        for t in range(1, 3000):
            y[t] = 0.9 * y[t - 1] + u[t - lead] + 0.01 * rng.normal()
        assert check(hourly(3000).assign(y=y, x=u)).passed

    def test_an_input_that_is_set_beforehand_is_known_ahead(self):
        u = np.random.default_rng(3).normal(size=3000)
        y = pd.Series(u).shift(1, fill_value=0.0).ewm(alpha=0.1, adjust=False).mean()
        assert not check(hourly(3000).assign(y=y, x=u)).passed
        assert check(hourly(3000).assign(y=y, x=u), known_ahead=["x"]).passed

    @pytest.mark.parametrize("rows", [3, 24, 168])
    def test_what_is_computed_from_earlier_rows_may_be_read(self, rows):
        y = walk()
        past = {"lag": y.shift(rows), "mean": y.rolling(rows).mean(), "sum": y.cumsum(), "change": y.diff(rows)}
        assert check(hourly(3000).assign(y=y, **{name: x.bfill() for name, x in past.items()})).passed


class TestKnownAhead:
    @pytest.mark.parametrize(
        ("by", "what"), [(0, "is 'y' itself"), (-3, "is 'y' of 3 rows (3h) before"), (3, "is 'y' 3 rows (3h) later")]
    )
    def test_the_target_is_not_known_ahead(self, by, what):
        found = check(shifted(by), known_ahead=["x"])
        assert not found.passed
        assert what in found.detail

    def test_the_target_of_a_horizon_before_is(self):
        assert check(shifted(-24), known_ahead=["x"]).passed
        assert not check(shifted(-23), known_ahead=["x"]).passed


class TestHonest:
    """Columns that agree with the target at some lag because both run like clockwork, or hardly move."""

    def frame(self, y: np.ndarray, x: np.ndarray) -> pd.DataFrame:
        return hourly(len(y)).assign(y=y, x=x)

    @pytest.mark.parametrize("known", [False, True])
    @pytest.mark.parametrize("period", [24, 168, 8766])
    def test_sines(self, period, known):
        t = np.arange(9000)
        frame = self.frame(np.sin(2 * np.pi * t / period), np.cos(2 * np.pi * t / period))
        assert check(frame, known_ahead=["x"] if known else []).passed

    @pytest.mark.parametrize("known", [False, True])
    def test_a_weekly_pattern_that_repeats(self, known):
        week = np.random.default_rng(0).normal(size=168)
        t = np.arange(3000)
        assert check(self.frame(week[t % 168], week[(t + 5) % 168]), known_ahead=["x"] if known else []).passed

    def test_lines(self):
        t = np.arange(ROWS)
        assert check(self.frame(0.5 * t, 3.0 * t + 7)).passed

    def test_a_price_that_was_raised_once_and_one_sale(self):
        t = np.arange(ROWS)
        assert check(self.frame((t > 300).astype(float), (t > 297).astype(float))).passed
        assert check(self.frame((t == 300).astype(float), (t == 297).astype(float))).passed

    @pytest.mark.parametrize("keep", [0.5, 0.9, 0.93, 0.999])
    def test_slow_and_the_same_in_another_unit(self, keep):
        """Of the target a row later the column tells nearly all, and the target's own past nearly all too."""
        noise = pd.Series(np.random.default_rng(0).normal(size=5000))
        y = noise.ewm(alpha=1 - keep, adjust=False).mean().cumsum().to_numpy()
        assert check(self.frame(y, 1.8 * y + 32)).passed

    def test_a_column_that_stands_still(self):
        frame = self.frame(np.random.default_rng(0).normal(size=ROWS), np.arange(ROWS) // 899.0)
        assert check(frame).passed

    def test_no_columns_and_few_rows(self):
        assert "no columns but the targets" in check(hourly(ROWS)[["time", "y"]]).detail
        assert "nothing to compare" in check(hourly(100)).detail

    @pytest.mark.parametrize(
        ("file", "options", "spec"),
        [
            (("weather", "weather.csv.xz"), {"target": "T (degC)", "step": "1h"}, WindowSpec(120, 24, 1, 24)),
            (("weather", "weather.csv.xz"), {"target": "p (mbar)"}, WindowSpec(336, 720, 1, 144)),
            (("ett", "ETTh1.csv.gz"), {"target": "OT"}, WindowSpec(336, 720, 1, 24)),
            (("beijing_pm25", "PRSA_data_2010.1.1-2014.12.31.csv.gz"), {"target": "TEMP"}, WindowSpec(72, 24, 1, 24)),
        ],
        ids=["weather", "weather, pressure", "etth1", "beijing"],
    )
    def test_real_files(self, file, options, spec):
        found = check(read_table(real(*file)), spec, missing=[-9999], **options)
        assert found.passed
        assert "compared with 1 target" in found.detail


def test_a_run_is_stopped():
    with pytest.raises(LeakError, match=r"no column tells the target before its time.*Take it out of data.covariates"):
        ForecastData.prepare(shifted(24), NOWHERE, ForecastOptions(target="y"))
