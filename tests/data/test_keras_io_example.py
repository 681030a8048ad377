"""The weather forecast of keras.io, rebuilt from row numbers: what it reads and forecasts is not what it says.

https://keras.io/examples/timeseries/timeseries_weather_forecasting: of readings every ten minutes, one an hour is read
over 720 rows (five days), and the label is the temperature 72 rows (12 hours) after. But labels start 720 + 72 rows
after the window does, and its last reading lies at row 714, not 719: they are 78 rows, 13 hours, ahead. And they are
cut from all rows, not from those of the training, so that the last of them lie in the validation period.
"""

from __future__ import annotations

import keras
import numpy as np
import pandas as pd
import pytest

from data import leaks
from data.forecasting import ForecastData
from data.series import ForecastOptions
from data.splits import Borders
from tests.data.tables import NOWHERE

ROWS, PAST, FUTURE, STEP, SPLIT_FRACTION = 6000, 720, 72, 6, 0.715
TRAIN = int(SPLIT_FRACTION * ROWS)
TIMES = np.datetime64("2009-01-01T00:10", "s").astype(np.int64) + 600 * np.arange(ROWS)
BORDERS = Borders(
    train=(int(TIMES[0]), int(TIMES[TRAIN])),
    validation=(int(TIMES[TRAIN]), int(TIMES[-1]) + 1),
    test=(int(TIMES[-1]) + 1, int(TIMES[-1]) + 1),
)


def windows(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows that the example's dataset reads, (windows, 120), and forecasts, (windows, 1)."""
    dataset = keras.utils.timeseries_dataset_from_array(
        x[:, None], y[:, None], sequence_length=PAST // STEP, sampling_rate=STEP, batch_size=256
    )
    read, forecast = zip(*dataset.as_numpy_iterator(), strict=True)
    return np.concatenate(read)[..., 0], np.concatenate(forecast)


@pytest.fixture(scope="module")
def train() -> tuple[np.ndarray, np.ndarray]:
    features, start = np.arange(ROWS), PAST + FUTURE
    return windows(features[:TRAIN], features[start : start + TRAIN])


@pytest.fixture(scope="module")
def validation() -> tuple[np.ndarray, np.ndarray]:
    features = np.arange(ROWS)
    return windows(features[TRAIN:][: ROWS - TRAIN - PAST - FUTURE], features[TRAIN + PAST + FUTURE :])


def test_what_it_reads_and_forecasts(train):
    readings, targets = train
    np.testing.assert_array_equal(readings[5], 5 + np.arange(0, 720, 6))
    np.testing.assert_array_equal(targets[5], [5 + 792])
    assert len(readings) == TRAIN - 714


def test_its_target_lies_thirteen_hours_ahead(train, validation):
    for readings, targets in (train, validation):
        check = leaks.targets_follow_the_past(readings, targets, TIMES, ahead=FUTURE)
        assert not check.passed
        count = len(targets)
        where = "the first target lies 78 rows (13h) after the last reading, not 72 (12h) after it."
        assert check.detail == f"In {count} of {count} windows {where}"


def test_its_last_training_targets_lie_in_the_validation_period(train, validation):
    check = leaks.targets_stay_in_their_part({"train": train[1], "validation": validation[1]}, TIMES, BORDERS)
    assert not check.passed
    assert check.detail == f"78 of {TRAIN - 714} train windows have targets outside the train part."
    assert leaks.targets_stay_in_their_part({"validation": validation[1]}, TIMES, BORDERS).passed


def test_put_right_it_passes():
    """Labels 72 rows after the last reading, and only those that are training rows."""
    last = PAST - STEP
    features, count = np.arange(ROWS), TRAIN - last - FUTURE
    readings, targets = windows(features[: count + last], features[last + FUTURE : TRAIN])
    assert len(readings) == count
    assert leaks.targets_follow_the_past(readings, targets, TIMES, ahead=FUTURE).passed
    assert leaks.targets_stay_in_their_part({"train": targets}, TIMES, BORDERS).passed


def test_the_same_data_through_this_house_pass():
    rng = np.random.default_rng(0)
    temperature = 9 * np.sin(2 * np.pi * TIMES / 86400) + rng.normal(size=ROWS).cumsum() / 20
    stamps = pd.to_datetime(TIMES, unit="s").strftime("%d.%m.%Y %H:%M:%S")
    frame = pd.DataFrame({"Date Time": stamps, "p (mbar)": 990 + rng.normal(size=ROWS), "T (degC)": temperature})
    options = ForecastOptions(target="T (degC)", step="1h", look_back="120h", horizon="12h")
    data = ForecastData.prepare(frame, NOWHERE, options)
    assert all(check.passed for check in data.checks)
    assert {check.name for check in data.checks} >= {
        "targets begin where the readings end",
        "no window's target crosses a border",
    }
    last = data.series.times[data.origins("train")[0] - 1]
    assert data.series.times[data.origins("train")[0] + data.spec.horizon - 1] - last == 12 * 3600
