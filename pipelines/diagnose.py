"""Gradient reach: how much of the loss's gradient arrives at steps that lie far back, encoder by encoder.

Each encoder stands alone in one row of the task's model, without normalisation and with its last step pooled, so that
all that the loss has to say to an early step comes back through the encoder. Measured at initialisation and again after
a short training.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
from rich.console import Console
from rich.markup import escape

from pipelines import provenance, tasks, train
from pipelines.config import TrainOptions
from pipelines.gradients import Clock, Probe, read
from pipelines.job import Order, interruptions
from pipelines.report.diagnosis import write_diagnosis
from pipelines.report.unrolled import CELLS, Norms, picture
from pipelines.rows import Question, Single, singles, stride
from pipelines.screen import Screen
from pipelines.task import Task
from pipelines.workspace import Workspace, write_atomically
from seqlayers.errors import ConfigurationError
from seqlayers.model import SequenceModel

#: Training batches that the gradient is measured on.
BATCHES = 8
#: Validation batches that a short training is judged on, at most.
JUDGED = 100
#: Cells in the unrolled picture.
UNROLLED = 4

#: Called with an encoder's name and the training steps that are done.
Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Diagnosis:
    """What was found, and the folder it was written to."""

    record: dict[str, Any]
    folder: Path

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints: each curve in numbers and words, without its points."""
        record, told = self.record, ("word", "said", "beyond_half", "a_step", "fallen", "grown", "loss")

        def phase(of: dict[str, Any] | None) -> dict[str, Any] | None:
            return of and {key: of[key] for key in told}

        return {
            **{key: record[key] for key in ("task", "status", "steps", "clip_norm")},
            "source": record["source"]["name"],
            "sample": record["source"]["sample"],
            "encoders": {
                c["name"]: {
                    "initial": phase(c["initial"]),
                    "trained": phase(c["trained"]),
                    "diverged": c["diverged"],
                }
                for c in record["curves"]
            },
            "artifacts": {name: str(self.folder / name) for name in ("report.html", "diagnosis.json")},
            "seconds": round(record["seconds"], 1),
        }


def diagnose(order: Order, screen: Screen, asked: Question) -> Diagnosis:
    """Measure how far the gradient of the task's loss reaches back through each encoder, and write a report.

    Args:
        order: what was asked for.
        screen: where progress goes.
        asked: the encoders, gains and steps.

    Raises:
        ConfigurationError: an encoder does not fit the task, or the task has no loss to follow back.
        Interrupted: by the user or a full disk; the same command goes on from the last complete encoder.
    """
    clock, started, configuration = time.perf_counter(), datetime.now(), order.configuration
    screen.heading(f"{configuration.title or configuration.task}: data")
    task = tasks.make(configuration)
    if task.family != "forecast":
        raise ConfigurationError("task", f"'{task.name}' reads no series.", "weather, or forecast")
    task.prepare(order.source, order.data_dir, screen.say)
    facts, options = task.describe(), configuration.train
    whole = SequenceModel.for_task(configuration.model, **task.model_arguments())
    found = singles(whole, task, asked, options.seed, screen.say)
    steps = asked.steps if asked.steps is not None else (asked.epochs or 0) * task.steps_per_epoch(options.batch_size)
    bench = Bench(task, options, steps, Clock((facts.get("series") or {}).get("step"), stride(found[0].model)))
    workspace = Workspace(order.home, f"{configuration.task}-diagnose", provenance.key(configuration, task, asked))
    workspace.open()
    with workspace.locked(), interruptions(workspace):
        many = f"{len(found)} encoder{'s' if len(found) > 1 else ''}"
        screen.heading(many + (f", {steps:,} training steps each" if steps else ""))
        with _bar(screen, len(found) * steps) as progress:
            curves = []
            for single in found:
                curves.append(bench.curve(single, workspace.folder, progress))
                screen.say(f"{single.name}  {curves[-1]['seconds']:.0f} s")
        record: dict[str, Any] = {
            "kind": "diagnosis",
            "task": configuration.task,
            "title": task.title,
            "status": "done",
            "seed": options.seed,
            "started": started.isoformat(timespec="seconds"),
            "seconds": time.perf_counter() - clock,
            "command": order.command,
            "versions": provenance.versions(),
            "commit": provenance.commit(),
            **{key: facts.get(key) for key in ("source", "series", "repairs", "checks")},
            "model": {"configuration": provenance.resolved(configuration, order.source, task, whole).to_yaml()},
            "steps": steps,
            "clip_norm": options.clip_norm,
            "batches": [len(target) for _, target in bench.batches],
            "axis": bench.clock.axis(len(curves[0]["initial"]["median"])),
            "curves": curves,
        }
        write_atomically(workspace.folder / "configuration.yaml", record["model"]["configuration"])
        write_atomically(workspace.folder / "diagnosis.json", json.dumps(record, indent=1))
        write_diagnosis(record, workspace.folder / "report.html")
        for leftover in workspace.folder.glob("curve-*"):
            leftover.unlink()
        return Diagnosis(record, workspace.finish(started))


