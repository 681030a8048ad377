"""The time column is found by itself, and dates are read as they were meant."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from data.errors import DataError
from data.times import NO_TIME, read_times
from tests.data.tables import stamps

WANTED = stamps("2009-12-30T23:50:00", "2009-12-31T00:00:00")


def read(frame, time="auto", time_format=None):
    return read_times(pd.DataFrame(frame), time, time_format)


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


def test_mixed_offsets_become_utc_and_it_is_said():
    times, _, notes = read({"t": ["2020-10-25T02:00:00+02:00", "2020-10-25T02:00:00+01:00"]})
    np.testing.assert_array_equal(times, stamps("2020-10-25T00:00:00", "2020-10-25T01:00:00"))
    assert "UTC" in notes[0][0]


def test_empty_cells_have_no_time():
    assert read({"t": ["2020-01-01", None, " "]})[0].tolist()[1:] == [NO_TIME, NO_TIME]


def test_a_bad_date_is_named_with_its_row():
    texts = ["2020-01-01", *["2020-01-02"] * 10, "yesterday"]
    with pytest.raises(DataError, match="Time column 't', row 12: 'yesterday' is not a date"):
        read({"t": texts})


def test_a_name_that_is_not_there():
    with pytest.raises(DataError, match=r"data.time: there is no column 'dtae'. Did you mean 'date'\?"):
        read({"date": ["2020-01-01"]}, "dtae")
