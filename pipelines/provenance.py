"""What made a result: the code, the versions, and the configuration with nothing left open."""

from __future__ import annotations

import functools
import hashlib
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipelines.config import Configuration
from pipelines.task import Task
from seqlayers.model import SequenceModel

PACKAGES = ("seqlayers", "tensorflow", "keras", "numpy", "mlflow")


def versions() -> dict[str, str]:
    return {name: version(name) for name in PACKAGES}


def key(configuration: Configuration, task: Task, *more: Any) -> str:
    """A hash of all that decides a result: settings, data, code, and `more`."""
    code = [version(name) for name in ("seqlayers", "tensorflow", "keras")]
    told = f"{configuration.digest()} {task.fingerprint()} {code} {commit()}" + "".join(f" {m}" for m in more)
    return hashlib.sha256(told.encode()).hexdigest()


@functools.cache
def commit() -> str | None:
    """The commit of the code that runs, `+` where it has been changed since; None outside a checkout of its own."""
    top = Path(__file__).resolve().parent.parent

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=top, capture_output=True, text=True, timeout=5, check=True)
        return done.stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() != top:
            return None
        return git("rev-parse", "--short", "HEAD") + ("+" if git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def resolved(configuration: Configuration, source: str, task: Task, model: SequenceModel) -> Configuration:
    """The configuration with every `auto` and default written out: what `--config` takes to repeat the run."""
    given = task.model_arguments()

    def without_given(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: without_given(value) for key, value in node.items() if key not in given}
        return [without_given(item) for item in node] if isinstance(node, list) else node

    place = str(Path(source).resolve()) if Path(source).exists() else source
    found = {"source": place, "data": task.settings(), "model": without_given(model.to_configuration())}
    return configuration.model_copy(update=found)


def slots_table(model: SequenceModel) -> list[dict[str, Any]]:
    """The rows of slots for the report's drawing; `branch` numbers them."""
    rows = [*enumerate(model.rows), *([(None, model.shared)] if model.shared is not None else [])]
    return [
        {"branch": i, "slot": kind.slot, "kind": kind.kind, "settings": kind.settings()}
        for i, row in rows
        for kind in row.kinds()
    ]
