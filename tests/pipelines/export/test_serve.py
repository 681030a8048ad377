"""A SavedModel runs in a program that holds no Python: raw readings in, forecasts in units out."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from pipelines.export import saved_model
from pipelines.export.verify import Reference, difference
from tests.pipelines.export.toy import Toy

PROGRAM = Path(__file__).with_name("serve.c")
LIBRARIES = ("libtensorflow_cc.so.2", "libtensorflow_framework.so.2")


@pytest.fixture(scope="module")
def serve(tmp_path_factory) -> Path:
    """The compiled program; skips where it cannot be compiled."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        pytest.skip("no C compiler on this machine")
    tensorflow = Path(importlib.util.find_spec("tensorflow").submodule_search_locations[0])
    needed = [tensorflow / "include/tensorflow/c/c_api.h", *(tensorflow / library for library in LIBRARIES)]
    missing = [path.name for path in needed if not path.is_file()]
    if missing:
        pytest.skip(f"the installed TensorFlow has no {' and no '.join(missing)}")
    out = tmp_path_factory.mktemp("serve") / "serve"
    link = [f"-L{tensorflow}", *(f"-l:{library}" for library in LIBRARIES), f"-Wl,-rpath,{tensorflow}"]
    if shutil.which("ld.gold"):
        link.append("-fuse-ld=gold")  # a fifth of the usual linker's time on a library of a gigabyte
    command = [compiler, "-O1", "-Wall", "-o", out, PROGRAM, f"-I{tensorflow / 'include'}", *link]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return out


def run(program: Path, model: Path, inputs: dict[str, np.ndarray], folder: Path) -> dict[str, np.ndarray]:
    arguments = []
    for name, x in inputs.items():
        x.tofile(folder / f"{name}.bin")
        arguments.append(f"{name}={folder / name}.bin:{'x'.join(map(str, x.shape))}")
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    done = subprocess.run([program, model, *arguments], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    outputs = {}
    for line in done.stdout.splitlines():
        (name, *shape), values = (part.split() for part in line.split(" ="))
        kind = np.int64 if name.endswith("times") else np.float32
        outputs[name] = np.array(values, dtype=kind).reshape(tuple(map(int, shape)))
    return outputs


@pytest.mark.parametrize("batch", [1, 7])
def test_a_c_program_gets_the_forecast_that_keras_gives(serve, tmp_path, batch):
    toy = Toy()
    saved_model.write(toy, tmp_path / "model")
    reference = Reference.of(toy, toy.models(), batch, 3, tmp_path / "inputs.npz")
    outputs = run(serve, tmp_path / "model", reference.inputs, tmp_path)
    assert outputs["forecast"].shape == (batch, 6, 1)
    assert difference(outputs, reference.outputs) <= 1e-5
