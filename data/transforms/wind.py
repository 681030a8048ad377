"""Wind as a vector: averages and models need a quantity without the jump from 360 to 0 degrees."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from data.transforms.forms import NUMPY


def to_vector(speed: Any, direction: Any, xp: Any) -> tuple[Any, Any]:
    r"""\(u = s \cos φ,\; v = s \sin φ\) of speed s and direction φ in degrees; their unit is the speed's."""
    radians = direction * xp.constant(math.pi / 180.0)
    return speed * xp.cos(radians), speed * xp.sin(radians)


def average(values: np.ndarray, pairs: list[tuple[int, int]]) -> np.ndarray:
    """The columns with (u, v) of each (speed, direction) pair added at the end, ready to be averaged."""
    vectors = [part for s, d in pairs for part in to_vector(values[:, s], values[:, d], NUMPY)]
    return np.column_stack([values, *vectors])


def restore(values: np.ndarray, pairs: list[tuple[int, int]], targets: int) -> np.ndarray:
    """Averaged (u, v) back to a speed and a direction in [0, 360), so that columns mean the same at every step.

    A speed that is itself a target stays the mean of the speeds, which is what is asked for.
    """
    count = values.shape[1] - 2 * len(pairs)
    out = values[:, :count].copy()
    for i, (speed, direction) in enumerate(pairs):
        u, v = values[:, count + 2 * i], values[:, count + 2 * i + 1]
        if speed >= targets:
            out[:, speed] = np.hypot(u, v)
        out[:, direction] = np.rad2deg(np.arctan2(v, u)) % 360.0
    return out
