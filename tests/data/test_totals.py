"""Running totals become what each row adds: the same wherever a file begins, and at every step."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from data import totals
from data.errors import DataError
from data.series import ForecastOptions, Series, read_series
from tests.data.tables import hourly


def read(frame: pd.DataFrame, **options: object) -> Series:
    return read_series(frame, ForecastOptions(**{"target": "y", "totals": ["rain"], "missing": [-9999]} | options))


def gauge(rows: int = 96) -> tuple[pd.DataFrame, np.ndarray]:
    """A gauge that is emptied every 20 hours, and what falls in each hour."""
    falls = np.random.default_rng(1).integers(1, 9, rows).astype(float)
    total = np.concatenate([falls[i : i + 20].cumsum() for i in range(0, rows, 20)])
    return hourly(rows, start="2021-03-01T01:00", rain=total), falls


def rain(series: Series) -> np.ndarray:
    return series.values[:, series.columns.index("rain")]


def resets(series: Series) -> int:
    (found,) = [r for r in series.repairs if r.what.startswith("resets of a running total")]
    assert found.column == "rain"
    return found.count


def test_a_total_that_falls_was_reset():
    column = np.array([[5.0], [7.0], [7.0], [2.0], [np.nan], [4.0], [9.0]])
    found, count = totals.increments(column, np.array([False, *[True] * 6]))
    np.testing.assert_array_equal(found[:, 0], [np.nan, 2, 0, 2, np.nan, np.nan, 5])
    assert count.tolist() == [1]


def test_each_row_is_what_falls_in_its_hour():
    frame, falls = gauge()
    series = read(frame)
    np.testing.assert_allclose(rain(series), falls[1:])  # what the first hour added nobody knows
    assert series.times[0] == frame["time"][1].timestamp()
    assert resets(series) == 4


def test_a_file_that_begins_later_says_the_same():
    """As at prediction time, in the middle of a total."""
    frame, _ = gauge()
    whole, tail = read(frame), read(frame[30:])
    np.testing.assert_array_equal(rain(tail), rain(whole)[-len(rain(tail)) :])
    assert tail.rows == 96 - 30 - 1


def test_at_a_coarser_step_it_is_the_mean_of_what_the_hours_add():
    frame, falls = gauge()
    falls[0] = np.nan
    np.testing.assert_allclose(rain(read(frame, step="6h")), np.nanmean(falls.reshape(-1, 6), axis=1), rtol=1e-6)


def test_what_comes_after_a_row_changes_nothing_before_it():
    frame, _ = gauge()
    later = frame.copy()
    later.loc[50:, "rain"] += 100
    np.testing.assert_array_equal(rain(read(frame))[:49], rain(read(later))[:49])


def test_nothing_is_made_up_beside_what_is_missing():
    """A missing cell, and three missing rows: the sum over the hole stands in no row."""
    frame, falls = gauge()
    frame.loc[10, "rain"] = -9999
    series = read(frame.drop(index=[25, 26, 27]))
    expected = falls.copy()
    expected[10:12] = falls[9]  # filled forward, as all that is missing
    expected[25:29] = falls[24]
    np.testing.assert_allclose(rain(series), expected[1:])


def test_series_of_a_panel_are_apart():
    frames = [gauge()[0].assign(shop=shop) for shop in "ab"]
    frames[1]["rain"] += 1000
    series = read(pd.concat(frames), id="shop")
    np.testing.assert_allclose(rain(series)[:95], gauge()[1][1:])
    assert series.names == ("a", "b")
    assert rain(series).max() > 1000  # after its first reset b starts at 1000 and more, as the file says


def test_a_total_that_is_not_there():
    with pytest.raises(DataError, match=r"data.totals: there is no column 'rian'. Did you mean 'rain'\?"):
        read(gauge()[0], totals=["rian"])
