"""The time column is found by itself, and dates are read as they were meant."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from data.clocks import NO_TIME
from data.errors import DataError
from data.options import ForecastOptions
from data.times import find_column, read_times
from tests.data.tables import stamps

WANTED = stamps("2009-12-30T23:50:00", "2009-12-31T00:00:00")


def times_of(frame, **options):
    return read_times(pd.DataFrame(frame), ForecastOptions(**options))


def read(frame, time="auto", time_format=None):
    found = times_of(frame, time=time, time_format=time_format)
    return found.seconds, found.columns, found.notes


@pytest.mark.parametrize(
    "texts",
    [
        ["2009-12-30 23:50:00", "2009-12-31 00:00:00"],
        ["2009-12-30T23:50:00", "2009-12-31T00:00:00"],
        ["2009-12-30T23:50:00+01:00", "2009-12-31T00:00:00+01:00"],
        ["2009-12-30T23:50:00Z", "2009-12-31T00:00:00Z"],
        ["30.12.2009 23:50:00", "31.12.2009 00:00:00"],
        ["30.12.09 23:50", "31.12.09 00:00"],
        ["12/30/2009 23:50", "12/31/2009 0:00"],
        ["30/12/2009 23:50", "31/12/2009 0:00"],
        ["2009/12/30 23:50", "2009/12/31 00:00"],
        ["12/30/2009 11:50 PM", "12/31/2009 12:00 AM"],
        ["30-12-2009 23:50", "31-12-2009 00:00"],
    ],
)
def test_forms_of_dates(texts):
    times, used, notes = read({"station": ["a", "b"], "value": [1, 2], "When": texts})
    np.testing.assert_array_equal(times, WANTED)
    assert used == ["When"]
    assert not notes


def test_dotted_dates_have_the_day_first_and_slashed_ones_the_month_where_nothing_decides():
    dotted, _, said = read({"t": ["01.02.2020", "02.02.2020"]})
    np.testing.assert_array_equal(dotted, stamps("2020-02-01", "2020-02-02"))
    assert "nothing in the file decides" in said[0][0]
    np.testing.assert_array_equal(read({"t": ["1/2/2020", "2/2/2020"]})[0], stamps("2020-01-02", "2020-02-02"))


def test_a_day_above_twelve_anywhere_decides_for_the_whole_column():
    times, _, notes = read({"t": ["1/2/2020", "2/2/2020", "13/2/2020"]})
    np.testing.assert_array_equal(times, stamps("2020-02-01", "2020-02-02", "2020-02-13"))
    assert not notes


@pytest.mark.parametrize("dates", [["1/2/2020", "2/2/2020"], ["01.02.2020", "02.02.2020"]])
def test_what_was_decided_once_is_kept_where_nothing_decides(dates):
    """As for a file of a few days, read for a model whose own file showed the order."""
    for day_first, first in ((True, "2020-02-01"), (False, "2020-01-02")):
        found = times_of({"t": dates}, day_first=day_first)
        assert (found.seconds[0], found.day_first, found.notes) == (stamps(first)[0], day_first, [])
    found = times_of({"t": ["1/2/2020", "13/2/2020"]}, day_first=False)
    assert (found.seconds[0], found.day_first) == (stamps("2020-02-01")[0], True)  # the file decides
    assert times_of({"t": ["2020-01-02"]}, day_first=True).day_first is None


def test_dates_that_cannot_be_either_are_refused():
    with pytest.raises(DataError, match=r"days above 12 in both places.*data.time_format"):
        read({"t": ["13/2/2020", "2/13/2020"]})


def test_seconds_since_1970_only_when_named():
    seconds = {"t": WANTED, "y": [1.0, 2.0]}
    np.testing.assert_array_equal(read(seconds, "t")[0], WANTED)
    np.testing.assert_array_equal(read({"t": WANTED * 1000}, "t", "ms")[0], WANTED)
    with pytest.raises(DataError, match="No time column: none of 't', 'y' holds dates"):
        read(seconds)
    with pytest.raises(DataError, match=r"data.time_format=ms"):
        read({"t": WANTED * 1000}, "t")


def test_a_format_of_ones_own():
    days = stamps("2009-12-30", "2009-12-31")
    np.testing.assert_array_equal(read({"t": [20091230, 20091231]}, "t", "%Y%m%d")[0], days)
    np.testing.assert_array_equal(read({"t": ["30|12|2009", "31|12|2009"]}, "t", "%d|%m|%Y")[0], days)


def test_columns_of_parts_are_combined():
    parts = {"No": [1, 2], "year": [2020, 2020], "month": [2, 2], "day": [1, 1], "hour": [3, 4]}
    times, used, _ = read(parts)
    np.testing.assert_array_equal(times, stamps("2020-02-01T03:00", "2020-02-01T04:00"))
    assert used == ["year", "month", "day", "hour"]
    np.testing.assert_array_equal(read(parts, ["year", "month", "day"])[0], stamps("2020-02-01", "2020-02-01"))
    with pytest.raises(DataError, match="at least the first three"):
        read(parts, ["year", "month"])


class TestOffsets:
    """Summer time in Germany ends on 25 October 2020: two o'clock comes twice."""

    BOTH = ("2020-10-25T02:00:00+02:00", "2020-10-25T02:00:00+01:00", "2020-10-25T01:00:00Z", "2020-10-25T04:00+0300")

    @pytest.mark.parametrize("parquet", [False, True])
    def test_different_ones_become_utc_and_it_is_said(self, parquet):
        column = pd.Series(self.BOTH[:2])
        column = pd.to_datetime(column, utc=True).dt.tz_convert("Europe/Berlin") if parquet else column
        found = times_of({"t": column})
        np.testing.assert_array_equal(found.seconds, stamps("2020-10-25T00:00:00", "2020-10-25T01:00:00"))
        assert (found.clock, found.notes) == ("utc", [("times with different offsets, read as UTC", 2)])

    def test_every_way_to_write_one(self):
        texts = [*self.BOTH, "2020-10-25 02:00:00 +01", None]
        expected = stamps("2020-10-25T00:00", *["2020-10-25T01:00"] * 4)
        found = times_of({"t": texts})
        np.testing.assert_array_equal(found.seconds, [*expected, NO_TIME])

    @pytest.mark.parametrize("parquet", [False, True])
    def test_one_that_all_share_is_left_aside_unless_utc_is_asked_for(self, parquet):
        column = pd.Series(["2020-12-24T18:00:00+01:00", "2020-12-24T19:00:00+01:00"])
        column = pd.to_datetime(column) if parquet else column
        local = times_of({"t": column})
        np.testing.assert_array_equal(local.seconds, stamps("2020-12-24T18:00", "2020-12-24T19:00"))
        assert (local.clock, local.notes) == ("local", [])
        utc = times_of({"t": column}, clock="utc")
        np.testing.assert_array_equal(utc.seconds, stamps("2020-12-24T17:00", "2020-12-24T18:00"))
        assert utc.clock == "utc"

    def test_the_clock_on_the_wall_may_be_asked_for(self):
        found = times_of({"t": self.BOTH[:2]}, clock="local")
        np.testing.assert_array_equal(found.seconds, stamps("2020-10-25T02:00", "2020-10-25T02:00"))
        assert "left aside" in found.notes[0][0]

    @pytest.mark.parametrize(
        ("texts", "message"),
        [
            (
                ["2020-01-01T00:00:00+01:00", "2020-01-01T01:00:00"],
                r"row 2: '2020-01-01T01:00:00' has no offset from UTC, and '.*\+01:00' in row 1 has one",
            ),
            (
                ["2020-01-01T00:00:00", "2020-01-01T01:00:00", "2020-01-01T02:00:00Z"],
                r"row 3: '2020-01-01T02:00:00Z' has an offset from UTC, and '.*' in row 1 has none. Give every time",
            ),
        ],
    )
    def test_some_with_and_some_without_are_refused(self, texts, message):
        with pytest.raises(DataError, match=message):
            read({"t": texts})


