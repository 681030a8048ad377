"""Every check passes on honest data, and fails when the leak it looks for is planted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data import leaks
from data.forecasting import ForecastData
from data.leaks import LeakError
from data.series import ForecastOptions
from data.splits import PARTS, Borders
from data.transforms import SeriesTransform
from tests.data.tables import NOWHERE, hourly


@pytest.fixture(scope="module")
def data() -> ForecastData:
    options = ForecastOptions(target="y", look_back=48, horizon=24)
    return ForecastData.prepare(hourly(600), NOWHERE, options)


def refit(data):
    return lambda rows: SeriesTransform.fit(data.series, rows, horizon=24, periods=data.options.calendar)


def test_honest_data_passes_every_check(data):
    assert [c.passed for c in data.checks] == [True] * 4
    assert all(c.detail for c in data.checks)


class TestTransform:
    def check(self, data, rows):
        transform = refit(data)(rows)
        return leaks.transform_saw_train_only(transform, data.series, data.borders_in_time, refit(data))

    def test_fitted_on_train(self, data):
        assert self.check(data, data.borders_in_time.rows(data.series, "train")).passed

    def test_fitted_on_everything(self, data):
        assert not self.check(data, np.ones(data.series.rows, bool)).passed

    def test_fitted_on_one_row_of_validation(self, data):
        rows = data.borders_in_time.rows(data.series, "train")
        rows[np.flatnonzero(~rows)[0]] = True
        assert not self.check(data, rows).passed


class TestBorders:
    def check(self, data, **changed):
        found = {p: data.origins(p) for p in PARTS} | changed
        return leaks.targets_stay_in_their_part(found, data.series, data.borders_in_time, data.spec)

    def test_a_train_target_that_reaches_into_validation(self, data):
        check = self.check(data, train=np.append(data.origins("train"), data.origins("train")[-1] + 1))
        assert not check.passed
        assert "1 train windows have targets outside the train part" in check.detail

    def test_a_test_target_that_begins_in_validation(self, data):
        assert not self.check(data, test=data.origins("test") - 1).passed

    def test_a_window_across_a_gap(self, data):
        cut = int(data.origins("train")[100])
        split = replace(data.series, bounds=np.array([0, cut, data.series.rows]))
        found = {p: data.origins(p) for p in PARTS}
        check = leaks.targets_stay_in_their_part(found, split, data.borders_in_time, data.spec)
        assert not check.passed
        assert "across a gap" in check.detail

    def test_a_window_beyond_the_end(self, data):
        assert not self.check(data, test=data.origins("test") + 1).passed


class TestFuture:
    def check(self, data, features):
        return leaks.features_ignore_the_future(features, data.series, data.origins("train"))

    def test_features_of_their_own_row(self, data):
        assert self.check(data, lambda values: data.transform.past(values, data.series.times)).passed

    @pytest.mark.parametrize(
        "features",
        [
            lambda values: (values - values.mean(0)) / values.std(0),
            lambda values: np.roll(values, -1, axis=0),
            lambda values: np.concatenate([values, np.cumsum(values[::-1], axis=0)[::-1]], axis=1),
        ],
        ids=["scaled by everything", "shifted", "a sum of what comes"],
    )
    def test_features_that_look_ahead(self, data, features):
        check = self.check(data, features)
        assert not check.passed
        assert "rows of features before it" in check.detail


class TestPast:
    def check(self, data, windows):
        return leaks.past_ends_before_the_target(
            windows, lambda rows: data.features[rows], data.origins("train"), data.spec
        )

    def test_the_dataset_itself(self, data):
        assert self.check(data, data._windows).passed

    def test_a_past_that_holds_the_first_target(self, data):
        def shifted(rows):
            past, target = data._windows(rows)
            return np.concatenate([past[:, 1:], data.features[rows][:, None]], axis=1), target

        assert not self.check(data, shifted).passed

    def test_a_target_that_begins_too_early(self, data):
        def shifted(rows):
            past, target = data._windows(rows)
            return past, np.concatenate([past[:, -1:, :1], target[:, :-1]], axis=1)

        assert not self.check(data, shifted).passed


def test_a_leak_stops_the_run(monkeypatch):
    """Here the rows that the transform is fitted on are all rows, whatever part is asked for."""
    monkeypatch.setattr(Borders, "rows", lambda self, series, part: np.ones(series.rows, bool))
    with pytest.raises(LeakError, match="Leak: transforms saw train rows only") as caught:
        ForecastData.prepare(hourly(600), NOWHERE, ForecastOptions(target="y"))
    assert not caught.value.check.passed
