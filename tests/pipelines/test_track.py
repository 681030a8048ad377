"""A run is tracked whole and once, over interruptions, and a store that cannot be used is refused at once."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from pipelines import store
from pipelines.store import TrackingError, check_server
from pipelines.track import Tracker, flatten

ROOT = Path(__file__).resolve().parents[2]
SOURCE = {"name": "weather.csv", "sha256": "ab" * 32, "sample": False, "note": "", "rows": 52_696}


def test_everything_logged_is_read_back(home):
    tracker = Tracker.open(home, "weather", "first")
    tracker.params({"model": {"encoder": [{"kind": "gru", "units": 64}]}, "train": {"clip_norm": None}})
    tracker.tags({"task": "weather", "kind_of_data": "real"})
    tracker.metrics({"mae": 1.5, "skill": 0.25, "name": "value>gru", "pinball": None})
    tracker.metrics({"mae": 1.75}, prefix="last value/")
    tracker.dataset(SOURCE)
    (home / "exports" / "saved_model").mkdir(parents=True)
    (home / "exports" / "saved_model" / "saved_model.pb").write_text("graph")
    (home / "record.json").write_text("{}")
    tracker.artifact(home / "exports")
    tracker.artifact(home / "record.json")
    tracker.finish()

    run = tracker.client.get_run(tracker.run_id)
    assert run.info.status == "FINISHED" and run.info.run_name == "first"
    assert run.data.params == {"model.encoder.0.kind": "gru", "model.encoder.0.units": "64", "train.clip_norm": "null"}
    assert run.data.tags["task"] == "weather" and run.data.tags["kind_of_data"] == "real"
    assert run.data.metrics == {"mae": 1.5, "skill": 0.25, "last value/mae": 1.75}
    assert run.inputs.dataset_inputs[0].dataset.digest == "ab" * 16
    kept = home / "mlartifacts" / "weather" / tracker.run_id / "artifacts"
    assert (kept / "exports" / "saved_model" / "saved_model.pb").read_text() == "graph"
    assert (kept / "record.json").exists()


def test_epochs_go_in_batches_and_keep_their_steps(home):
    tracker = Tracker.open(home, "weather", "long")
    start = time.perf_counter()
    tracker.epochs([(epoch, {"loss": 1 / (epoch + 1), "validation_loss": 2 / (epoch + 1)}) for epoch in range(1200)])
    assert time.perf_counter() - start < 3  # one by one they take 2,400 × 3.6 ms
    history = tracker.client.get_metric_history(tracker.run_id, "validation_loss")
    assert {m.step: m.value for m in history} == {epoch: 2 / (epoch + 1) for epoch in range(1200)}


def test_an_interrupted_run_is_gone_on_with_and_nothing_is_logged_twice(home):
    first = Tracker.open(home, "weather", "run")
    first.params({"train": {"epochs": 4}})
    first.epochs([(0, {"loss": 4.0}), (1, {"loss": 3.0})])
    first.finish("KILLED")

    second = Tracker.open(home, "weather", "run", run_id=first.run_id)
    assert second.run_id == first.run_id
    assert second.client.get_run(second.run_id).info.status == "RUNNING"
    second.params({"train": {"epochs": 4}})
    second.epochs([(0, {"loss": 4.0}), (1, {"loss": 3.0}), (2, {"loss": 2.0})])
    second.finish()

    history = second.client.get_metric_history(second.run_id, "loss")
    assert [(m.step, m.value) for m in history] == [(0, 4.0), (1, 3.0), (2, 2.0)]
    assert len(second.client.search_runs([second.experiment_id])) == 1
    assert second.client.get_run(second.run_id).info.status == "FINISHED"


def test_a_run_that_the_store_has_lost_is_replaced_and_named(home):
    lost = "0123456789abcdef0123456789abcdef"
    tracker = Tracker.open(home, "weather", "run", run_id=lost)
    assert tracker.run_id != lost
    assert tracker.client.get_run(tracker.run_id).data.tags["continues"] == lost


def test_a_run_started_by_mlflow_is_joined(home, monkeypatch):
    outer = Tracker.open(home, "Projects", "outer")
    outer.params({"source": "given by mlflow run"})
    monkeypatch.setenv("MLFLOW_RUN_ID", outer.run_id)
    inner = Tracker.open(home, "weather", "inner")
    inner.params({"source": "sample", "train": {"epochs": 3}})
    assert inner.run_id == outer.run_id
    assert inner.client.get_run(inner.run_id).data.params == {"source": "given by mlflow run", "train.epochs": "3"}

    monkeypatch.setenv("MLFLOW_RUN_ID", "f" * 32)
    with pytest.raises(TrackingError, match=r"\$MLFLOW_RUN_ID names the run ffff"):
        Tracker.open(home, "weather", "inner")


def test_a_deleted_experiment_is_reported_with_the_way_to_bring_it_back(home):
    tracker = Tracker.open(home, "weather", "run")
    tracker.client.delete_experiment(tracker.experiment_id)
    with pytest.raises(TrackingError, match=rf"mlflow experiments restore -x {tracker.experiment_id}"):
        Tracker.open(home, "weather", "run")


def test_settings_are_flattened_and_long_ones_cut_with_a_hash():
    flat = flatten({"a": {"b": [1, 2]}, "c": [{"d": True}, {"d": None}], "long": "x" * 900, "T (°C)": 1, "e": {}})
    assert flat.pop("long").startswith("x" * 400)
    assert flat == {"a.b": "[1, 2]", "c.0.d": "true", "c.1.d": "null", "T __C_": "1", "e": "{}"}
    one, other = flatten({"v": "x" * 900 + "a"})["v"], flatten({"v": "x" * 900 + "b"})["v"]
    assert one != other and max(len(one), len(other)) <= 500


def test_more_parameters_than_mlflow_takes_at_once(home):
    tracker = Tracker.open(home, "weather", "run")
    tracker.params({f"p{i}": i for i in range(250)})
    assert len(tracker.client.get_run(tracker.run_id).data.params) == 250


@pytest.mark.parametrize("status", ["FAILED", "KILLED"])
def test_a_failure_of_the_run_is_not_hidden_by_one_of_its_tracking(home, status, monkeypatch):
    tracker = Tracker.open(home, "weather", "run")
    monkeypatch.setattr(tracker, "run_id", "gone")
    tracker.finish(status)
    with pytest.raises(TrackingError):
        tracker.finish("FINISHED")


def test_the_store_stands_where_the_uri_says(home, tmp_path_factory, monkeypatch):
    other = tmp_path_factory.mktemp("other place, ü") / "mlflow.db"
    os.rename(home / "mlflow.db", other)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{other}")
    tracker = Tracker.open(home, "weather", "run")
    (home / "report.html").write_text("x")
    tracker.artifact(home / "report.html")
    assert not (home / "mlflow.db").exists()
    assert (other.parent / "mlartifacts" / "weather" / tracker.run_id / "artifacts" / "report.html").exists()


def test_what_is_no_database_is_refused_at_once(tmp_path):
    (tmp_path / "mlflow.db").write_text("not a database, but long enough to look at" * 20)
    start = time.perf_counter()
    with pytest.raises(TrackingError, match=r"mlflow\.db cannot be used to track runs: file is not a database"):
        Tracker.open(tmp_path, "weather", "run")
    assert time.perf_counter() - start < 3


def test_a_folder_that_cannot_be_written_is_refused_at_once(tmp_path):
    (tmp_path / "file").write_text("")
    start = time.perf_counter()
    with pytest.raises(TrackingError, match=r"Choose another folder with --home"):
        Tracker.open(tmp_path / "file", "weather", "run")
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize("uri", ["file:./mlruns", "sqlite:/mlflow.db", "ftp://example.org"])
def test_a_store_that_mlflow_does_not_know_is_refused(uri, home, monkeypatch):
    monkeypatch.chdir(home)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(TrackingError, match=r"Tracking failed in .*--tracking local"):
        Tracker.open(home, "weather", "run")


def test_a_store_cut_short_in_its_making_is_never_taken_for_one(tmp_path):
    """Killed while the store is made, the folder holds none, and the next run makes a whole one."""
    file = tmp_path / "mlflow.db"
    code = f"""
        import pathlib, mlflow.db, mlflow.store.db.utils
        from pipelines import store
        print("ready", flush=True)
        store._make(pathlib.Path({str(file)!r}))
    """
    process = _python(code, stdout=subprocess.PIPE, env={**os.environ, "TMPDIR": str(tmp_path)})
    process.stdout.readline()
    time.sleep(0.3)  # the making takes a second at least
    process.kill()
    process.wait()
    assert not file.exists()


def test_two_runs_that_start_together_share_one_store(tmp_path, empty_store, monkeypatch):
    """The second to finish making the store must not put its own in the place of the first's."""
    file = tmp_path / "mlflow.db"

    def make(uri):
        shutil.copyfile(empty_store, store.file_of(uri))
        with sqlite3.connect(file) as database:
            database.execute("CREATE TABLE mine (x)")

    monkeypatch.setattr("mlflow.db.upgrade.callback", make)
    store._make(file)
    with sqlite3.connect(file) as database:
        assert database.execute("SELECT name FROM sqlite_master").fetchall() == [("mine",)]
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("kind", ["closed port", "silent server", "unknown host", "no MLflow"])
def test_a_server_that_cannot_be_used_is_reported_within_three_seconds(kind):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        uri = f"http://user:secret@127.0.0.1:{listener.getsockname()[1]}"
        if kind == "closed port":
            listener.close()
        elif kind == "silent server":
            listener.listen()
        elif kind == "unknown host":
            uri = "http://user:secret@mlflow.invalid:5000"
        else:
            listener.listen()
            threading.Thread(target=_answer, args=(listener, 404), daemon=True).start()
        start = time.perf_counter()
        with pytest.raises(TrackingError) as refused:
            check_server(uri)
        assert time.perf_counter() - start < 3
    said = str(refused.value)
    assert re.match(r"The MLflow server at http://(127\.0\.0\.1:\d+|mlflow\.invalid:5000) cannot be used: ", said)
    assert "--tracking local" in said and "unset MLFLOW_TRACKING_URI" in said
    assert "secret" not in said


