"""The steps of a run, from a configuration to a report: prepare, train, evaluate, export, track, report, offer."""

from __future__ import annotations

import dataclasses
import errno
import functools
import hashlib
import json
import subprocess
import time
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras

from pipelines import tasks, train
from pipelines.config import Configuration
from pipelines.export import ExportError, export_all, require_proven
from pipelines.promote import offer
from pipelines.report import model_card, write_report
from pipelines.screen import Screen
from pipelines.task import Candidate, Task, build
from pipelines.track import Tracker
from pipelines.workspace import Interrupted, Workspace, write_atomically
from seqlayers.model import SequenceModel

PACKAGES = ("seqlayers", "tensorflow", "keras", "numpy", "mlflow")


def run(
    configuration: Configuration,
    source: str,
    home: Path,
    screen: Screen,
    *,
    data_dir: Path | None = None,
    command: str = "",
) -> dict[str, Any]:
    """Run a configuration on a source, from raw data to a proven export; returns the record of the run."""
    clock, started = time.perf_counter(), datetime.now()
    keras.utils.set_random_seed(configuration.train.seed)
    screen.heading(f"{configuration.title or configuration.task}: data")
    task = tasks.make(configuration)
    task.prepare(source, data_dir, screen.say)
    model = SequenceModel.for_task(configuration.model, **task.model_arguments())
    build(model, task)
    code = [version(name) for name in ("seqlayers", "tensorflow", "keras")]
    key = hashlib.sha256(f"{configuration.digest()} {task.fingerprint()} {code} {commit()}".encode()).hexdigest()
    workspace = Workspace(home, configuration.task, key)
    resuming = workspace.open()
    with workspace.locked():
        try:
            return _run(configuration, source, task, model, workspace, screen, resuming, command, clock, started)
        except KeyboardInterrupt:
            raise Interrupted(f"Interrupted. The same command goes on from {workspace.folder}.") from None
        except Exception as error:
            if not _disk_is_full(error):
                raise
            raise Interrupted(
                f"The disk is full: {getattr(error, 'filename', None) or workspace.folder}. Free some space and give "
                "the same command: it goes on from the last complete epoch."
            ) from None


def _disk_is_full(error: Exception) -> bool:
    """In the words of the system, of TensorFlow or of SQLite."""
    told = str(error).lower()
    return getattr(error, "errno", None) == errno.ENOSPC or "no space left" in told or "disk is full" in told


def _run(
    configuration: Configuration,
    source: str,
    task: Task,
    model: SequenceModel,
    workspace: Workspace,
    screen: Screen,
    resuming: bool,
    command: str,
    clock: float,
    started: datetime,
) -> dict[str, Any]:
    facts = task.describe()
    tracker = Tracker.open(
        workspace.home, configuration.task, f"{started:%Y-%m-%d %H:%M}", run_id=workspace.notes().get("run_id")
    )
    workspace.note(run_id=tracker.run_id)
    tracker.tags(_tags(configuration, facts, task))
    tracker.dataset(facts["source"])
    configuration = _resolved(configuration, source, task, model)
    tracker.params(configuration.model_dump())
    if resuming:
        screen.say("An interrupted run of this configuration on these data was found: going on with it")
    try:
        screen.heading("Baselines")
        candidates = task.baselines(screen.say)
        screen.heading("Model")
        candidate, history = _fit(model, task, configuration, workspace, screen)
        candidates.append(candidate)
        tracker.tags({"slots": candidate.name})

        screen.heading("Evaluation")
        validation, test = task.evaluate("validation", candidates), task.evaluate("test", candidates)
        screen.table(test.rows, facts)
        verdict = task.verdict(test)
        screen.say(verdict)

        screen.heading("Exports")
        folder = workspace.folder
        exports = export_all(
            task.servable(model),
            folder / "exports",
            configuration.export.formats,
            examples=configuration.export.examples,
            seed=configuration.train.seed,
            progress=screen.say,
        )
        failed = [row for row in exports if row.status == "failed"]
        record = {
            "task": configuration.task,
            "title": task.title,
            "run_id": tracker.run_id,
            "status": "failed" if failed else "done",
            "seed": configuration.train.seed,
            "started": started.isoformat(timespec="seconds"),
            "seconds": 0.0,
            "command": command,
            "versions": {name: version(name) for name in PACKAGES},
            "commit": commit(),
            **facts,
            "model": {
                "tag": candidate.name,
                "parameters": model.count_params(),
                "configuration": configuration.to_yaml(),
                "slots_table": _slots(model),
            },
            "metrics": test.rows,
            "validation": validation.rows,
            **test.details,
            "verdict": verdict,
            "curves": None
            if history is None
            else {k: v for k, v in dataclasses.asdict(history).items() if k != "resumed"},
            "exports": [dataclasses.asdict(row) for row in exports],
            "resumed": int(resuming),
        }
        model.save(folder / "model.keras")
        write_atomically(folder / "configuration.yaml", configuration.to_yaml())
        record["seconds"] = time.perf_counter() - clock
        write_atomically(folder / "record.json", json.dumps(record, indent=1))
        write_atomically(folder / "model_card.md", model_card(record))
        write_report(record, folder / "report.html")

        screen.heading("Tracking")
        if history is not None:
            tracker.epochs(
                [
                    (e, {"loss": a, "validation_loss": b})
                    for e, a, b in zip(history.epoch, history.loss, history.validation_loss, strict=True)
                ]
            )
        for row in test.rows:
            tracker.metrics(row, prefix="" if row["role"] == "model" else f"{row['name']}/")
        for name in ("configuration.yaml", "record.json", "report.html", "model_card.md", "exports"):
            tracker.artifact(folder / name)
        if any(row.format == "saved_model" and row.status == "proven" for row in exports) and not failed:
            screen.say(offer(tracker, record, folder / "exports" / "saved_model"))
        else:
            screen.say("Not registered: that takes a proven SavedModel, and no failed export.")
        tracker.finish("FAILED" if failed else "FINISHED")
        record["folder"] = str(workspace.finish(started, latest=not failed))
    except KeyboardInterrupt:
        tracker.finish("KILLED")
        raise
    except BaseException:
        tracker.finish("FAILED")
        raise
    try:
        require_proven(exports)
    except ExportError as error:
        error.record = record  # type: ignore[attr-defined]
        raise
    return record