def unrolled(kind: str, steps: int = 4, *, units: int = 8, seed: int = 0) -> str:
    """A small recurrence unrolled over `steps` steps, as an SVG file.

    The arrows of the gradient are as wide as it is in a model of that kind at initialisation, on noise.

    Raises:
        ConfigurationError: there is no such picture of this kind.
    """
    if kind not in CELLS:
        raise ConfigurationError("kind", f"{kind!r} given.", ", ".join(CELLS))
    keras.utils.set_random_seed(seed)
    model = SequenceModel(
        encoder=[{"kind": kind, "units": units}],
        pooling={"kind": "last"},
        head={"kind": "forecast", "horizon": 1, "targets": 1},
    )
    inputs, target = keras.random.normal((64, 4 * steps, units)), keras.random.normal((64, 1, 1))
    model(inputs)
    probe = Probe(model)
    by_lag, _, _ = probe.by_lag(inputs, target)
    return picture(kind, steps, Norms(probe.states((inputs, target), steps), np.median(by_lag, axis=0).tolist()))


class Bench:
    """Measures and trains every encoder alike: on the same batches of the training part, as many steps.

    Args:
        task: prepared.
        options: of the training.
        steps: of the training; 0 for none.
        clock: how long lags are.
    """

    def __init__(self, task: Task, options: TrainOptions, steps: int, clock: Clock):
        self.task, self.options, self.steps, self.clock = task, options, steps, clock
        shuffled = task.training(options.batch_size, seed=options.seed, first_epoch=0, epochs=BATCHES)
        self.batches = list(shuffled.take(BATCHES))

    def curve(self, single: Single, folder: Path, progress: Progress) -> dict[str, Any]:
        """What there is to say of an encoder; where an interrupted diagnosis has found it already, that."""
        file = folder / f"curve-{hashlib.sha256(single.name.encode()).hexdigest()[:12]}.json"
        if not file.exists():
            write_atomically(file, json.dumps(self._measured(single, folder / "checkpoint.npz", progress)))
        progress(single.name, self.steps)
        return json.loads(file.read_text())

    def _measured(self, single: Single, checkpoint: Path, progress: Progress) -> dict[str, Any]:
        probe, start = Probe(single.model), time.perf_counter()
        found: dict[str, Any] = {
            "name": single.name,
            "kind": single.configuration["kind"],
            "gain": single.gain,
            "configuration": single.configuration,
            "parameters": single.model.count_params(),
            "initial": self._phase(probe),
            "trained": None,
            "diverged": None,
            "states": None,
        }
        drawn = found["kind"] in CELLS and single.configuration.keys() <= {"kind", "units"}  # as its equations have it
        if drawn and single.gain == 1:
            steps = min(UNROLLED, len(found["initial"]["median"]) - 1)
            found["states"] = probe.states(self.batches[0], steps)
        if self.steps:
            found["diverged"] = self._train(single, checkpoint, progress)
            found["trained"] = None if found["diverged"] else self._phase(probe)
        return found | {"seconds": time.perf_counter() - start}

    def _phase(self, probe: Probe) -> dict[str, Any]:
        measured = probe.measure(self.batches, self.options.clip_norm)
        return measured | read(measured["median"], self.clock)

    def _train(self, single: Single, checkpoint: Path, progress: Progress) -> str | None:
        """Train as a run does, for fewer steps; of a training that diverges, which is a finding too, what it says."""
        checkpoint.unlink(missing_ok=True)  # the encoder's before this one
        options = self.options.model_copy(update={"epochs": 1, "jit": self.options.jit is True})

        def on_step(history: train.History, loss: float, step: int, steps: int) -> None:
            progress(single.name, step)

        try:
            train.fit(single.model, _Short(self.task, self.steps), options, train.Checkpoint(checkpoint), on_step)
        except FloatingPointError as error:
            return str(error)
        return None


@dataclass(frozen=True)
class _Short:
    """The batches of a short training: `steps` of them for one epoch, whatever the length of the data."""

    task: Task
    steps: int

    def training(self, batch_size: int, *, seed: int, first_epoch: int, epochs: int) -> Any:
        enough = math.ceil(self.steps / self.task.steps_per_epoch(batch_size))
        return self.task.training(batch_size, seed=seed, first_epoch=0, epochs=enough)

    def steps_per_epoch(self, batch_size: int) -> int:
        return self.steps

    def validation(self, batch_size: int) -> Any:
        return self.task.validation(batch_size).take(JUDGED)


@contextmanager
def _bar(screen: Screen, total: int) -> Iterator[Progress]:
    """A bar over the training steps of all encoders, on a terminal."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = screen.console
    columns = (
        TextColumn("  {task.description}"),
        BarColumn(24),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task, done = bar.add_task("measuring", total=total or None), {}

        def progress(name: str, step: int) -> None:
            done[name] = step
            bar.update(task, description=name, completed=sum(done.values()))

        yield progress


def show(console: Console, record: dict[str, Any]) -> None:
    """The table of a diagnosis: a line an encoder."""
    from rich.table import Table

    mark = " [bold yellow]SAMPLE[/]" if record["source"]["sample"] else ""
    table = Table(title=f"Gradient reach{mark}", title_justify="left", box=None, pad_edge=False)
    table.add_column("")
    table.add_column("at initialisation")
    if record["steps"]:
        table.add_column(f"after {record['steps']:,} steps")
    for curve in record["curves"]:
        cells = [curve["initial"]["said"]]
        if record["steps"]:
            cells.append("diverged" if curve["diverged"] else curve["trained"]["said"])
        table.add_row(escape(curve["name"]), *cells)
    console.print(table)
