"""Run the `seqlayers` command inside the test process, and a small series to run it on."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from typer.testing import CliRunner

from pipelines.cli import app

#: Settings that make a run small enough for a test.
SMALL = [
    "--set", "train.epochs=2",
    "--set", "train.jit=false",
    "--set", "model.embedding.units=8",
    "--set", "model.encoder.0.units=8",
]  # fmt: skip


@dataclasses.dataclass
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.out.strip().splitlines()[-1])


def seqlayers(*arguments: str | Path) -> Answer:
    """The command's exit code, standard output and standard error."""
    tracking = os.environ.get("MLFLOW_TRACKING_URI")
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    os.environ.pop("MLFLOW_TRACKING_URI", None)  # --tracking puts it there
    if tracking is not None:
        os.environ["MLFLOW_TRACKING_URI"] = tracking
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Answer(result.exit_code, result.stdout, result.stderr)


def sales(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    """Daily sales with a weekly pattern, a trend and noise."""
    rng = np.random.default_rng(seed)
    day = np.arange(rows)
    units = 100 + 0.05 * day + 20 * np.sin(2 * np.pi * day / 7) + rng.normal(0, 4, rows)
    price = 9 + rng.normal(0, 0.2, rows)
    return pd.DataFrame(
        {"date": pd.date_range("2023-01-01", periods=rows), "units": units.round(1), "price": price.round(2)}
    )


def write(frame: pd.DataFrame, path: Path) -> Path:
    frame.to_csv(path, index=False)
    return path
