"""What a module finds on another Keras backend, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np


def on_backend(module: str, backend: str, folder: Path) -> dict[str, np.ndarray]:
    """The arrays that `python -m MODULE FILE` saves, by name."""
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", module, str(folder / "found.npz")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    with np.load(folder / "found.npz") as saved:
        return dict(saved)
