"""Small made tables for the tests of the data room."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.source import Source

NOWHERE = Source("made", None, "", False, "")


def hourly(rows: int = 200, *, start: str = "2021-03-01T00:00", seed: int = 0, **columns: object) -> pd.DataFrame:
    """A table with a stamp an hour, a target `y` and a covariate `x`, and any further columns."""
    rng = np.random.default_rng(seed)
    stamps = np.datetime64(start, "s") + np.arange(rows) * np.timedelta64(3600, "s")
    y = np.sin(2 * np.pi * np.arange(rows) / 24) + 0.1 * rng.normal(size=rows)
    frame = pd.DataFrame({"time": stamps, "y": y, "x": rng.normal(size=rows)})
    return frame.assign(**columns)


def stamps(*texts: str) -> np.ndarray:
    """ISO texts → int64 seconds."""
    return np.array(texts, "datetime64[s]").astype(np.int64)


def real(*parts: str) -> Path:
    """A real file below $SEQLAYERS_DATA; skips the test where there is none."""
    folder = os.environ.get("SEQLAYERS_DATA")
    if not folder:
        pytest.skip("SEQLAYERS_DATA names no folder of real data")
    path = Path(folder).joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path
