"""What every test stands on: a quiet TensorFlow, fixed seeds, no tracking server but its own."""

from __future__ import annotations

import os
import random
import shutil
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Workers that run side by side leave each other the cores.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1" if "PYTEST_XDIST_WORKER" in os.environ else "2")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", os.environ["TF_NUM_INTRAOP_THREADS"])
os.environ.setdefault("OMP_NUM_THREADS", os.environ["TF_NUM_INTRAOP_THREADS"])
os.environ.setdefault("MPLBACKEND", "Agg")

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _same_every_time(monkeypatch):
    """Fixed seeds; and the tracking that the environment names is left in peace."""
    random.seed(0)
    np.random.seed(0)
    if keras := sys.modules.get("keras"):
        keras.utils.set_random_seed(0)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """An `mlflow.db` without runs. To make one takes seconds, to copy it none."""
    from pipelines import store

    home = tmp_path_factory.mktemp("store")
    store.connect(store.uri_of(home), create=True)
    return home / "mlflow.db"


@pytest.fixture
def home(tmp_path, empty_store):
    """A folder for runs, its store in place."""
    shutil.copyfile(empty_store, tmp_path / "mlflow.db")
    return tmp_path
