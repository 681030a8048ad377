"""Running totals, such as of rain, read as what was added from one row to the next."""

from __future__ import annotations

import numpy as np


def increments(totals: np.ndarray, neighbours: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""What each row adds: \(d_t = x_t - x_{t-1}\), or \(d_t = x_t\) where the total fell, and so was reset to nothing.

    It is unknown (NaN) where the total of the row before is: in the first row, next to a missing cell, and after rows
    that are missing, whose sum must not stand in one row. So a row means the same wherever a file begins. A reset
    after which the total is no lower than before cannot be seen.

    Args:
        totals: (rows, columns) float64, in order of time.
        neighbours: (rows,) boolean: whether the row before is one step before.

    Returns:
        The increments, and how many resets each column had.
    """
    change = np.diff(totals, axis=0, prepend=np.nan)
    reset = (change < 0) & neighbours[:, None]
    found = np.where(reset, totals, change)
    found[~neighbours] = np.nan
    return found, reset.sum(axis=0)
