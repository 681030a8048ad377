"""The simple forecasters that every forecast is set beside: last value, seasonal naive, drift.

Each reads the series in its own units at rows before the origin, and nothing else. The fourth baseline, the ridge,
is a model like any other (`head: {kind: linear, solve: ridge}`) and is built by the task.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

#: (values (rows, targets), origins (n,), starts (n,), look_back, horizon, season) → forecasts (n, horizon, targets);
#: `starts` is the first row of the series that an origin belongs to.
Naive = Callable[[np.ndarray, np.ndarray, np.ndarray, int, int, int], np.ndarray]


def last_value(
    values: np.ndarray, origins: np.ndarray, starts: np.ndarray, look_back: int, horizon: int, season: int
) -> np.ndarray:
    r"""\(\hat y_{t+h} = y_t\)."""
    return np.repeat(values[origins - 1][:, None], horizon, axis=1)


def seasonal_naive(
    values: np.ndarray, origins: np.ndarray, starts: np.ndarray, look_back: int, horizon: int, season: int
) -> np.ndarray:
    r"""\(\hat y_{t+h} = y_{t+h-m\lceil h/m \rceil}\): the same phase of the last whole season m.

    Where the series is younger than a season it is the last value.
    """
    rows = origins[:, None] - season + np.arange(horizon) % season
    return values[np.where(rows < starts[:, None], origins[:, None] - 1, rows)]


def drift(
    values: np.ndarray, origins: np.ndarray, starts: np.ndarray, look_back: int, horizon: int, season: int
) -> np.ndarray:
    r"""\(\hat y_{t+h} = y_t + h\,(y_t - y_{t-L+1})/(L-1)\), over the look-back of L steps."""
    last, first = values[origins - 1], values[origins - look_back]
    slope = (last - first) / max(1, look_back - 1)
    return last[:, None] + slope[:, None] * np.arange(1, horizon + 1)[None, :, None]


NAIVE: dict[str, Naive] = {"last value": last_value, "seasonal naive": seasonal_naive, "drift": drift}
