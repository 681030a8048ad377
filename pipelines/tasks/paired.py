"""How much lower one model's losses are than another's on the same steps, and how surely."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats


def paired(name: str, ours: np.ndarray, theirs: np.ndarray, block: int | np.ndarray) -> dict[str, Any]:
    """The mean of `ours` − `theirs`, and its 95 % interval, by Student's t over blocks of steps.

    Neighbouring steps are alike, so that what is drawn independently is taken to be a block: a stretch of text, or a
    piece of music. With one block there is no telling, and the interval has no end.

    Args:
        name: of the other model.
        ours, theirs: (steps,) losses.
        block: steps of a block, or the first step of each.
    """
    difference = np.asarray(ours, np.float64) - theirs
    starts = np.arange(0, len(difference), block) if isinstance(block, int) else np.asarray(block)
    sizes = np.diff(starts, append=len(difference))
    mean = float(difference.mean())
    # the mean over all steps as a ratio of sums over blocks, whose spread is that of the residuals
    residuals = np.add.reduceat(difference, starts) - mean * sizes
    count = len(starts)
    if count < 2:
        return {"name": name, "difference": mean, "low": -np.inf, "high": np.inf}
    spread = np.sqrt((residuals**2).sum() * count / (count - 1)) / len(difference)
    half = float(stats.t.ppf(0.975, count - 1) * spread)
    return {"name": name, "difference": mean, "low": mean - half, "high": mean + half}
