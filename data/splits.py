"""Train, validation and test: borders in time, the same instants for every series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.options import Split
from data.series import Series

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Borders:
    """The first instants of the validation and the test part; int64 seconds."""

    validation: int
    test: int

    def part_of(self, times: np.ndarray) -> np.ndarray:
        """0 for train, 1 for validation, 2 for test."""
        return np.searchsorted([self.validation, self.test], times, side="right")

    def rows(self, series: Series, part: str) -> np.ndarray:
        """(rows,) boolean: the rows of a part."""
        return self.part_of(series.times) == PARTS.index(part)

    def ranges(self, series: Series, part: str) -> tuple[np.ndarray, np.ndarray]:
        """The first row of a part, and the first after it, in each segment."""
        number = PARTS.index(part)
        edges = [np.iinfo(np.int64).min, self.validation, self.test, np.iinfo(np.int64).max]
        first, last = [], []
        for start, end in zip(series.bounds[:-1], series.bounds[1:], strict=True):
            cut = np.searchsorted(series.times[start:end], edges[number : number + 2])
            first.append(start + cut[0])
            last.append(start + cut[1])
        return np.array(first, np.int64), np.array(last, np.int64)


def borders(series: Series, split: Split) -> Borders:
    """The instants that cut all rows, put in order of time, into the shares of `split`.

    As in the long-horizon benchmarks, train and test are rounded down and validation takes what is left.
    """
    times = np.sort(series.times)
    rows = len(times)
    validation = min(int(rows * split.train + 1e-9), rows - 1)
    test = min(max(rows - int(rows * split.test + 1e-9), validation), rows - 1)
    return Borders(int(times[validation]), int(times[test]))
