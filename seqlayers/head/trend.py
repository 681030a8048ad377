"""DLinear's decomposition as a matrix, so that two maps over its parts are one map over the readings."""

from __future__ import annotations

import numpy as np


def moving_average(length: int, window: int) -> np.ndarray:
    """A (length, length): A x is the centred moving average of x over `window` steps, the end values repeated."""
    reach = window // 2
    source = np.clip(np.arange(length)[:, None] + np.arange(-reach, reach + 1), 0, length - 1)
    matrix = np.zeros((length, length))
    np.add.at(matrix, (np.arange(length)[:, None], source), 1 / window)
    return matrix


class Decomposition:
    r"""Trend A x and remainder (I − A) x of a window x, and the ridge over both written as one over x alone.

    Maps (U, V) of trend and remainder act as \(w = A^\top U + (I - A)^\top V\). Of all pairs that act as w the smallest
    has \(\|U\|^2 + \|V\|^2 = w^\top P^{-1} w\) with \(P = A^\top A + (I - A)^\top (I - A)\). So a ridge over 2L inputs
    is one over the L inputs \(P^{1/2} x\).
    """

    def __init__(self, length: int, window: int):
        self.average = moving_average(length, window)
        self.rest = np.eye(length) - self.average
        values, vectors = np.linalg.eigh(self.average.T @ self.average + self.rest.T @ self.rest)
        self.root = (vectors * np.sqrt(values)) @ vectors.T
        self.inverse = (vectors / values) @ vectors.T

    def metric(self, inputs: int, rows: np.ndarray) -> np.ndarray:
        """P^½ along the time axis of the first `inputs` rows, laid out time by time; the others stay as they are."""
        readings = self.root @ rows[:inputs].reshape(len(self.root), -1)
        return np.concatenate([readings.reshape(inputs, -1), rows[inputs:]])

    def split(self, kernel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """w (groups, inputs, outputs), inputs laid out time by time → the smallest U and V that act as it."""
        flat = self.inverse @ kernel.reshape(len(kernel), len(self.root), -1)
        return self.average @ flat, self.rest @ flat