def test_empty_cells_have_no_time():
    assert read({"t": ["2020-01-01", None, " "]})[0].tolist()[1:] == [NO_TIME, NO_TIME]


def test_a_bad_date_is_named_with_its_row():
    texts = ["2020-01-01", *["2020-01-02"] * 10, "yesterday"]
    with pytest.raises(DataError, match="Time column 't', row 12: 'yesterday' is not a date"):
        read({"t": texts})


def test_a_name_that_is_not_there():
    with pytest.raises(DataError, match=r"data.time: there is no column 'dtae'. Did you mean 'date'\?"):
        read({"date": ["2020-01-01"]}, "dtae")


def test_parts_that_make_no_date_are_named_with_their_row():
    parts = {"year": [2020, 2020], "month": [2, 2], "day": [29, 30], "hour": [0, 0]}
    with pytest.raises(DataError, match="row 2 is no date: year 2020, month 2, day 30, hour 0"):
        read(parts)
    times = read(parts | {"day": [29, None]})[0]
    assert times.tolist() == [stamps("2020-02-29").item(), NO_TIME]


def test_lost_letters_match_any():
    columns = ["PAR (?mol/m?/s)", "max. PAR (?mol/m?/s)", "T (degC)"]
    for name in ("PAR", "PAR (µmol/m²/s)", "PAR (?mol/m?/s)"):
        assert find_column(name, columns, "data.target") == columns[0]
    assert find_column("max. PAR", columns, "data.target") == columns[1]


class TestNumbers:
    """Times written as numbers, of which nothing but a name tells what they count."""

    def read(self, cells: list[object], **options: object) -> np.ndarray:
        frame = pd.DataFrame({"t": cells, "y": range(len(cells))})
        return read_times(frame, ForecastOptions(time="t", **options)).seconds

    def test_seconds_and_milliseconds(self):
        np.testing.assert_array_equal(self.read([1_704_067_200, 1_704_070_800]), [1_704_067_200, 1_704_070_800])
        np.testing.assert_array_equal(self.read([1_704_067_200_000], time_format="ms"), [1_704_067_200])

    @pytest.mark.parametrize(
        ("cells", "options"),
        [
            ([1_704_067_200, 1e30], {}),
            ([1_704_067_200, 1_704_067_200_000], {}),
            ([1_704_067_200_000, 1_704_067_200_000_000_000], {"time_format": "ms"}),
        ],
    )
    def test_what_lies_thousands_of_years_away_is_refused_with_its_row(self, cells, options):
        with pytest.raises(DataError, match=r"row 2: .* lies thousands of years away"):
            self.read(cells, **options)

    @pytest.mark.parametrize(
        ("cells", "wanted"), [([1998, 1999], "%Y"), ([199_812, 199_901], "%Y%m"), ([20_240_131, 20_240_201], "%Y%m%d")]
    )
    def test_dates_written_as_numbers_are_not_taken_for_seconds(self, cells, wanted):
        with pytest.raises(DataError, match=f"looks like a date.*data.time_format={wanted}, or s"):
            self.read(cells)
        assert len(self.read(cells, time_format=wanted)) == 2
        np.testing.assert_array_equal(self.read(cells, time_format="s"), cells)

    def test_a_word_among_them_is_refused_with_its_row(self):
        with pytest.raises(DataError, match="row 3: 'late' is not a number of seconds"):
            self.read(["1704067200", "1704070800", "late"])
