"""Standardisation: zero mean and unit variance on the train rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from data.transforms.forms import NUMPY


@dataclass(frozen=True)
class Standardise:
    r"""\(z = (x - μ) / σ\), column by column; a column that is constant on the train rows has σ = 1.

    Attributes:
        mean, scale: μ and σ, a value a column, in the column's unit.
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]

    @classmethod
    def fit(cls, values: np.ndarray) -> Standardise:
        """values: (rows, columns), train rows only."""
        wide = np.asarray(values, np.float64)
        mean, scale = wide.mean(axis=0), wide.std(axis=0)
        constant = scale <= 1e-7 * np.maximum(1.0, np.abs(mean))
        scale = np.where(constant, 1.0, scale)
        return cls(*(tuple(map(float, np.asarray(c, np.float32))) for c in (mean, scale)))

    def apply(self, x: Any, xp: Any = NUMPY) -> Any:
        """x (..., columns) → z of the same shape."""
        return (x - xp.constant(self.mean)) / xp.constant(self.scale)

    def invert(self, z: Any, xp: Any = NUMPY, axis: int = -1) -> Any:
        """z → x, with the columns on `axis`, counted from the end."""
        shape = (len(self.mean),) + (1,) * (-axis - 1)
        return z * xp.constant(np.reshape(self.scale, shape)) + xp.constant(np.reshape(self.mean, shape))

    def pick(self, columns: list[int]) -> Standardise:
        """The same for some of the columns."""
        return Standardise(tuple(self.mean[i] for i in columns), tuple(self.scale[i] for i in columns))
