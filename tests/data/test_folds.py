"""Folds: where they lie, that each is fitted on its own train rows, and that planted overlaps are caught."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from data import forecasting, leaks, splits
from data.errors import DataError
from data.forecasting import ForecastData
from data.leaks import LeakError
from data.series import ForecastOptions, Series
from data.splits import PARTS, Borders
from data.transforms import SeriesTransform
from tests.data.tables import NOWHERE, hourly


def prepare(frame: pd.DataFrame, **options: object) -> ForecastData:
    return ForecastData.prepare(frame, NOWHERE, ForecastOptions(**{"target": "y"} | options))


@pytest.fixture(scope="module")
def data() -> ForecastData:
    return prepare(hourly(1003), look_back=24, horizon=6)


@pytest.fixture(scope="module")
def short() -> ForecastData:
    return prepare(hourly(303), look_back=24, horizon=6)


def rows(series: Series, cut: Borders, part: str) -> tuple[int, int]:
    """First and last row of a part, which has no holes."""
    found = np.flatnonzero(cut.rows(series, part))
    assert len(found) == found[-1] - found[0] + 1
    return int(found[0]), int(found[-1])


class TestWhere:
    def cut(self, data: ForecastData, **settings: object) -> list[dict[str, tuple[int, int]]]:
        """For each fold, the first and last row of its parts."""
        found = splits.folds(data.series, data.options.split, **settings)
        return [{part: rows(data.series, cut, part) for part in PARTS} for cut in found]

    def test_expanding(self, data):
        """Of 1003 rows, 200 are test: five blocks of 40; before each 101 of validation, as the split has."""
        for i, fold in enumerate(self.cut(data, count=5)):
            test = 803 + 40 * i
            assert fold == {"train": (0, test - 102), "validation": (test - 101, test - 1), "test": (test, test + 39)}

    def test_sliding(self, data):
        found = self.cut(data, count=5, window="sliding")
        assert [fold["train"] for fold in found] == [(40 * i, 701 + 40 * i) for i in range(5)]
        assert [fold["test"] for fold in found] == [fold["test"] for fold in self.cut(data, count=5)]

    def test_one_fold_is_the_split(self, data):
        assert splits.folds(data.series, data.options.split, count=1) == [data.borders_in_time]

    def test_blocks_are_equal_and_end_with_the_series(self, data):
        found = self.cut(data, count=3)
        assert [end - start for start, end in (fold["test"] for fold in found)] == [65, 65, 65]
        assert found[-1]["test"][1] == 1002

    @pytest.mark.parametrize("embargo", [1, 12])
    @pytest.mark.parametrize("window", ["expanding", "sliding"])
    def test_embargo(self, data, window, embargo):
        """Rows are left out before validation and before test; the test blocks stay where they are."""
        found = self.cut(data, count=4, window=window, embargo=embargo)
        for fold, plain in zip(found, self.cut(data, count=4), strict=True):
            (_, train), (start, end), (test, _) = fold.values()
            assert (start - train - 1, test - end - 1) == (embargo, embargo)
            assert end - start == 100
            assert fold["test"] == plain["test"]
        assert len({np.ptp(fold["train"]) for fold in found}) == (1 if window == "sliding" else 4)

    @pytest.mark.parametrize(("embargo", "count"), [("12h", 12), (7, 7), ("0", 0), (0, 0), ("0h", 0)])
    def test_no_target_lies_in_the_embargo(self, data, embargo, count):
        (fold,) = data.folds(1, embargo=embargo)
        for early, late in itertools.pairwise(PARTS):
            last = fold.origins(early).max() + fold.spec.horizon - 1
            assert fold.origins(late).min() - last - 1 == count

    def test_embargo_in_months_and_on_weekdays(self):
        stamps = (np.datetime64("1900-01", "M") + np.arange(800)).astype("datetime64[s]")
        days = np.datetime64("2015-01-01", "D") + np.arange(1400)
        days = days[np.is_busday(days)].astype("datetime64[s]")
        for times, embargo, count in ((stamps, "3mo", 3), (days, "1w", 5)):
            y = np.random.default_rng(0).normal(size=len(times))
            (fold,) = prepare(pd.DataFrame({"time": times, "y": y}), look_back=12, horizon=3).folds(1, embargo=embargo)
            (_, train), (start, end), (test, _) = (rows(fold.series, fold.borders_in_time, part) for part in PARTS)
            assert (start - train - 1, test - end - 1) == (count, count)

    def test_a_panel_is_cut_at_the_same_instants(self):
        panel = pd.concat([hourly(700, shop="a"), hourly(500, start="2021-03-09T08:00", shop="b")])
        for fold in prepare(panel, id="shop", look_back=24, horizon=6).folds(2, embargo="2h"):
            times, segment = fold.series.times, np.searchsorted(fold.series.bounds, fold.origins("test"), side="right")
            for early, late in itertools.pairwise(PARTS):
                assert times[fold.origins(late)].min() - times[fold.origins(early) + 5].max() >= 3 * 3600
            assert set(segment) == {1, 2}


class TestWhatAFoldIs:
    def test_each_has_a_transform_of_its_own_train_rows(self, data):
        found = data.folds(3, window="sliding")
        for fold in found:
            train = fold.borders_in_time.rows(fold.series, "train")
            np.testing.assert_allclose(fold.transform.standardise.mean, data.series.values[train].mean(0), atol=1e-6)
            inputs, _ = next(iter(fold.dataset("test", 4).as_numpy_iterator()))
            first = fold.origins("test")[0]
            np.testing.assert_array_equal(inputs["past"][0], fold.features[first - 24 : first])
        assert len({fold.transform.standardise.mean for fold in found}) == 3

    def test_all_else_is_shared(self, data):
        for fold in data.folds(2):
            assert fold.series is data.series
            assert (fold.options, fold.spec) == (data.options, data.spec)

    def test_it_describes_itself(self, data):
        fold = data.folds(5, embargo="12h")[0]
        assert [line["rows"] for line in fold.borders()] == [803 - 101 - 24, 101, 40]
        assert fold.borders()[2]["start"] == "2021-04-03T11:00:00"

    def test_every_check_ran_in_each_and_one_over_all(self, data):
        for fold in data.folds(2, embargo=3):
            assert [c.name for c in fold.checks] == [*(c.name for c in data.checks), "folds do not overlap"]
            assert all(c.passed for c in fold.checks)
            assert "3 rows or more between" in fold.checks[-1].detail


class TestRefusals:
    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"count": 0}, "0 folds given. Accepted: 1 or more. Possible here: at most 10 folds;"),
            ({"count": 20}, "Fold 1 of 20: its test part has 3 rows, .*horizon 6.*Possible here: at most 10 folds;"),
            ({"count": 90}, "90 folds given, and the test part has only 60 rows. Possible here: at most 10 folds;"),
            ({"count": 5, "embargo": 150}, "An embargo of 150 rows leaves fold 1 of 5 no row to train on"),
            ({"count": 5, "embargo": 100}, "Fold 1 of 5: its train part has 12 rows, and one window needs 30"),
            ({"count": 5, "embargo": 150}, "Possible here: an embargo of at most 91 rows;"),
            ({"count": 12, "embargo": 150}, "Possible here: no fold at all;"),
            ({"count": 5, "embargo": "1d 2h"}, "embargo: '1d 2h' is not a duration"),
            ({"count": 5, "embargo": "90min"}, "embargo: 90min is not a multiple of the step, 1h"),
            ({"count": 5, "embargo": -1}, "embargo: -1 given. Accepted: 0 or more"),
            ({"count": 5, "window": "growing"}, "window: 'growing' given. Accepted: expanding, sliding"),
        ],
    )
    def test_what_cannot_be(self, short, settings, message):
        with pytest.raises(DataError, match=message):
            short.folds(**settings)

    def test_what_is_said_to_be_possible_is(self, short):
        assert len(short.folds(10)) == 10
        assert len(short.folds(5, embargo=91)) == 5
        for settings in ({"count": 11}, {"count": 5, "embargo": 92}):
            with pytest.raises(DataError):
                short.folds(**settings)


class TestPlanted:
    """What would be wrong if folds were cut another way."""

    def plant(self, monkeypatch, change):
        honest = splits.folds
        monkeypatch.setattr(forecasting, "folds", lambda *a, **k: change(honest(*a, **k)))

    def test_overlapping_folds(self, data, monkeypatch):
        """Each test part begins ten hours early, with train and validation where they belong before it."""

        def earlier(found: list[Borders]) -> list[Borders]:
            def moved(part: tuple[int, int], by: int) -> tuple[int, int]:
                return part[0] - by, part[1] - by

            return [
                found[0],
                *(
                    Borders(
                        (f.train[0], f.train[1] - 36000), moved(f.validation, 36000), (f.test[0] - 36000, f.test[1])
                    )
                    for f in found[1:]
                ),
            ]

        self.plant(monkeypatch, earlier)
        with pytest.raises(LeakError, match=r"folds do not overlap\. Fold 2 begins to test 10 rows before fold 1 ends"):
            data.folds(3)

    def test_an_embargo_that_is_not_kept(self, data, monkeypatch):
        honest = splits.folds
        monkeypatch.setattr(forecasting, "folds", lambda *a, **k: honest(*a, **k | {"embargo": 5}))
        with pytest.raises(LeakError, match="In fold 1 validation lies 5 rows after train; the embargo is 12 rows"):
            data.folds(3, embargo=12)

    def test_folds_in_another_order(self, data, monkeypatch):
        self.plant(monkeypatch, lambda found: found[::-1])
        with pytest.raises(LeakError, match=r"folds do not overlap\. Fold 2 begins to test"):
            data.folds(3)

    def test_train_that_goes_on_into_validation(self, data, monkeypatch):
        self.plant(monkeypatch, lambda found: [Borders(f.test, f.validation, f.test) for f in found])
        with pytest.raises(LeakError, match="train comes before validation"):
            data.folds(3)

    def test_a_transform_fitted_once_for_all_folds(self, data, monkeypatch):
        last = data.folds(3)[-1].transform
        given = iter([last])
        honest = SeriesTransform.fit
        monkeypatch.setattr(SeriesTransform, "fit", lambda *a, **k: next(given, None) or honest(*a, **k))
        with pytest.raises(LeakError, match="transforms saw train rows only"):
            data.folds(3)

    def test_plain_arrays(self):
        fold = {"train": np.array([[0, 5]]), "validation": np.array([[6, 8]]), "test": np.array([[9, 12]])}
        later = {"train": np.array([[0, 8]]), "validation": np.array([[9, 12]]), "test": np.array([[13, 15]])}
        positions = np.arange(20)
        assert leaks.folds_follow_one_another([fold, later], positions, 0).passed
        assert not leaks.folds_follow_one_another([fold, later], positions, 1).passed
        assert not leaks.folds_follow_one_another([fold, fold], positions, 0).passed
        assert not leaks.folds_follow_one_another([later, fold], positions, 0).passed
