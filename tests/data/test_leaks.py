"""Every check passes on honest data, and fails when the leak it looks for is planted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from data import forecasting, leaks
from data.forecasting import ForecastData
from data.leaks import LeakError
from data.series import ForecastOptions
from data.splits import PARTS, Borders
from data.transforms import NUMPY, SeriesTransform
from data.windows import WindowSpec
from tests.data.tables import NOWHERE, hourly

TIMES = np.arange(1000) * 3600


@pytest.fixture(scope="module")
def data() -> ForecastData:
    options = ForecastOptions(target="y", look_back=48, horizon=24)
    return ForecastData.prepare(hourly(600), NOWHERE, options)


def refit(data):
    return lambda rows: SeriesTransform.fit(data.series, rows, horizon=24, periods=data.options.calendar)


def test_honest_data_passes_every_check(data):
    assert [c.passed for c in data.checks] == [True] * 9
    assert all(c.detail for c in data.checks)
    assert len({c.name for c in data.checks}) == 9


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


def first_and_last(origins: np.ndarray, spec: WindowSpec) -> tuple[np.ndarray, np.ndarray]:
    """The first and last row that each window reads, and that it forecasts."""
    return origins[:, None] - [spec.look_back, 1], origins[:, None] + [0, spec.horizon - 1]


class TestBorders:
    def check(self, data, **changed):
        targets = {p: first_and_last(changed.get(p, data.origins(p)), data.spec)[1] for p in PARTS}
        return leaks.targets_stay_in_their_part(targets, data.series.times, data.borders_in_time)

    def test_where_they_are(self, data):
        assert self.check(data).passed

    def test_a_train_target_that_reaches_into_validation(self, data):
        check = self.check(data, train=np.append(data.origins("train"), data.origins("train")[-1] + 1))
        assert not check.passed
        assert "1 of 350 train windows have targets outside the train part" in check.detail

    def test_a_test_target_that_begins_in_validation(self, data):
        assert not self.check(data, test=data.origins("test") - 1).passed

    def test_a_target_in_the_embargo(self, data):
        start, end = data.borders_in_time.train
        cut = replace(data.borders_in_time, train=(start, end - 3600))
        targets = {p: first_and_last(data.origins(p), data.spec)[1] for p in PARTS}
        assert not leaks.targets_stay_in_their_part(targets, data.series.times, cut).passed


class TestOrder:
    def check(self, data, rows):
        return leaks.parts_follow_one_another({p: first_and_last(r, data.spec)[1] for p, r in rows.items()}, TIMES)

    def test_parts_in_order(self, data):
        assert self.check(data, {p: data.origins(p) for p in PARTS}).passed

    @pytest.mark.parametrize("share", [0.5, 0.01])
    def test_a_shuffled_split(self, data, share):
        """Some windows change places between train and validation, as when rows are drawn by lot."""
        rows = {p: data.origins(p).copy() for p in PARTS}
        count = max(1, int(share * len(rows["validation"])))
        rows["train"][-count:], rows["validation"][:count] = rows["validation"][:count], rows["train"][-count:].copy()
        check = self.check(data, rows)
        assert not check.passed
        assert "train windows forecast what is not before the first validation target" in check.detail

    def test_test_before_validation(self, data):
        rows = {p: data.origins(p) for p in PARTS}
        assert not self.check(data, rows | {"validation": rows["test"], "test": rows["validation"]}).passed

    def test_a_split_by_lot_stops_the_run(self, monkeypatch):
        """Borders that know nothing of time: every tenth window is validation, every fifth test."""
        honest = ForecastData._first_targets

        def by_lot(self, cut, part):
            rows = np.concatenate([honest(self, cut, p) for p in PARTS])
            lot = np.random.default_rng(0).choice(3, len(rows), p=[0.7, 0.1, 0.2])
            return rows[lot == PARTS.index(part)]

        monkeypatch.setattr(ForecastData, "_first_targets", by_lot)
        monkeypatch.setattr(leaks, "targets_stay_in_their_part", lambda *_: leaks.Check("", True, ""))
        with pytest.raises(LeakError, match="train comes before validation, and validation before test"):
            ForecastData.prepare(hourly(600), NOWHERE, ForecastOptions(target="y"))


class TestSeries:
    def check(self, data, bounds=None, **changed):
        found = {p: first_and_last(changed.get(p, data.origins(p)), data.spec) for p in PARTS}
        readings, targets = ({p: f[i] for p, f in found.items()} for i in (0, 1))
        return leaks.windows_stay_in_their_series(readings, targets, data.series.bounds if bounds is None else bounds)

    def test_where_they_are(self, data):
        assert self.check(data).passed

    def test_a_window_across_a_gap(self, data):
        cut = int(data.origins("train")[100])
        check = self.check(data, np.array([0, cut, data.series.rows]))
        assert not check.passed
        assert "71 of 349 train windows do" in check.detail

    def test_a_window_beyond_either_end(self, data):
        assert not self.check(data, test=data.origins("test") + 1).passed
        assert not self.check(data, train=data.origins("train") - 1).passed


class TestFuture:
    def check(self, data, features, **ahead):
        return leaks.features_ignore_the_future(features, data.series.values, data.origins("train"), **ahead)

    def own(self, data):
        return lambda values: data.transform.past(values, data.series.times)

    def test_features_of_their_own_row(self, data):
        assert self.check(data, self.own(data)).passed

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

    def test_what_is_known_ahead_holds_only_what_is_known(self, data):
        """Column 1 is known ahead; column 0 is the target, which takes its place by mistake."""
        assert self.check(data, self.own(data), ahead=lambda values: values[:, [1]], known=[1]).passed
        check = self.check(data, self.own(data), ahead=lambda values: values[:, [0]], known=[1])
        assert not check.passed
        assert "known ahead" in check.detail

    def test_a_centred_moving_average_stops_the_run(self, monkeypatch):
        """In a transform of the house, on its way through a run."""

        class Smooth(SeriesTransform):
            def past(self, values, times, xp=NUMPY):
                smooth = pd.DataFrame(values).rolling(5, center=True, min_periods=1).mean()
                return super().past(smooth.to_numpy(np.float32), times, xp)

        monkeypatch.setattr(forecasting, "SeriesTransform", Smooth)
        with pytest.raises(LeakError, match=r"features do not move when the future does.*changed 2 rows"):
            ForecastData.prepare(hourly(600), NOWHERE, ForecastOptions(target="y"))

    def test_an_average_of_what_came_before_does_not(self, monkeypatch):
        class Smooth(SeriesTransform):
            def past(self, values, times, xp=NUMPY):
                smooth = pd.DataFrame(values).rolling(5, min_periods=1).mean()
                return super().past(smooth.to_numpy(np.float32), times, xp)

        monkeypatch.setattr(forecasting, "SeriesTransform", Smooth)
        assert all(c.passed for c in ForecastData.prepare(hourly(600), NOWHERE, ForecastOptions(target="y")).checks)


class TestTargets:
    """Windows of four readings and two targets, an hour apart."""

    def check(self, first_target, targets=2, **wanted):
        starts = np.arange(10)[:, None]
        readings, rows = starts + np.arange(4), starts + first_target + np.arange(targets)
        return leaks.targets_follow_the_past(readings, rows, TIMES, **wanted)

    def test_the_next_rows(self):
        assert self.check(4).passed
        assert self.check(9, ahead=6).passed

    @pytest.mark.parametrize(
        ("first", "message"),
        [
            (5, "In 10 of 10 windows the first target lies 2 rows (2h) after the last reading, not 1 (1h) after it."),
            (3, "In 10 of 10 windows the first target lies on the last reading, not 1 (1h) after it."),
            (1, "In 10 of 10 windows the first target lies 2 rows before the last reading, not 1 (1h) after it."),
        ],
    )
    def test_other_rows(self, first, message):
        check = self.check(first)
        assert not check.passed
        assert check.detail == message

    def test_targets_with_rows_left_out(self):
        starts = np.arange(10)[:, None]
        check = leaks.targets_follow_the_past(starts + np.arange(4), starts + np.array([4, 6]), TIMES)
        assert not check.passed
        assert "do not follow" in check.detail

    def test_a_dataset_that_gathers_a_row_too_late_stops_the_run(self, monkeypatch):
        honest = forecasting.window_dataset

        def late(past, target, ahead, origins, spec, batch_size, **settings):
            return honest(past, np.roll(target, -1, axis=0), ahead, origins, spec, batch_size, **settings)

        monkeypatch.setattr(forecasting, "window_dataset", late)
        with pytest.raises(LeakError, match=r"lies 2 rows \(2h\) after the last reading"):
            ForecastData.prepare(hourly(600), NOWHERE, ForecastOptions(target="y"))


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
