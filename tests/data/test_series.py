"""A table becomes regular series: every repair is causal, counted, and named; what cannot be used is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from data.errors import DataError
from data.series import ForecastOptions, Series, read_series
from tests.data.tables import hourly, stamps


def read(frame: pd.DataFrame, **options: object) -> Series:
    return read_series(frame, ForecastOptions(**{"target": "y"} | options))


def count(series: Series, what: str, column: str | None = None) -> int:
    return sum(r.count for r in series.repairs if what in r.what and column in (None, r.column))


def test_a_clean_table_is_kept_as_it_is():
    frame = hourly(50)
    series = read(frame)
    np.testing.assert_array_equal(series.values, frame[["y", "x"]].to_numpy(np.float32))
    np.testing.assert_array_equal(series.times, frame["time"].astype("datetime64[s]").astype(np.int64))
    assert (series.columns, series.targets, series.step, series.repairs) == (("y", "x"), 1, 3600, ())
    np.testing.assert_array_equal(series.bounds, [0, 50])


def test_targets_come_first_in_the_order_named():
    series = read(hourly(50, z=np.arange(50) % 7.0), target=["z", "y"])
    assert (series.columns, series.targets) == (("z", "y", "x"), 2)


def test_names_may_leave_out_the_unit_or_the_case():
    frame = hourly(50).rename(columns={"y": "T (degC)", "x": "Tpot (K)"})
    assert read(frame, target="T").columns[0] == "T (degC)"
    assert read(frame, target="tpot").columns[0] == "Tpot (K)"
    with pytest.raises(DataError, match=r"data.target: 't' could be any of 'T \(degC\)', 'Tpot \(K\)'"):
        read(frame.rename(columns={"time": "when"}), target="t")


def test_covariates_none_or_named():
    assert read(hourly(50, z=np.arange(50) % 7.0), covariates="none").columns == ("y",)
    assert read(hourly(50, z=np.arange(50) % 7.0), covariates=["z"]).columns == ("y", "z")
    assert read(hourly(50, z=np.arange(50) % 7.0), covariates="none", known_ahead=["z"]).columns == ("y", "z")


class TestMissingValues:
    def test_take_the_last_value_before_them_and_never_one_after(self):
        frame = hourly(50)
        frame.loc[10, "y"], frame.loc[[20, 21], "x"], frame.loc[30, "x"] = np.nan, np.inf, -9999
        series = read(frame, missing=[-9999])
        y, x = series.values.T
        assert (y[10], x[20], x[21], x[30]) == (y[9], x[19], x[19], x[29])
        assert np.isfinite(series.values).all()
        assert count(series, "empty or NaN", "y") == 1
        assert count(series, "infinite", "x") == 2
        assert count(series, "marked as missing (-9999)", "x") == 1

    def test_before_the_first_value_rows_are_dropped(self):
        frame = hourly(50)
        frame.loc[:2, "x"] = np.nan
        series = read(frame)
        np.testing.assert_array_equal(series.values, frame[["y", "x"]].to_numpy(np.float32)[3:])
        assert count(series, "before the first value") == 3

    def test_after_the_targets_last_value_lies_the_future(self):
        frame = hourly(50)
        frame.loc[47:, "y"] = np.nan
        series = read(frame)
        assert series.rows == 47
        assert count(series, "after the target's last value") == 3

    def test_a_covariate_that_begins_too_late_is_left_out(self):
        frame = hourly(50)
        frame.loc[:20, "x"] = np.nan
        series = read(frame)
        assert series.columns == ("y",)
        assert series.rows == 50
        assert count(series, "begins too late", "x") == 50
        with pytest.raises(DataError, match="Column 'x' has no value in the first tenth"):
            read(frame, covariates=["x"])

    def test_a_long_hole_in_the_target_splits_the_series(self):
        frame = hourly(100)
        frame.loc[40:59, "y"] = np.nan
        frame.loc[70:72, "y"] = np.nan
        series = read(frame, max_gap="3h")
        np.testing.assert_array_equal(series.bounds, [0, 40, 80])
        assert series.values[50, 0] == series.values[49, 0]  # row 70: the short hole is filled
        assert count(series, "rows in holes") == 20

    def test_texts_may_mean_missing_too(self):
        series = read(hourly(50).astype({"x": object}).assign(x=["-"] + ["1.5", "2"] * 24 + ["1.5"]), missing=["-"])
        assert series.rows == 49
        assert count(series, "marked as missing (-)", "x") == 1


class TestTimes:
    def test_rows_are_sorted_and_repeated_stamps_dropped(self):
        frame = hourly(50)
        shuffled = pd.concat([frame, frame.iloc[[7]].assign(y=99.0)]).sample(frac=1, random_state=0)
        shuffled = shuffled.sort_values("y", kind="stable")
        series = read(shuffled[shuffled["y"] != 99].pipe(lambda f: pd.concat([f, shuffled[shuffled["y"] == 99]])))
        np.testing.assert_array_equal(series.values, frame[["y", "x"]].to_numpy(np.float32))
        assert count(series, "sorted") > 0
        assert count(series, "repeated times with other values, the first kept") == 1

    def test_missing_stamps_are_filled_forward(self):
        frame = hourly(50)
        series = read(frame.drop(index=[10, 11]))
        assert series.rows == 50
        np.testing.assert_array_equal(series.values[10], series.values[9])
        np.testing.assert_array_equal(series.values[11], series.values[9])
        np.testing.assert_array_equal(np.diff(series.times), np.full(49, 3600))
        assert count(series, "missing times, filled forward") == 2

    def test_long_gaps_split_the_series(self):
        series = read(hourly(100).drop(index=range(30, 50)))
        np.testing.assert_array_equal(series.bounds, [0, 30, 80])
        assert series.names == ("series", "series")
        assert read(hourly(100).drop(index=range(30, 50)), max_gap="1d").rows == 100

    def test_rows_without_a_time_are_dropped(self):
        frame = hourly(50)
        frame.loc[[0, 49], "time"] = pd.NaT
        series = read(frame)
        assert (series.rows, count(series, "without a time")) == (48, 2)

    def test_rows_without_an_id_are_dropped(self):
        series = read(hourly(50).assign(id=["a"] * 47 + [None] * 3), id="id")
        assert (series.rows, count(series, "without an id")) == (47, 3)

    def test_stamps_a_little_late_stand_on_the_grid(self):
        frame = hourly(50)
        frame["time"] += pd.to_timedelta(np.arange(50) % 5, unit="s")
        for step in ("auto", "1h"):
            series = read(frame, step=step)
            np.testing.assert_array_equal(series.times, hourly(50)["time"].astype("datetime64[s]").astype(np.int64))

    def test_uneven_stamps_need_a_step(self):
        frame = hourly(300)
        frame["time"] += pd.to_timedelta(np.random.default_rng(0).integers(0, 3600, 300), unit="s")
        with pytest.raises(DataError, match=r"not evenly spaced.*data.step=2h"):
            read(frame)
        assert np.unique(np.diff(read(frame, step="3h").times)).tolist() == [10800]


class TestResampling:
    def test_a_coarser_step_is_the_mean_of_what_came_before(self):
        frame = hourly(49, start="2021-03-01T01:00")  # 01:00 … 01:00 two days on: the last one opens a bucket
        series = read(frame, step="6h")
        values = frame[["y", "x"]].to_numpy()
        assert series.step == 6 * 3600
        assert series.times[0] == stamps("2021-03-01T06:00")[0]
        np.testing.assert_allclose(series.values[0], values[:6].mean(0), rtol=1e-6)
        np.testing.assert_allclose(series.values[1], values[6:12].mean(0), rtol=1e-6)
        assert series.rows == 8  # the bucket that 01:00 opens is not full, and not used

    def test_nothing_after_a_time_enters_its_row(self):
        frame = hourly(48, start="2021-03-01T01:00")
        changed = frame.copy()
        changed.loc[18:, ["y", "x"]] += 100
        before, after = read(frame, step="6h"), read(changed, step="6h")
        past = before.times <= frame["time"].iloc[17].timestamp()
        np.testing.assert_array_equal(before.values[past], after.values[past])
        assert (before.values[~past] != after.values[~past]).all()

    def test_missing_cells_are_left_out_of_the_mean(self):
        frame = hourly(48, start="2021-03-01T01:00")
        frame.loc[0:3, "y"] = np.nan
        np.testing.assert_allclose(read(frame, step="6h").values[0, 0], frame["y"][4:6].mean(), rtol=1e-6)

    def test_wind_is_averaged_as_a_vector(self):
        wd = np.tile([350.0, 10.0], 24)
        frame = hourly(48, start="2021-03-01T01:00", wv=2.0, wd=wd)
        series = read(frame, step="6h", wind=[{"speed": "wv", "direction": "wd"}])
        speed, direction = series.values[:, series.columns.index("wv")], series.values[:, series.columns.index("wd")]
        np.testing.assert_allclose(speed, 2 * np.cos(np.deg2rad(10)), rtol=1e-6)
        np.testing.assert_allclose((direction + 180) % 360 - 180, 0, atol=1e-4)

    def test_the_speed_as_a_target_stays_the_mean_speed(self):
        frame = hourly(48, start="2021-03-01T01:00", wv=[2.0] * 24 + [3.0] * 24, wd=np.tile([350.0, 10.0], 24))
        series = read(frame, target="wv", step="6h", wind=[{"speed": "wv", "direction": "wd"}])
        np.testing.assert_allclose(series.values[:, 0], [2.0] * 4 + [3.0] * 4)

    @pytest.mark.parametrize(
        ("step", "message"),
        [("10min", "finer than the file's own spacing, 1h"), ("90min", "not a multiple of the file's own spacing, 1h")],
    )
    def test_steps_that_do_not_fit(self, step, message):
        with pytest.raises(DataError, match=message):
            read(hourly(50), step=step)


class TestCalendars:
    def test_months_are_one_step_each(self):
        months = (np.datetime64("2015-01", "M") + np.arange(60)).astype("datetime64[s]")
        frame = pd.DataFrame({"time": months, "y": np.arange(60.0) % 12}).drop(index=[20])
        series = read(frame)
        assert (series.months, series.rows, count(series, "missing times")) == (1, 60, 1)
        np.testing.assert_array_equal(series.times, months.astype(np.int64))

    def test_month_ends_too(self):
        ends = (np.datetime64("2015-02", "M") + np.arange(60)).astype("datetime64[D]") - 1
        series = read(pd.DataFrame({"time": ends.astype("datetime64[s]"), "y": np.arange(60.0) % 12}))
        np.testing.assert_array_equal(series.times, ends.astype("datetime64[s]").astype(np.int64))

    def test_weekdays_have_no_weekends_to_fill(self):
        days = np.arange(np.datetime64("2021-01-01"), np.datetime64("2021-06-01"))
        days = days[np.is_busday(days)]
        frame = pd.DataFrame({"time": days.astype("datetime64[s]"), "y": np.arange(len(days)) % 7.0}).drop(index=[30])
        series = read(frame)
        assert series.grid.weekdays
        np.testing.assert_array_equal(series.times, days.astype("datetime64[s]").astype(np.int64))
        assert count(series, "missing times") == 1

    def test_days_to_months(self):
        days = np.arange(np.datetime64("2021-01-02"), np.datetime64("2021-05-15"))
        frame = pd.DataFrame({"time": days.astype("datetime64[s]"), "y": np.arange(len(days)) % 7.0})
        series = read(frame, step="1mo")
        np.testing.assert_array_equal(series.times, stamps("2021-02-01", "2021-03-01", "2021-04-01", "2021-05-01"))
        february = (days > np.datetime64("2021-02-01")) & (days <= np.datetime64("2021-03-01"))
        np.testing.assert_allclose(series.values[1, 0], frame["y"][february].mean(), rtol=1e-6)


class TestPanels:
    def panel(self) -> pd.DataFrame:
        shops = [hourly(60, seed=i, shop=name) for i, name in enumerate(["b", "a", "c"])]
        shops[1], shops[2] = shops[1].iloc[10:], shops[2].drop(index=range(20, 40))
        return pd.concat(shops).sample(frac=1, random_state=0)

    def test_series_stand_in_the_order_of_their_ids(self):
        series = read(self.panel(), id="shop")
        assert series.names == ("a", "b", "c", "c")
        np.testing.assert_array_equal(series.bounds, [0, 50, 110, 130, 150])
        np.testing.assert_array_equal(series.values[50:110], hourly(60, seed=0)[["y", "x"]].to_numpy(np.float32))
        assert "shop" not in series.columns

    def test_no_value_moves_from_one_series_to_the_next(self):
        frame = self.panel().sort_values(["shop", "time"], ignore_index=True)
        last_of_a = frame.index[frame["shop"] == "a"][-1]
        frame.loc[last_of_a + 1, "x"] = np.nan  # the first of b
        series = read(frame, id="shop")
        assert count(series, "before the first value") == 1
        np.testing.assert_array_equal(series.bounds[:3], [0, 50, 109])

    def test_a_panel_without_its_id_is_recognised(self):
        with pytest.raises(DataError, match=r"100 of 150 rows repeat the time of another.*Is this a panel\? .*data.id"):
            read(pd.concat([hourly(50, seed=i) for i in range(3)]))


class TestRefusals:
    def test_no_target_named(self):
        with pytest.raises(DataError, match=r"no target is named\. Number columns to choose from: 'y', 'x'"):
            read(hourly(50, name="a"), target=None)

    def test_a_target_that_is_not_there(self):
        with pytest.raises(DataError, match=r"data.target: there is no column 'units'. Did you mean 'unit'\?"):
            read(hourly(50, unit=1.0), target="units")

    @pytest.mark.parametrize("setting", [{"covariates": ["q"]}, {"known_ahead": ["q"]}, {"id": "q"}, {"time": "q"}])
    def test_any_other_column_that_is_not_there(self, setting):
        with pytest.raises(DataError, match=f"data.{next(iter(setting))}: there is no column 'q'"):
            read(hourly(50), **setting)

    def test_a_wind_column_that_is_not_there(self):
        with pytest.raises(DataError, match=r"data.wind.0.direction: there is no column 'wd'.*set data.wind=\[\]"):
            read(hourly(50, wv=1.0), wind=[{"speed": "wv", "direction": "wd"}])

    def test_text_in_the_target_names_column_row_and_value(self):
        frame = hourly(50).astype({"y": object})
        frame.loc[4, "y"] = "broken"
        with pytest.raises(DataError, match=r"Column 'y', row 5: 'broken' is not a number.*data.missing=\['broken'\]"):
            read(frame)

    def test_text_among_the_numbers_of_a_covariate(self):
        frame = hourly(50).astype({"x": object})
        frame.loc[[4, 9], "x"] = "n.d."
        with pytest.raises(DataError, match=r"Column 'x', row 5: 'n.d.' is not a number \(2 such cells\)"):
            read(frame)

    def test_columns_of_text_or_dates_or_row_numbers_are_left_out_and_said(self):
        frame = hourly(50, name="a", seen=pd.Timestamp("2020-01-01"), row=np.arange(50), nothing=np.nan)
        series = read(frame)
        assert series.columns == ("y", "x")
        left_out = {"name": "text", "seen": "dates", "row": "row numbers", "nothing": "without a value"}
        for column, what in left_out.items():
            assert count(series, what, column) == 50
        with pytest.raises(DataError, match="Column 'name', row 1: 'a' is not a number"):
            read(frame, covariates=["name"])

    def test_an_all_missing_target(self):
        with pytest.raises(DataError, match=r"Column 'y' holds no value at all \(50 rows"):
            read(hourly(50).assign(y=np.nan))
        with pytest.raises(DataError, match="Column 'y' holds no value at all"):
            read(hourly(50).assign(y=-9999), missing=[-9999])

    def test_no_time_column(self):
        with pytest.raises(DataError, match="No time column: none of 'y', 'x' holds dates"):
            read(hourly(50)[["y", "x"]])

    def test_a_target_twice_or_known_ahead(self):
        with pytest.raises(DataError, match="names a column twice"):
            read(hourly(50), target=["y", "y"])
        with pytest.raises(DataError, match="a target cannot be known ahead"):
            read(hourly(50), known_ahead=["y"])

    def test_one_row(self):
        with pytest.raises(DataError, match="at least two different times"):
            read(hourly(1))
