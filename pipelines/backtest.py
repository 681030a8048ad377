"""A backtest: the whole of a task on one fold of time after another, and how far its figures spread."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from pipelines.baselines import NAIVE
from pipelines.fitting import fit_candidates
from pipelines.job import Folding, Job, Order, job, prefix_of
from pipelines.report import write_backtest_report
from pipelines.screen import Screen
from pipelines.task import Evaluation, Task, build
from pipelines.workspace import write_atomically
from seqlayers.model import SequenceModel

#: What gets a standard deviation over the folds beside its mean.
SPREAD = ("mae", "rmse", "mase", "skill")
#: What a backtest leaves in MLflow beside its figures.
ARTIFACTS = ("configuration.yaml", "backtest.json", "report.html")


def backtest(order: Order, screen: Screen, folding: Folding) -> dict[str, Any]:
    """Fit and test every candidate on each fold of a rolling origin; returns the record.

    A fold that is complete is kept on disk, so that an interrupted backtest goes on with the one it was at.

    Args:
        order: what was asked for.
        screen: where progress goes.
        folding: how many folds, and where they lie.

    Raises:
        FloatingPointError: a model diverged in one of the folds, which it names.
    """
    count = folding.count
    with job(order, screen, folding=folding) as work:
        facts, folds = work.folds[0].describe(), []
        for number in range(1, count + 1):
            screen.heading(f"Fold {number} of {count}")
            task = work.folds.pop(0)  # what it has fitted is let go of with it
            fold = _kept(work.folder / f"fold-{number}.json", partial(_fold, number, task, work))
            folds.append(fold)
            screen.fold_line(fold, count)
        record = _record(work, folds, facts, folding)
        screen.heading(f"{count} folds")
        screen.backtest_table(record)
        screen.say(record["verdict"])
        folder = work.folder
        write_atomically(folder / "configuration.yaml", work.configuration.to_yaml())
        record["seconds"] = work.seconds
        write_atomically(folder / "backtest.json", json.dumps(record, indent=1))
        write_backtest_report(record, folder / "report.html")
        _track(work, record)
        work.tracker.finish()
        record["folder"] = str(work.workspace.finish(work.started))
    return record


def _kept(file: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What an interrupted backtest finished already, or what `make` finds now."""
    if not file.exists():
        write_atomically(file, json.dumps(make()))
    return json.loads(file.read_text())


def _fold(number: int, task: Task, work: Job) -> dict[str, Any]:
    """One fold: everything fitted on what came before its test part, and evaluated there."""
    start, screen, options = time.perf_counter(), work.screen, work.configuration.train
    facts = task.describe()
    for part in facts["splits"]:
        screen.say(f"{part['part']:<10} {part['start']} to {part['end']}, {part['windows']:,} windows")
    keras.utils.set_random_seed(options.seed)
    model = SequenceModel.for_task(work.order.configuration.model, **task.model_arguments())
    build(model, task)
    try:
        candidates, _ = fit_candidates(model, task, options, work.folder / f"fold-{number}.npz", screen)
    except FloatingPointError as error:
        raise FloatingPointError(f"Fold {number}: {error}") from None
    validation, test = task.evaluate("validation", candidates), task.evaluate("test", candidates)
    return {
        "number": number,
        "splits": facts["splits"],
        "checks": facts["checks"],
        "seconds": time.perf_counter() - start,
        "metrics": test.rows,
        "validation": validation.rows,
        "by_step": test.details["by_step"],
        "intervals": test.intervals.get(candidates[-1].name),
    }


def summarise(folds: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row a candidate: its figures' mean over the folds, their standard deviation, the best and the worst fold."""
    lowest = [min(row["mase"] for row in fold["metrics"]) for fold in folds]
    found = []
    for rows in zip(*(fold["metrics"] for fold in folds), strict=True):
        row: dict[str, Any] = {"name": rows[0]["name"], "role": rows[0]["role"]}
        for key in rows[0]:
            values = [r[key] for r in rows]
            if key in row:
                continue
            known = not any(v is None for v in values)
            row[key] = float(np.mean(values)) if known else None
            if key in SPREAD:
                row[f"{key}_sd"] = float(np.std(values, ddof=1)) if known else None
        row["mae_low"], row["mae_high"] = (float(f(r["mae"] for r in rows)) for f in (min, max))
        row["best_in"] = sum(r["mase"] <= least for r, least in zip(rows, lowest, strict=True))
        found.append(row)
    return found


def _record(work: Job, folds: list[dict[str, Any]], facts: dict[str, Any], folding: Folding) -> dict[str, Any]:
    summary = summarise(folds)
    best_naive = min((row for row in summary if row["name"] in NAIVE), key=lambda row: row["mase"])["name"]
    verdict = work.task.verdict(Evaluation(summary, {"best_naive": best_naive})).text
    of = folds[0]["by_step"]["of"]
    error, unit = ("mase", "(MASE)") if of == "MASE" else ("mae", of)
    low, high = (f(fold["metrics"][-1][error] for fold in folds) for f in (min, max))
    spread = (
        f"Over {folding.count} folds the model's error ranges from {low:#.3g} to {f'{high:#.3g} {unit}'.strip()}, "
        f"and it was the best of all in {summary[-1]['best_in']} of them."
    )
    return {
        **work.record(),
        "kind": "backtest",
        "title": work.task.title,
        "status": "done",
        "seconds": 0.0,
        **{name: facts[name] for name in ("source", "series", "repairs", "checks")},
        "window": folding.window,
        "embargo": folding.embargo,
        "folds": folds,
        "summary": summary,
        "best_naive": best_naive,
        "verdict": f"{verdict} {spread}",
        "unit": None if of == "MASE" else of,
    }


def _track(work: Job, record: dict[str, Any]) -> None:
    """Each candidate's mean figures, its figures a fold as steps, and the files."""
    steps = []
    for fold in record["folds"]:
        values: dict[str, float] = {}
        for row in fold["metrics"]:
            values |= {f"fold/{prefix_of(row)}{key}": row[key] for key in SPREAD if row[key] is not None}
        steps.append((fold["number"], values))
    work.tracker.epochs(steps)
    work.track(record["summary"], ARTIFACTS)
