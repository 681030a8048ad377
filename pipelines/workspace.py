"""Where a run keeps its files: in progress under a hidden name, and under its own name only when it is complete.

`runs/weather/.unfinished-3f2a…/` holds the state that the same command goes on from; it becomes
`runs/weather/20260131-142530-3f2a/` in one rename, so nothing half-written is ever taken for a finished run.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

#: What only an interrupted job needs.
LEFTOVERS = ("checkpoint.npz*", "fold-*", ".lock", "run.json")


class Interrupted(Exception):
    """The run stopped before its end and can be gone on with by the same command; exit code 5."""


class WorkspaceError(ValueError):
    """The output folder cannot be used; exit code 2."""


class Workspace:
    """The folder of one run below `home/runs/task`; `key` identifies configuration and data."""

    def __init__(self, home: Path, task: str, key: str):
        self.home, self.key = home, key
        self.parent = home / "runs" / task
        self.folder = self.parent / f".unfinished-{key[:12]}"

    def open(self) -> bool:
        """Make the folder, or take up the one an interrupted run left; True in the second case."""
        resuming = (self.folder / "run.json").exists()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            probe = self.folder / ".writable"
            probe.write_text("x")
            probe.unlink()
        except OSError as error:
            raise WorkspaceError(
                f"Cannot write to {self.folder}: {error.strerror}. Choose another place with --home FOLDER."
            ) from None
        return resuming

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second run of the same configuration on the same data out of this folder."""
        try:
            import fcntl
        except ImportError:  # a platform without advisory locks
            yield
            return
        with open(self.folder / ".lock", "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise WorkspaceError(
                    f"Another process is running this configuration on these data (in {self.folder}). Wait for it."
                ) from None
            yield

    def notes(self) -> dict[str, Any]:
        """What an interrupted run left to remember, such as its MLflow run."""
        path = self.folder / "run.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def note(self, **facts: Any) -> None:
        write_atomically(self.folder / "run.json", json.dumps(self.notes() | facts))

    def finish(self, started: datetime, *, latest: bool = True) -> Path:
        """Give the complete run its name, and let `latest` point to it; returns the final folder."""
        final = self.parent / f"{started:%Y%m%d-%H%M%S}-{self.key[:4]}"
        count = 2
        while final.exists():
            final = final.with_name(f"{started:%Y%m%d-%H%M%S}-{self.key[:4]}-{count}")
            count += 1
        for leftover in LEFTOVERS:
            for path in self.folder.glob(leftover):
                path.unlink()
        os.replace(self.folder, final)
        if latest:
            link = self.parent / "latest"
            with contextlib.suppress(OSError):  # a convenience where the file system has links
                link.unlink(missing_ok=True)
                link.symlink_to(final.name)
        return final


def write_atomically(path: Path, text: str) -> None:
    """Write beside, flush to the disk, rename: the old file or the new one, never half of either."""
    with replacing(path) as file:
        file.write(text.encode())


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write in the place of `path`, which takes its name when all of it is on the disk."""
    partial = path.with_name(path.name + ".partial")
    try:
        with open(partial, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:  # a full disk wants the room back
        partial.unlink(missing_ok=True)
        raise
    os.replace(partial, path)
