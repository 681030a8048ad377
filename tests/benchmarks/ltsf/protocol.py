"""What the published long-horizon tables measure: borders, units, and which windows count.

Values are standardised with the mean and standard deviation of the train rows. Windows go by row, not by time stamp:
repeated times, gaps and -9999 stay in. A part's windows are all those whose whole target lies in it; the look-back may
reach back over the border. Errors are means over all windows, steps and channels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from data.datasets import SERIES
from data.source import locate
from data.transforms.calendar import phases
from data.transforms.standardise import Standardise
from data.windows import WindowSpec, origins, window_dataset

HORIZONS = (96, 192, 336, 720)
PARTS = ("train", "validation", "test")

#: Rows (train, validation, test) of a file with so many rows.
Rows = Callable[[int], tuple[int, int, int]]


def months(rows: int) -> tuple[int, int, int]:
    """12, 4 and 4 months of 30 days of hours; what comes after is not used."""
    return 8640, 2880, 2880


def shares(rows: int) -> tuple[int, int, int]:
    """70 %, what is left, and the last 20 %, rounded down as the published code does."""
    train, test = int(rows * 0.7), int(rows * 0.2)
    return train, rows - train - test, test


SETS: Mapping[str, Rows] = {"etth1": months, "ltsf-weather": shares}


@dataclass(frozen=True)
class Series:
    """A benchmark's rows in standardised units.

    Attributes:
        values: (rows, channels) float32, the unused rows left out; the targets first, then the calendar.
        borders: (0, end of train, end of validation, end of test), in rows.
        targets: how many channels are forecast.
    """

    name: str
    values: np.ndarray
    borders: tuple[int, int, int, int]
    targets: int

    def origins(self, part: str, look_back: int, horizon: int, stride: int = 1) -> np.ndarray:
        """Rows of the first target of every window of a part; with a stride, of every so many-th."""
        i = PARTS.index(part)
        spec = WindowSpec(look_back, horizon, stride, 1)
        return origins(np.array([0, len(self.values)]), spec, self.borders[i], self.borders[i + 1])

    def windows(self, chosen: np.ndarray, look_back: int, horizon: int, batch_size: int, **settings: Any) -> Any:
        """Batches of ({past}, target) at the chosen origins, as a tf.data.Dataset."""
        spec, targets = WindowSpec(look_back, horizon, 1, 1), self.values[:, : self.targets]
        return window_dataset(self.values, targets, None, chosen, spec, batch_size, **settings)

    def truth(self, chosen: np.ndarray, horizon: int) -> np.ndarray:
        """The targets of the chosen origins, (windows, horizon, targets)."""
        return self.values[chosen[:, None] + np.arange(horizon), : self.targets]


def load(name: str, calendar: tuple[str, ...] = ()) -> Series:
    """A benchmark's series from the folder that $SEQLAYERS_DATA names.

    Args:
        name: a key of `SETS`.
        calendar: periods (day, week) whose phase follows the targets as sine and cosine.

    Raises:
        data.errors.DataError: the file is not there.
    """
    frame, _ = locate(name, datasets=SERIES, sample=None)
    values = frame.iloc[:, 1:].to_numpy(np.float64)  # the first column is the time
    train, validation, test = SETS[name](len(values))
    borders = (0, train, train + validation, train + validation + test)
    values = values[: borders[-1]]
    values = Standardise.fit(values[:train]).apply(values).astype(np.float32)
    targets = values.shape[1]
    if calendar:
        times = pd.to_datetime(frame.iloc[: borders[-1], 0]).to_numpy().astype("datetime64[s]").astype(np.int64)
        values = np.concatenate([values, phases(times, calendar)], axis=1)
    return Series(name, values, borders, targets)


class Errors:
    """Mean squared and mean absolute error, gathered in float64 a batch at a time."""

    def __init__(self) -> None:
        self.squares = self.absolutes = 0.0
        self.count = 0

    def add(self, truth: np.ndarray, forecast: np.ndarray) -> None:
        error = truth - forecast
        self.squares += float(np.square(error).sum(dtype=np.float64))
        self.absolutes += float(np.abs(error).sum(dtype=np.float64))
        self.count += error.size

    @property
    def mse(self) -> float:
        return self.squares / self.count if self.count else math.nan

    @property
    def mae(self) -> float:
        return self.absolutes / self.count if self.count else math.nan


def chunks(values: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (values[i : i + size] for i in range(0, len(values), size))
