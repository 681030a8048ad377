"""What heads draw, and what a training step makes of them, on another Keras backend in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np

from tests.seqlayers.cases import CASES

NAMES = ("tokens", "notes", "notes independent")


def uniforms(name: str) -> np.ndarray:
    example = CASES[name]
    pitches = (example.configuration["pitches"],) if "pitches" in example.configuration else ()
    return np.random.default_rng(12).random((example.batch, example.time, *pitches), "float32")


def of_this_backend() -> dict[str, np.ndarray]:
    """Draws, greedy probabilities, and the loss and weights after a training step, by name."""
    found = {}
    for name in NAMES:
        example = CASES[name]
        layer, x = example.layer(), example.input()
        output = layer(x)
        found[f"{name}: draws"] = np.asarray(layer.sample(output, uniforms(name)))
        found[f"{name}: probabilities"] = np.asarray(layer.predict(output))
        model = example.model(layer)
        model.compile(keras.optimizers.SGD(0.1), layer.loss)
        found[f"{name}: loss"] = np.asarray(model.train_on_batch({"x": x}, example.target(layer, output.shape)))
        found |= {f"{name}: {w.path}": keras.ops.convert_to_numpy(w) for w in layer.weights}
    return found


def on_backend(backend: str, folder: Path) -> dict[str, np.ndarray]:
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "tests.seqlayers.draws", str(folder / "draws.npz")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    with np.load(folder / "draws.npz") as saved:
        return dict(saved)


if __name__ == "__main__":
    np.savez(sys.argv[1], **of_this_backend())  # type: ignore[arg-type]  # named arrays
