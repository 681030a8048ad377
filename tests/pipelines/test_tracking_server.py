"""MLflow's own server: the pages show what was tracked, and runs can be tracked to it over HTTP."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import mlflow
import numpy as np
import pytest

from pipelines import compare
from pipelines.promote import offer
from pipelines.store import check_server
from pipelines.track import Tracker
from tests.pipelines.test_promote import record


@pytest.fixture
def server(home):
    """`seqlayers ui` on a store that holds one run; yields its address, then ends it as a service manager would."""
    tracker = Tracker.open(home, "weather", "local")
    tracker.tags({"task": "weather", "slots": "gru"})
    tracker.finish()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = (
        f"import sys; from pathlib import Path; from pipelines.ui import ui; sys.exit(ui(Path({str(home)!r}), {port}))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    said = [process.stdout.readline(), process.stdout.readline()]
    assert said[1] == f"Open http://127.0.0.1:{port}   (Ctrl-C ends it)\n", said
    yield f"http://127.0.0.1:{port}"
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0, "the server outlived the command"


@pytest.mark.slow
def test_runs_are_shown_tracked_and_registered_over_http(server, home, saved_model, monkeypatch):
    check_server(server)
    assert b"<!doctype html" in urllib.request.urlopen(server).read()

    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    tracker = Tracker.open(home / "elsewhere", "weather-shared", "remote")
    tracker.params({f"p{i}": i for i in range(150)})
    tracker.tags({"task": "weather", "slots": "lstm"})
    start = time.perf_counter()
    tracker.epochs([(epoch, {"loss": 1 / (epoch + 1)}) for epoch in range(1500)])
    assert time.perf_counter() - start < 10  # one by one they take 66 s
    tracker.metrics({"mae": 1.0, "skill": 0.4})
    tracker.artifact(saved_model)
    assert "seqlayers-weather, version 1: champion" in offer(tracker, record(0.4), saved_model)
    tracker.finish()

    rows = compare.runs(home / "elsewhere", "weather", sort="started")
    assert [(row["slots"], row["registered"]) for row in rows] == [("lstm", "champion v1"), ("gru", None)]
    question = json.dumps({"experiment_ids": [tracker.experiment_id]}).encode()
    asked = urllib.request.Request(
        f"{server}/api/2.0/mlflow/runs/search", question, {"Content-Type": "application/json"}
    )
    assert json.load(urllib.request.urlopen(asked))["runs"][0]["info"]["run_name"] == "remote"
    assert list((home / "mlartifacts").rglob("saved_model.pb")), "artefacts belong beside the store"
    assert not os.path.exists(home / "elsewhere")

    model = mlflow.pyfunc.load_model("models:/seqlayers-weather@champion")
    answer = model.predict({"readings": np.ones((1, 4, 2), "float32"), "times": np.ones((1, 4), "int64")})
    assert answer["forecast"].tolist() == [[[2.0]]]
