"""The layers run where there is no TensorFlow."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import sys
sys.modules["tensorflow"] = None  # importing it raises
import numpy as np
from seqlayers import slots
from seqlayers.model import SequenceModel

catalogue = slots.catalogue()
assert all(catalogue[slot] for slot in slots.SLOTS), catalogue
model = SequenceModel(
    normalise={"kind": "reversible"},
    embedding={"kind": "value", "units": 8},
    encoder=[{"kind": "convolution", "units": 4}],
    pooling={"kind": "last"},
    head={"kind": "quantile", "horizon": 3, "targets": 1},
)
x, y = np.ones((4, 12, 2), "float32"), np.ones((4, 3, 1), "float32")
if "train" in sys.argv:
    model.compile("adam", model.loss_function)
    model.fit(x, y, verbose=0)
print(model(x).shape)
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", ["call", pytest.param("train", marks=pytest.mark.slow)])
def test_a_model_runs_on_jax_with_tensorflow_out_of_reach(how):
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip() == "(4, 3, 1, 3)"
