"""Rows of a model that were solved once, as a baseline, and need not be solved again inside the model."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from seqlayers.model import SequenceModel
from seqlayers.row import Row

#: Makes the batches of (inputs, target) to be solved from: train's and validation's.
Batches = Callable[[], tuple[Any, Any]]


class Solved:
    """What was solved so far, with the seconds that each row took."""

    def __init__(self) -> None:
        self._rows: list[tuple[Row, float]] = []

    def solve(self, model: SequenceModel, batches: Batches) -> float:
        """Solve a model of one row, and remember it; returns the seconds that took."""
        start = time.perf_counter()
        model.adapt(*batches())
        self._rows.append((model.rows[0], time.perf_counter() - start))
        return self._rows[-1][1]

    def adapt(self, model: SequenceModel, batches: Batches) -> float:
        """Solve a model's rows, taking over the solution of one that is configured alike.

        Returns:
            the seconds that it took, here or before.
        """
        total = 0.0
        for row in filter(lambda row: row.adapts, model.rows):
            alike = [(solved, taken) for solved, taken in self._rows if _same(solved, row)]
            start = time.perf_counter()
            if alike:
                solved, taken = alike[0]
                row.head.set_weights(solved.head.get_weights())
                total += taken
            else:
                row.head.adapt(*batches())
            total += time.perf_counter() - start
        return total


def _same(one: Row, other: Row) -> bool:
    return one.to_configuration() == other.to_configuration()
