"""Programs on another Keras backend, in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np


def run(backend: str, *arguments: str) -> str:
    """What `python ARGUMENTS` prints."""
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def on_backend(module: str, backend: str, folder: Path) -> dict[str, np.ndarray]:
    """The arrays that `python -m MODULE FILE` saves, by name."""
    run(backend, "-m", module, str(folder / "found.npz"))
    with np.load(folder / "found.npz") as saved:
        return dict(saved)
