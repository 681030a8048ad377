"""What a run and a backtest share: data found, a folder that an interruption leaves, one MLflow run."""

from __future__ import annotations

import contextlib
import errno
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import keras

from pipelines import provenance, tasks
from pipelines.config import Configuration
from pipelines.screen import Screen
from pipelines.task import Task, build
from pipelines.track import Tracker
from pipelines.workspace import Interrupted, Workspace
from seqlayers.errors import ConfigurationError
from seqlayers.model import SequenceModel


@dataclass
class Order:
    """What the command line asked for.

    Attributes:
        configuration: the settings.
        source: a path, a dataset's name, or `sample`.
        home: the folder of `runs/` and of the MLflow store.
        data_dir: the folder of raw files.
        command: the command as it was typed.
    """

    configuration: Configuration
    source: str
    home: Path
    data_dir: Path | None = None
    command: str = ""


@dataclass(frozen=True)
class Folding:
    """How a backtest folds.

    Attributes:
        count: folds.
        window: `expanding` trains on all that came before a fold, `sliding` on a stretch of fixed length.
        embargo: left out between the parts of a fold, as a duration or in rows.
    """

    count: int
    window: str
    embargo: str


@dataclass
class Job:
    """A piece of work under way.

    Attributes:
        order: what was asked for.
        configuration: with every `auto` and default written out.
        task: prepared.
        folds: of a backtest, the task on each of them, first to last.
        model: built on the task's data.
        workspace: the folder that is hidden until the work is complete.
        tracker: the MLflow run.
        screen: where progress goes.
        resuming: whether an interrupted job is gone on with.
        started, clock: when it began.
    """

    order: Order
    configuration: Configuration
    task: Task
    folds: list[Task]
    model: SequenceModel
    workspace: Workspace
    tracker: Tracker
    screen: Screen
    resuming: bool
    started: datetime
    clock: float

    @property
    def folder(self) -> Path:
        return self.workspace.folder

    @property
    def seconds(self) -> float:
        """Since the job began."""
        return time.perf_counter() - self.clock

    def track(self, rows: list[dict[str, Any]], files: Iterable[str]) -> None:
        """A metrics table and files of the folder to MLflow; the model's figures stand without a prefix."""
        for row in rows:
            self.tracker.metrics(row, prefix=prefix_of(row))
        for name in files:
            self.tracker.artifact(self.folder / name)

    def record(self) -> dict[str, Any]:
        """What a record says of how it came about."""
        return {
            "task": self.configuration.task,
            "run_id": self.tracker.run_id,
            "seed": self.configuration.train.seed,
            "started": self.started.isoformat(timespec="seconds"),
            "command": self.order.command,
            "versions": provenance.versions(),
            "commit": provenance.commit(),
            "resumed": int(self.resuming),
            "model": {
                "tag": self.model.summary_tag(),
                "parameters": self.model.count_params(),
                "configuration": self.configuration.to_yaml(),
                "slots_table": provenance.slots_table(self.model),
            },
        }


def prefix_of(row: dict[str, Any]) -> str:
    """What stands before the names of a row's figures in MLflow: nothing for the model, a baseline's name."""
    return "" if row["role"] == "model" else f"{row['name']}/"


@contextlib.contextmanager
def job(order: Order, screen: Screen, *, folding: Folding | None = None) -> Iterator[Job]:
    """Find the data, build the model, and open the folder and the MLflow run that the work belongs to.

    Args:
        order: what was asked for.
        screen: where progress goes.
        folding: of a backtest, which has a folder and an MLflow experiment of its own.

    Raises:
        ConfigurationError: a baseline has the model's name.
        Interrupted: by the user, or by a full disk; the same command goes on from there.
    """
    clock, started = time.perf_counter(), datetime.now()
    configuration = order.configuration
    keras.utils.set_random_seed(configuration.train.seed)
    screen.heading(f"{configuration.title or configuration.task}: data")
    task = tasks.make(configuration)
    task.prepare(order.source, order.data_dir, screen.say)
    model = SequenceModel.for_task(configuration.model, **task.model_arguments())
    build(model, task)
    tag = model.summary_tag()
    if tag in configuration.baselines:
        raise ConfigurationError(f"baselines.{tag}", "the model itself is called that in the tables.", "another name")
    folds = task.folds(folding.count, window=folding.window, embargo=folding.embargo) if folding else []
    name = f"{configuration.task}-backtest" if folding else configuration.task
    workspace = Workspace(order.home, name, provenance.key(configuration, task, *([folding] if folding else [])))
    resuming = workspace.open()
    with workspace.locked(), interruptions(workspace):
        facts = task.describe()
        tracker = Tracker.open(order.home, name, f"{started:%Y-%m-%d %H:%M}", run_id=workspace.notes().get("run_id"))
        workspace.note(run_id=tracker.run_id)
        tracker.tags(
            {
                "backtest_of" if folding else "task": configuration.task,
                "data": task.fingerprint()[:16],
                "source": facts["source"]["name"],
                "kind_of_data": "sample" if facts["source"]["sample"] else "real",
                "commit": provenance.commit() or "none",
                "slots": tag,
            }
        )
        tracker.dataset(facts["source"])
        configuration = provenance.resolved(configuration, order.source, task, model)
        tracker.params(configuration.model_dump())
        if resuming:
            screen.say("An interrupted job of this configuration on these data was found: going on with it")
        try:
            yield Job(order, configuration, task, folds, model, workspace, tracker, screen, resuming, started, clock)
        except KeyboardInterrupt:
            tracker.finish("KILLED")
            raise
        except BaseException:
            tracker.finish("FAILED")
            raise


@contextlib.contextmanager
def interruptions(workspace: Workspace) -> Iterator[None]:
    """Say of what can be gone on with that it can."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(f"Interrupted. The same command goes on from {workspace.folder}.") from None
    except Exception as error:
        if not _disk_is_full(error):
            raise
        raise Interrupted(
            f"The disk is full: {getattr(error, 'filename', None) or workspace.folder}. Free some space and give "
            "the same command: it goes on from what is complete."
        ) from None


def _disk_is_full(error: Exception) -> bool:
    """In the words of the system, of TensorFlow or of SQLite."""
    told = str(error).lower()
    return getattr(error, "errno", None) == errno.ENOSPC or "no space left" in told or "disk is full" in told
