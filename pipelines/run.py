"""The steps of a run, from a configuration to a report: prepare, train, evaluate, export, track, report, offer."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from pipelines import train
from pipelines.export import ExportError, ExportRow, export_all, require_proven
from pipelines.fitting import fit_candidates
from pipelines.job import Job, Order, job
from pipelines.promote import offer
from pipelines.report import model_card, write_report
from pipelines.screen import Screen
from pipelines.task import Candidate, Evaluation, Verdict
from pipelines.workspace import write_atomically

#: What a run leaves in MLflow beside its figures.
ARTIFACTS = ("configuration.yaml", "record.json", "report.html", "model_card.md", "exports", "samples")


def run(order: Order, screen: Screen) -> dict[str, Any]:
    """Run a configuration on a source, from raw data to a proven export; returns the record of the run.

    Raises:
        ExportError: an export is not equal to the model; `record` is the run's, which is complete but for that.
    """
    with job(order, screen) as work:
        task, options = work.task, work.configuration
        candidates, history = fit_candidates(work.model, task, options.train, work.folder / "checkpoint.npz", screen)
        screen.heading("Evaluation")
        validation, test = task.evaluate("validation", candidates), task.evaluate("test", candidates)
        verdict = task.verdict(test, validation)
        chosen = next(c for c in candidates if c.name == verdict.chosen)
        facts = task.describe()
        screen.table(test.rows, task.columns(test.rows), facts["source"]["sample"])
        screen.say(verdict.text)

        whose = "" if chosen.role == "model" else f" of the {chosen.name}"
        screen.heading(f"Exports{whose}" if options.export.formats else "Exports: none asked for")
        exports = export_all(
            task.servable(chosen),
            work.folder / "exports",
            options.export.formats,
            examples=options.export.examples,
            seed=options.train.seed,
            progress=screen.say,
        )
        facts |= task.shipped(test, chosen, work.folder)
        record = _record(work, facts, validation, test, verdict, chosen, exports, history)
        _write(work, record)

        screen.heading("Tracking")
        _track(work, record, history)
        failed = record["status"] == "failed"
        if any(row.format == "saved_model" and row.status == "proven" for row in exports) and not failed:
            screen.say(offer(work.tracker, record, work.folder / "exports" / "saved_model"))
        else:
            screen.say("Not registered: that takes a proven SavedModel, and no failed export.")
        work.tracker.finish("FAILED" if failed else "FINISHED")
        record["folder"] = str(work.workspace.finish(work.started, latest=not failed))
    try:
        require_proven(exports)
    except ExportError as error:
        error.record = record  # type: ignore[attr-defined]
        raise
    return record


def _record(
    work: Job,
    facts: dict[str, Any],
    validation: Evaluation,
    test: Evaluation,
    verdict: Verdict,
    chosen: Candidate,
    exports: list[ExportRow],
    history: train.History | None,
) -> dict[str, Any]:
    """All that is to be known of a run: what the report, the card and the registry read."""
    return {
        **work.record(),
        "title": work.task.title,
        "status": "failed" if any(row.status == "failed" for row in exports) else "done",
        "seconds": 0.0,
        **facts,
        "metrics": test.rows,
        "validation": validation.rows,
        **test.details,
        "verdict": verdict.text,
        "chosen": {"name": chosen.name, "role": chosen.role},
        "curves": None if history is None else {k: v for k, v in dataclasses.asdict(history).items() if k != "resumed"},
        "exports": [dataclasses.asdict(row) for row in exports],
    }


def _write(work: Job, record: dict[str, Any]) -> None:
    """The run's files; `record["seconds"]` is taken here."""
    folder = work.folder
    work.model.save(folder / "model.keras")
    write_atomically(folder / "configuration.yaml", work.configuration.to_yaml())
    record["seconds"] = work.seconds
    write_atomically(folder / "record.json", json.dumps(record, indent=1))
    write_atomically(folder / "model_card.md", model_card(record))
    write_report(record, folder / "report.html")


def _track(work: Job, record: dict[str, Any], history: train.History | None) -> None:
    """The run's figures and files to MLflow."""
    tracker = work.tracker
    if history is not None:
        tracker.epochs(
            (e, {"training_loss": a, "validation_loss": b})
            for e, a, b in zip(history.epoch, history.loss, history.validation_loss, strict=True)
        )
    tracker.tags({"chosen": record["chosen"]["name"]})
    work.track(record["metrics"], [name for name in ARTIFACTS if (work.folder / name).exists()])