def test_a_server_that_answers_and_a_local_store_pass():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        threading.Thread(target=_answer, args=(listener, 200), daemon=True).start()
        check_server(f"http://127.0.0.1:{listener.getsockname()[1]}/some/prefix/")
    check_server("sqlite:////nowhere/mlflow.db")


@pytest.mark.slow
def test_a_first_run_writes_nothing_to_the_screen_or_the_current_folder(tmp_path):
    home, current = tmp_path / "home", tmp_path / "current"
    home.mkdir()
    current.mkdir()
    code = f"""
        import pathlib
        from pipelines.track import Tracker
        tracker = Tracker.open(pathlib.Path({str(home)!r}), "weather", "run")
        tracker.metrics({{"mae": 1.0}})
        tracker.finish()
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = _python(code, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=current, env=environment)
    assert process.communicate() == (b"", b"") and process.returncode == 0
    assert list(current.iterdir()) == []
    assert [path.name for path in home.iterdir()] == ["mlflow.db"]


def _python(code, **options):
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], **options)


def _answer(listener, status):
    connection, _ = listener.accept()
    request = connection.recv(4096).decode()
    ok = status if "/health " in request.splitlines()[0] else 500
    connection.sendall(f"HTTP/1.1 {ok} X\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK".encode())
    connection.close()
