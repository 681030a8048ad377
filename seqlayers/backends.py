"""The same kinds with the same weights and inputs on another Keras backend, in a process of its own."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import keras
import numpy as np

from seqlayers.example import Example


def outputs(example: Example) -> dict[str, np.ndarray]:
    """What a kind gives for an example's input on this backend: whole, and step by step where it streams."""
    layer, x = example.layer(), example.input()
    found = {"output": keras.ops.convert_to_numpy(example.call(layer, x))}
    if (example.slot != "head" or layer.per_step) and layer.streams:
        found["steps"] = example.stepped(layer, x)
    return found


def on_backend(backend: str, examples: Iterable[Example]) -> list[dict[str, np.ndarray]]:
    """`outputs` of every example in one fresh process on another Keras backend."""
    examples = list(examples)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "examples.json").write_text(json.dumps([dataclasses.asdict(e) for e in examples]))
        environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        command = [sys.executable, "-m", "seqlayers.backends", folder]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"on {backend}:\n{done.stderr[-3000:]}"
        with np.load(Path(folder, "outputs.npz")) as saved:
            keys = [key.split("/", 1) for key in saved.files]
            return [{k: saved[f"{i}/{k}"] for i, k in keys if int(i) == n} for n in range(len(examples))]


def _main(folder: Path) -> None:
    examples = [Example(**e) for e in json.loads((folder / "examples.json").read_text())]
    found = {f"{i}/{k}": v for i, example in enumerate(examples) for k, v in outputs(example).items()}
    np.savez(folder / "outputs.npz", **found)  # type: ignore[arg-type]  # named arrays


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
