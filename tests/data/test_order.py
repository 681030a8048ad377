"""Rows in order of time: copies, times that come twice, and the hours that a clock's change repeats or skips."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from data.errors import DataError
from data.order import BACK, FORWARD
from data.series import ForecastOptions, Series, read_series
from tests.data.tables import hourly, stamps


def read(frame: pd.DataFrame, **options: object) -> Series:
    return read_series(frame, ForecastOptions(**{"target": "y"} | options))


def said(series: Series) -> dict[str, int]:
    return {r.what: r.count for r in series.repairs}


def wall_clock(start: str, rows: int, step: str = "1h", zone: str = "Europe/Berlin") -> pd.DataFrame:
    """Readings at even times, written down by a clock with summer time and no offset."""
    utc = pd.date_range(start, periods=rows, freq=step, tz="UTC")
    local = utc.tz_convert(zone)
    return pd.DataFrame({"time": local.strftime("%Y-%m-%d %H:%M"), "y": np.arange(rows) % 97.0})


class TestTwice:
    def test_copies_are_dropped(self):
        frame = hourly(50)
        series = read(pd.concat([frame, frame]))
        np.testing.assert_array_equal(series.values, read(frame).values)
        assert said(series) == {"rows that are copies of another, dropped": 50, "rows out of order, sorted": 1}

    def test_empty_cells_that_agree_make_a_copy_too(self):
        frame = hourly(50)
        frame.loc[7, "x"] = np.nan
        assert said(read(pd.concat([frame, frame[7:8]])))["rows that are copies of another, dropped"] == 1

    def test_of_a_few_that_differ_the_first_in_the_file_is_kept(self):
        frame = hourly(50)
        series = read(pd.concat([frame, frame[7:9].assign(y=99.0)]))
        np.testing.assert_array_equal(series.values, read(frame).values)
        assert said(series)["repeated times with other values, the first kept"] == 2

    def test_two_series_in_one_file_are_refused_with_the_rows(self):
        two = pd.concat([hourly(50), hourly(30, seed=1)])
        message = (
            r"30 of 80 rows repeat the time of another with other values, the first in rows 1 and 51 "
            r"\(2021-03-01 00:00:00\). Is this a panel\? Name the column .* data.id"
        )
        with pytest.raises(DataError, match=message):
            read(two)

    def test_two_series_under_one_id_are_refused_with_its_name(self):
        panel = pd.concat([hourly(50, shop="a"), hourly(50, seed=1, shop="b"), hourly(50, seed=2, shop="b")])
        message = (
            r"Series 'b': 50 of 100 rows repeat .* in rows 51 and 101 .*two series under one id\? Give each its own"
        )
        with pytest.raises(DataError, match=message):
            read(panel, id="shop")


class TestClockChanges:
    @pytest.mark.parametrize(("step", "rows", "twice"), [("1h", 96, 1), ("10min", 600, 6), ("15min", 400, 4)])
    @pytest.mark.parametrize(
        ("start", "zone"),
        [("2020-10-23", "Europe/Berlin"), ("2020-10-30", "America/New_York"), ("2021-04-02", "Australia/Sydney")],
    )
    def test_an_hour_that_comes_twice(self, start, zone, step, rows, twice):
        frame = wall_clock(start, rows, step, zone)
        series = read(frame)
        assert said(series)[BACK] == twice
        assert not [what for what in said(series) if "repeated times" in what]
        np.testing.assert_array_equal(series.values[:, 0], frame["y"][~frame["time"].duplicated()])

    @pytest.mark.parametrize(("step", "rows"), [("1h", 96), ("10min", 600)])
    def test_an_hour_that_is_skipped(self, step, rows):
        series = read(wall_clock("2021-03-26", rows, step))
        assert said(series)[FORWARD] == 1
        assert said(series)["missing times, filled forward"] == series.rows - rows
        assert (np.diff(series.times) == series.step).all()

    def test_offsets_keep_every_reading(self):
        frame = wall_clock("2020-10-23", 96)
        utc = pd.date_range("2020-10-23", periods=96, freq="1h", tz="UTC")
        frame["time"] = [t.isoformat() for t in utc.tz_convert("Europe/Berlin")]
        series = read(frame)
        np.testing.assert_array_equal(series.values[:, 0], frame["y"])
        assert series.times[0] == stamps("2020-10-23")[0]
        assert said(series) == {"times with different offsets, read as UTC": 96}
        assert series.clock == "utc"

    def test_a_year_has_one_of_each(self):
        found = said(read(wall_clock("2019-12-31 23:00", 8784)))
        assert (found[BACK], found[FORWARD]) == (1, 1)

    @pytest.mark.parametrize("day", ["2021-03-03", "2021-06-06"])  # no Sunday; no month for it
    def test_any_other_hour_is_a_gap_or_a_repeat(self, day):
        frame = wall_clock("2021-02-20", 3000, zone="UTC")
        at = frame["time"].str.startswith(f"{day} 02")
        gap = said(read(frame[~at]))
        assert gap == {"missing times, filled forward": 1}
        again = said(read(pd.concat([frame, frame[at].assign(y=1e3)])))
        assert again["repeated times with other values, the first kept"] == 1
        assert BACK not in again

    def test_days_know_no_clock(self):
        frame = wall_clock("2020-10-01", 60, "1D", "UTC")
        again = pd.concat([frame, frame[frame["time"].str.startswith("2020-10-25")].assign(y=-1.0)])
        assert said(read(again))["repeated times with other values, the first kept"] == 1
