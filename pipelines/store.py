"""Where tracked runs are kept: `mlflow.db` and `mlartifacts/` in a folder, or the store $MLFLOW_TRACKING_URI names."""

from __future__ import annotations

import contextlib
import http.client
import logging
import os
import shutil
import socket
import sqlite3
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from mlflow import MlflowClient

#: Seconds within which a tracking server must answer.
PATIENCE = 2.0

#: No calls home, no links and bars on the screen, and seconds rather than minutes spent on a server that has gone.
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "GIT_PYTHON_REFRESH": "quiet",
}

LOCALLY = "Or track locally, in mlflow.db, with `--tracking local` (or `unset MLFLOW_TRACKING_URI`)."


class TrackingError(RuntimeError):
    """Runs cannot be tracked: says what was tried, and how to go on without it."""


def uri_of(home: Path) -> str:
    """$MLFLOW_TRACKING_URI where it is set, else the SQLite file in `home`."""
    return os.environ.get("MLFLOW_TRACKING_URI") or _sqlite(home.resolve() / "mlflow.db")


def check_server(uri: str) -> None:
    """Raise TrackingError unless the server at `uri` answers within two seconds; local stores are not asked."""
    if not uri.startswith(("http://", "https://")):
        return
    found: list[str] = []
    # A thread, because looking a host's name up knows no time limit of its own.
    asking = threading.Thread(target=lambda: found.append(_ask(uri)), daemon=True)
    asking.start()
    asking.join(PATIENCE + 0.3)
    problem = found[0] if found else f"no answer within {PATIENCE:g} s"
    if problem:
        raise TrackingError(f"The MLflow server at {shown(uri)} cannot be used: {problem}. Start it. {LOCALLY}")


def _ask(uri: str) -> str:
    """What is wrong with the server, or nothing."""
    bare = urlsplit(uri)
    host = bare.netloc.rpartition("@")[2]
    health = urlunsplit((bare.scheme, host, bare.path.rstrip("/") + "/health", "", ""))
    try:
        with urllib.request.urlopen(health, timeout=PATIENCE) as answer:
            return "" if answer.status == 200 else f"it answers {answer.status} to {health}"
    except urllib.error.HTTPError as error:
        if error.code in (401, 407):  # there, and it wants the password that MLflow will send
            return ""
        hint = " (it may have to be started with --allowed-hosts)" if error.code == 403 else ""
        return f"it answers {error.code} to {health}{hint}"
    except urllib.error.URLError as error:
        return str(error.reason)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"no answer within {PATIENCE:g} s" if isinstance(error, socket.timeout) else str(error)


def shown(uri: str) -> str:
    """A store as it may be shown: an SQLite store's file, a server without the password that may stand in its URI."""
    if file := file_of(uri):
        return str(file)
    parts = urlsplit(uri)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if "@" in parts.netloc else uri


def connect(uri: str, *, create: bool) -> MlflowClient:
    """A client of the store; a local store that is not there is made, or refused when `create` is false."""
    check_server(uri)
    with explained(uri):
        if file := file_of(uri):
            if not file.exists():
                if not create:
                    raise TrackingError(
                        f"There are no tracked runs in {file.parent}. Make one with `seqlayers run`, or name with "
                        f"--home the folder that holds mlflow.db."
                    )
                _import_mlflow()
                _make(file)
            _check_file(file, writing=create)
        mlflow = _import_mlflow()
        return mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)


def file_of(uri: str) -> Path | None:
    """The file of an SQLite store, else None."""
    if not uri.startswith("sqlite:"):
        return None
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        name = make_url(uri).database
    except ArgumentError:  # MLflow will say what is wrong with it
        return None
    return Path(name).resolve() if name and name != ":memory:" else None


def _sqlite(file: Path) -> str:
    from sqlalchemy.engine import URL  # which knows how to write a path that holds %, ? or spaces

    return URL.create("sqlite", database=file.as_posix()).render_as_string()


@contextlib.contextmanager
def explained(uri: str) -> Iterator[None]:
    """Turn what MLflow, the database or the disk complains of into a TrackingError."""
    try:
        yield
    except TrackingError:
        raise
    except Exception as error:
        if not isinstance(error, OSError) and type(error).__module__.partition(".")[0] not in ("mlflow", "sqlalchemy"):
            raise
        problem = str(error).partition("\n")[0].removesuffix(".")
        remedy = (
            f"Correct $MLFLOW_TRACKING_URI. {LOCALLY}"
            if "MLFLOW_TRACKING_URI" in os.environ
            else "Choose another folder with --home."
        )
        raise TrackingError(f"Tracking failed in {shown(uri)}: {problem}. {remedy}") from error


def _import_mlflow():
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    import mlflow

    for name in ("mlflow", "alembic", "urllib3"):  # where MLflow had been imported before, the settings came too late
        logging.getLogger(name).setLevel(logging.ERROR)
    return mlflow


def _make(file: Path) -> None:
    """Make an empty store aside and link it into place: one cut short in its making would stay unusable."""
    import mlflow.db

    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f"{file.name}.{os.getpid()}.partial")
    try:
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / "mlflow.db"
            mlflow.db.upgrade.callback(_sqlite(made))
            shutil.copyfile(made, partial)
        try:
            os.link(partial, file)
        except FileExistsError:  # another run has made it meanwhile
            pass
        except OSError:  # a file system without links
            if not file.exists():
                os.rename(partial, file)
    finally:
        partial.unlink(missing_ok=True)


def _check_file(file: Path, *, writing: bool) -> None:
    """MLflow tries for minutes to open what is not a database, so look first."""
    try:
        with contextlib.closing(
            sqlite3.connect(f"{file.as_uri()}?mode={'rw' if writing else 'ro'}", uri=True)
        ) as database:
            database.execute("PRAGMA schema_version").fetchone()
            if writing:
                database.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as error:
        raise TrackingError(
            f"{file} cannot be used to track runs: {error}. Move it away, or choose another folder with --home."
        ) from None
