"""MLflow's own pages on the tracked runs, served to this machine alone."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipelines.store import QUIET, file_of, shown, uri_of

HOST = "127.0.0.1"


def ui(home: Path, port: int = 5000) -> int:
    """Serve MLflow's pages until Ctrl-C; returns the exit code.

    Args:
        home: the folder of `mlflow.db`, unless $MLFLOW_TRACKING_URI names another store.
        port: where to listen on 127.0.0.1.
    """
    uri = uri_of(home)
    if uri.startswith(("http://", "https://")):
        print(f"The runs are on the MLflow server at {shown(uri)}: open that address in a browser.")
        return 0
    file = file_of(uri)
    if file and not file.exists():
        return _refuse(
            f"There are no tracked runs in {file.parent}. Make one with `seqlayers run`, or name its --home."
        )
    if _taken(port):
        return _refuse(f"Port {port} is taken. Choose another, such as --port {port + 1}.")
    command = [sys.executable, "-P", "-m", "mlflow", "ui", "--backend-store-uri", uri]
    command += ["--host", HOST, "--port", str(port), "--workers", "1", "--uvicorn-opts", "--log-level warning"]
    if file:
        command += ["--artifacts-destination", (file.parent / "mlartifacts").as_uri()]
    with tempfile.TemporaryDirectory() as empty:  # an own folder: the server imports from where it stands
        return _serve(command, port, empty)


def _serve(command: list[str], port: int, folder: str) -> int:
    switches = {"PYTHONSAFEPATH": "1", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    log = Path(folder) / "log"
    with open(log, "wb") as out:
        server = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **QUIET, **switches},
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    before = signal.signal(signal.SIGTERM, lambda *_: _end(server))
    try:
        print("MLflow is starting, which takes some seconds.", flush=True)
        while server.poll() is None and not _taken(port):
            time.sleep(0.2)
        if server.poll() is None:
            print(f"Open http://{HOST}:{port}   (Ctrl-C ends it)", flush=True)
        if server.wait() in (0, -signal.SIGTERM):
            return 0
        lines = log.read_text(errors="replace").splitlines()[-15:]
        return _refuse("\n".join(["MLflow's server ended:", *lines]), 1)
    except KeyboardInterrupt:
        return 0
    finally:
        _end(server)
        server.wait()
        signal.signal(signal.SIGTERM, before)


def _end(server: subprocess.Popen) -> None:
    """End MLflow and the workers it started."""
    with contextlib.suppress(ProcessLookupError):
        if os.name == "posix":
            os.killpg(server.pid, signal.SIGTERM)
        else:
            server.terminate()


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((HOST, port)) == 0


def _refuse(why: str, code: int = 2) -> int:
    print(why, file=sys.stderr)
    return code
