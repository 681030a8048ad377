"""What users' files hold that cannot be, or is not what it seems: put right and said, or refused with the row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.columns import suspects
from data.errors import DataError
from data.series import ForecastOptions, Series, read_series
from data.source import read_table
from tests.data.tables import hourly


def read(frame: pd.DataFrame, **options: object) -> Series:
    return read_series(frame, ForecastOptions(**{"target": "y"} | options))


def said(series: Series) -> dict[tuple[str, str | None], int]:
    return {(r.what, r.column): r.count for r in series.repairs}


class TestMarksThatNobodyNamed:
    """A number for "nothing measured" is kept, since it was not named, but never silently."""

    RNG = np.random.default_rng(0)

    @pytest.mark.parametrize("mark", [-9999, -999, 9999, 999, -999.9, 99999, -9999999, -32768, 65535])
    def test_usual_ones_are_noticed_even_once(self, mark):
        values = self.RNG.normal(10, 5, 500)
        values[[3]] = mark
        assert suspects(values) == [(mark, 1)]

    def test_others_are_noticed_when_they_repeat_far_outside(self):
        values = self.RNG.normal(10, 5, 500)
        values[[3, 9, 27]] = -500
        assert suspects(values) == [(-500, 3)]

    def test_one_so_far_off_that_the_rest_is_lost_beside_it(self):
        assert suspects(np.append(np.linspace(0, 30, 100), 1e30)) == [(1e30, 1)]

    def test_several_at_once(self):
        values = self.RNG.normal(10, 5, 500)
        values[[3, 9]], values[5], values[7] = -9999, -999, np.nan
        assert suspects(values) == [(-9999, 2), (-999, 1)]

    @pytest.mark.parametrize(
        "values",
        [
            RNG.normal(1000, 300, 500).round(),  # 999 among its like
            np.array([0.0] * 300 + [1.0] * 30),  # two values
            np.array([0.0] * 300 + [99.0] * 30 + [100.0]),  # prices, most of them none
            RNG.lognormal(0, 2, 500),  # a long tail
            np.append(RNG.normal(10, 5, 500), 400.0),  # one outlier
            np.full(20, np.nan),
            np.full(20, 9999.0),
            np.array([]),
        ],
    )
    def test_ordinary_columns_are_left_in_peace(self, values):
        assert suspects(values) == []

    def test_it_is_said_with_what_to_do_and_nothing_is_changed(self):
        frame = hourly(100)
        frame.loc[[5, 6], "x"] = -9999
        series = read(frame)
        np.testing.assert_array_equal(series.values[:, 1], frame["x"].astype(np.float32))
        what = "cells of -9999, far from all else, kept (data.missing=[-9999] if nothing was measured)"
        assert said(series) == {(what, "x"): 2}
        assert said(read(frame, missing=[-9999])) == {("marked as missing (-9999)", "x"): 2}


class TestUnevenTimes:
    def test_no_step_to_be_seen_is_refused_with_one_that_fits(self):
        frame = hourly(300)
        frame["time"] = frame["time"].iloc[0] + pd.to_timedelta(
            np.random.default_rng(0).integers(60, 2400, 300).cumsum(), unit="s"
        )
        with pytest.raises(
            DataError, match=r"not evenly spaced: .* such as data.step=1h: readings within one are aver"
        ):
            read(frame)
        series = read(frame, step="1h")
        assert (np.diff(series.times) == 3600).all()
        hours = int(np.ptp(frame["time"]).total_seconds() // 3600)
        assert abs(series.rows - hours) <= 1

    def test_readings_beside_the_grid_are_counted(self):
        """Ten of a hundred come 20 minutes early, three come between two others."""
        frame = hourly(100)
        frame.loc[10:19, "time"] -= pd.Timedelta("20min")
        between = frame[40:43].assign(time=frame["time"][40:43] + pd.Timedelta("30min"))
        series = read(pd.concat([frame, between]))
        assert said(series) == {
            ("rows out of order, sorted", None): 1,
            ("times beside the grid, counted to its next point", None): 13,
            ("rows averaged with another at the same point of the grid", None): 3,
        }
        assert (series.rows, np.unique(np.diff(series.times)).tolist()) == (100, [3600])
        np.testing.assert_allclose(series.values[41], frame[["y", "x"]].to_numpy()[[40, 41]].mean(0), rtol=1e-5)

    def test_rows_in_any_order(self):
        frame = hourly(100)
        series = read(frame[::-1])
        np.testing.assert_array_equal(series.values, read(frame).values)
        assert said(series) == {("rows out of order, sorted", None): 99}


class TestConstants:
    def test_a_target_that_never_changes_is_refused(self):
        with pytest.raises(DataError, match="Column 'y' is 5 wherever it has a value: there is nothing to forecast"):
            read(hourly(50).assign(y=[5.0] * 49 + [np.nan]))

    def test_a_covariate_that_never_changes_is_left_out_and_said(self):
        series = read(hourly(50, z=3.0))
        assert series.columns == ("y", "x")
        assert said(series) == {("column that never changes, left out", "z"): 50}

    @pytest.mark.parametrize("asked", [{"covariates": ["z"]}, {"known_ahead": ["z"]}])
    def test_one_that_is_asked_for_stays(self, asked):
        series = read(hourly(50, z=3.0), **asked)
        assert "z" in series.columns
        assert said(series) == {("column that never changes, kept, as it is asked for", "z"): 50}

    def test_what_is_read_for_a_model_that_exists_keeps_its_columns(self):
        """No rain in the last days is no reason to refuse them."""
        frame = hourly(50, z=3.0)
        grid = read(frame).grid
        series = read_series(frame, ForecastOptions(target="z", covariates=["y"]), grid=grid)
        assert (series.columns, series.repairs) == (("z", "y"), ())


class TestWind:
    PAIR = ({"speed": "wv", "direction": "wd"},)

    @pytest.mark.parametrize(
        ("column", "value", "message"),
        [
            ("wv", -0.5, r"column 'wv', row 8: -0.5 given \(2 such cells\), and a speed is 0 or more"),
            ("wd", 990.0, r"column 'wd', row 8: 990 given .* an angle in degrees up to 360.*data.missing=\[990\]"),
        ],
    )
    def test_what_is_no_wind_is_refused_with_the_row(self, column, value, message):
        rng = np.random.default_rng(0)
        frame = hourly(50, wv=rng.uniform(0, 9, 50), wd=rng.uniform(0, 360, 50))
        frame.loc[[7, 9], column] = value
        with pytest.raises(DataError, match=message):
            read(frame, wind=self.PAIR)
        assert read(frame, wind=self.PAIR, missing=[value]).rows == 50


class TestCells:
    """As they stand in a file."""

    def write(self, folder: Path, column: str, cell: str, row: int) -> pd.DataFrame:
        frame = hourly(60).astype({column: object})
        frame.loc[row - 1, column] = cell
        frame.to_csv(folder / "a.csv", index=False)
        return read_table(folder / "a.csv")

    @pytest.mark.parametrize("cell", ["NaN", "NA", "", "null"])
    def test_the_usual_words_for_nothing(self, tmp_path, cell):
        series = read(self.write(tmp_path, "x", cell, 17))
        assert series.values[16, 1] == series.values[15, 1]
        assert said(series) == {("empty or NaN", "x"): 1}

    @pytest.mark.parametrize("cell", ["inf", "-inf", "1e39"])
    def test_infinite(self, tmp_path, cell):
        series = read(self.write(tmp_path, "x", cell, 17))
        assert series.values[16, 1] == series.values[15, 1]
        assert said(series) == {("infinite, read as missing", "x"): 1}

    @pytest.mark.parametrize("cell", ["broken", "12,5", "1.2.3", "#REF!"])
    def test_text_is_refused_with_its_row(self, tmp_path, cell):
        with pytest.raises(
            DataError, match=rf"Column 'x', row 17: '{cell}' is not a number.*data.missing=\['{cell}'\]"
        ):
            read(self.write(tmp_path, "x", cell, 17))

    def test_a_bad_time_is_refused_with_its_row(self, tmp_path):
        with pytest.raises(DataError, match=r"Time column 'time', row 17: '31.02.2021' is not a date"):
            read(self.write(tmp_path, "time", "31.02.2021", 17))

    def test_a_whole_column_with_other_marks_is_told_how_numbers_are_written(self, tmp_path):
        frame = hourly(20).assign(x=[f"{1000 + i:,}.5" for i in range(20)])
        with pytest.raises(
            DataError, match=r"Column 'x', row 1: '1,000.5'.*\(20 such cells\). Numbers are written 1234.5"
        ):
            read_series(frame, ForecastOptions(target="y", covariates=["x"]))

    def test_two_decimal_marks_in_one_file_are_refused(self, tmp_path):
        """Or 12.350 beside 7,5 would be read as twelve and a bit."""
        path = tmp_path / "a.csv"
        path.write_text("time;y;x\n2021-03-01;7,5;850\n2021-03-02;8,5;12.350\n")
        with pytest.raises(DataError, match=r"column 'x', row 2: '12.350' has a point.*decimal comma"):
            read_table(path)
        path.write_text("time;y;x\n01.03.2021;7,5;v1.2\n02.03.2021;8,5;v1.3\n")
        assert read_table(path)["y"].tolist() == [7.5, 8.5]

    def test_a_zero_byte_anywhere_is_damage(self, tmp_path):
        path = tmp_path / "a.csv"
        path.write_bytes(hourly(400).to_csv(index=False).encode() + b"\x00")
        with pytest.raises(DataError, match="binary data"):
            read_table(path)