def _fit(
    model: SequenceModel, task: Task, configuration: Configuration, workspace: Workspace, screen: Screen
) -> tuple[Candidate, train.History | None]:
    """Adapt what is solved, then train what has gradients."""
    start, options = time.perf_counter(), configuration.train
    screen.say(f"{model.summary_tag()}  {model.count_params():,} parameters")
    model.adapt(task.ordered("train", options.batch_size), task.validation(options.batch_size))
    solved = time.perf_counter() - start
    history = None
    if model.needs_fit:
        with screen.training(options.epochs, options.patience) as progress:
            checkpoint = train.Checkpoint(workspace.folder / "checkpoint.npz")
            history = train.fit(model, task, options, checkpoint, progress)
        why = (history.jit or {}).get("why", "")
        screen.say(
            f"Best validation loss {history.best:.4f} in epoch {history.best_epoch + 1} of {len(history.epoch)}; "
            f"XLA {'on' if history.jit and history.jit['chosen'] else 'off'} ({why})"
        )
    seconds = solved + (sum(history.seconds) if history else 0.0)
    return Candidate(model.summary_tag(), "model", model, seconds), history


def _resolved(configuration: Configuration, source: str, task: Task, model: SequenceModel) -> Configuration:
    """The configuration with every `auto` and default written out: what `--config` takes to repeat the run."""
    given = task.model_arguments()

    def without_given(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: without_given(value) for key, value in node.items() if key not in given}
        return [without_given(item) for item in node] if isinstance(node, list) else node

    place = str(Path(source).resolve()) if Path(source).exists() else source
    found = {"source": place, "data": task.settings(), "model": without_given(model.to_configuration())}
    return configuration.model_copy(update=found)


def _tags(configuration: Configuration, facts: dict[str, Any], task: Task) -> dict[str, str]:
    return {
        "task": configuration.task,
        "data": task.fingerprint()[:16],
        "source": facts["source"]["name"],
        "kind_of_data": "sample" if facts["source"]["sample"] else "real",
        "commit": commit() or "none",
    }


def _slots(model: SequenceModel) -> list[dict[str, Any]]:
    """The rows of slots for the report's drawing; `branch` numbers them."""
    rows = [*enumerate(model.rows), *([(None, model.shared)] if model.shared is not None else [])]
    return [
        {"branch": i, "slot": kind.slot, "kind": kind.kind, "settings": kind.settings()}
        for i, row in rows
        for kind in row.kinds()
    ]


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
