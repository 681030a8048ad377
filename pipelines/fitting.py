"""Every candidate of a task, fitted: the simple ones first, then the configured model."""

from __future__ import annotations

from pathlib import Path

from pipelines import train
from pipelines.config import TrainOptions
from pipelines.screen import Screen
from pipelines.task import Candidate, Task
from seqlayers.model import SequenceModel


def fit_candidates(
    model: SequenceModel, task: Task, options: TrainOptions, checkpoint: Path, screen: Screen
) -> tuple[list[Candidate], train.History | None]:
    """The baselines and, last, the model, all fitted and calibrated; and how training went, where there was any.

    Args:
        model: built, with its weights as they start.
        task: prepared.
        options: of the training.
        checkpoint: where the state of training is kept, and gone on from.
        screen: shows progress.
    """
    screen.heading("Baselines")
    candidates = task.baselines(screen.say)
    screen.heading("Model")
    candidate, history = _fit(model, task, options, checkpoint, screen)
    candidates.append(candidate)
    task.calibrate(candidates)
    return candidates, history


def _fit(
    model: SequenceModel, task: Task, options: TrainOptions, checkpoint: Path, screen: Screen
) -> tuple[Candidate, train.History | None]:
    """Adapt what is solved, then train what has gradients."""
    screen.say(f"{model.summary_tag()}  {model.count_params():,} parameters")
    solved = task.adapt(model, options.batch_size)
    history = None
    if model.needs_fit:
        with screen.training(options.epochs, options.patience) as progress:
            learner = task.trained(model, options.batch_size)
            history = train.fit(learner, task, options, train.Checkpoint(checkpoint), progress)
        why = (history.jit or {}).get("why", "")
        screen.say(
            f"Best validation loss {history.best:.4f} in epoch {history.best_epoch + 1} of {len(history.epoch)}; "
            f"XLA {'on' if history.jit and history.jit['chosen'] else 'off'} ({why})"
        )
    model.settle(task.ordered("validation", options.batch_size))
    seconds = solved + (sum(history.seconds) if history else 0.0)
    return Candidate(model.summary_tag(), "model", model, seconds), history
