"""Training by gradients: through `fit`, with early stopping, best weights kept, and every epoch safe against a kill.

What is written after each epoch is all that the next one depends on: weights, optimiser, the state of every random
generator, the history and the best weights so far. The batches of epoch k depend on (seed, k) alone, so a run that is
started again ends where an undisturbed run ends.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np

from pipelines.adagrad import SparseAdagrad
from pipelines.allocator import keep_pages
from pipelines.config import TrainOptions
from pipelines.workspace import replacing


class Batches(Protocol):
    """What a task gives the trainer: seeded training batches from any epoch on, and validation batches."""

    def training(self, batch_size: int, *, seed: int, first_epoch: int, epochs: int) -> Any: ...

    def steps_per_epoch(self, batch_size: int) -> int: ...

    def validation(self, batch_size: int) -> Any: ...


@dataclasses.dataclass
class History:
    """What training has been like so far; kept as JSON beside the weights."""

    epoch: list[int] = dataclasses.field(default_factory=list)
    loss: list[float] = dataclasses.field(default_factory=list)
    validation_loss: list[float] = dataclasses.field(default_factory=list)
    seconds: list[float] = dataclasses.field(default_factory=list)
    best_epoch: int = -1
    #: XLA or not, and the measurement behind the choice; settled once and kept over an interruption.
    jit: dict[str, Any] | None = None
    #: How often training was started again.
    resumed: int = 0

    @property
    def best(self) -> float:
        return self.validation_loss[self.best_epoch] if self.best_epoch >= 0 else float("inf")

    def finished(self, options: TrainOptions) -> bool:
        done = len(self.epoch)
        return done >= options.epochs or (self.best_epoch >= 0 and done - 1 - self.best_epoch >= options.patience)


class Checkpoint:
    """One file that holds the whole state of training, replaced in one step so that it is never half-written."""

    def __init__(self, path: Path):
        self.path = path

    def save(self, model: keras.Model, best: list[np.ndarray], history: History) -> None:
        arrays = {f"model_{i}": v for i, v in enumerate(snapshot(state_of(model)))}
        arrays |= {f"optimizer_{i}": v for i, v in enumerate(snapshot(model.optimizer.variables))}
        arrays |= {f"best_{i}": v for i, v in enumerate(best)}
        arrays["history"] = np.frombuffer(json.dumps(dataclasses.asdict(history)).encode(), np.uint8)
        with replacing(self.path) as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]

    def load(self, model: keras.Model) -> tuple[list[np.ndarray], History] | None:
        """Put a saved state back; None where there is none. The model and its optimiser must be built."""
        if not self.path.exists():
            return None
        with np.load(self.path) as saved:
            for prefix, variables in (("model", state_of(model)), ("optimizer", model.optimizer.variables)):
                for i, variable in enumerate(variables):
                    variable.assign(saved[f"{prefix}_{i}"])
            best = [saved[f"best_{i}"] for i in range(len(state_of(model)))]
            history = History(**json.loads(saved["history"].tobytes()))
        history.resumed += 1
        return best, history


def fit(
    model: Any,
    batches: Batches,
    options: TrainOptions,
    checkpoint: Checkpoint,
    progress: Callable[[History, float, int, int], None] | None = None,
) -> History:
    """Train until the validation loss stops falling; the model ends with its best weights.

    Args:
        model: a built `SequenceModel`.
        batches: where training and validation batches come from.
        options: epochs, learning rate, patience and so on.
        checkpoint: where the state is kept; a state found there is gone on from.
        progress: called as progress(history, running loss, step, steps) while an epoch runs and at its end.
    """
    keep_pages()
    steps = batches.steps_per_epoch(options.batch_size)
    compile_model(model, options, steps, jit=False)
    model.optimizer.build(model.trainable_variables)
    found = checkpoint.load(model)
    if found:
        best, history = found
    else:
        best, history = snapshot(state_of(model)), History()
        history.jit = choose_jit(model, batches, options, steps)
        checkpoint.save(model, best, history)  # a timing: made once, also where the first epoch is interrupted
    if not history.finished(options):
        state = snapshot(model.optimizer.variables)
        compile_model(model, options, steps, jit=history.jit["chosen"] if history.jit else False)
        model.optimizer.build(model.trainable_variables)
        for variable, value in zip(model.optimizer.variables, state, strict=True):
            variable.assign(value)
        keeper = _Keeper(checkpoint, options, best, history, steps, progress)
        first = len(history.epoch)
        model.fit(
            batches.training(options.batch_size, seed=options.seed, first_epoch=first, epochs=options.epochs),
            validation_data=batches.validation(options.batch_size),
            initial_epoch=first,
            epochs=options.epochs,
            steps_per_epoch=steps,
            callbacks=[keeper],
            shuffle=False,  # the batches come shuffled
            verbose=0,
        )
        best = keeper.best
    for variable, value in zip(state_of(model), best, strict=True):
        variable.assign(value)
    return history


def state_of(model: keras.Model) -> list[Any]:
    """Weights and random generators, but not the running values of metrics, which start anew each epoch."""
    passing = {id(v) for metric in model.metrics for v in metric.variables}
    return [v for v in model.variables if id(v) not in passing]


def snapshot(variables: list[Any]) -> list[np.ndarray]:
    """The variables' values, as copies that later training does not change."""
    return [keras.ops.convert_to_numpy(v).copy() for v in variables]


def compile_model(model: Any, options: TrainOptions, steps: int, jit: bool) -> None:
    """The optimiser, with gradients clipped by their joint norm, and the head's own loss."""
    rate: Any = options.learning_rate
    if options.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(options.learning_rate, max(1, steps * options.epochs), alpha=0.02)
    if options.optimizer == "adagrad":
        optimizer = SparseAdagrad(rate, options.clip_norm)
    else:
        optimizer = keras.optimizers.AdamW(
            rate, weight_decay=options.weight_decay, global_clipnorm=options.clip_norm, beta_2=0.99
        )
    model.compile(optimizer=optimizer, loss=model.loss_function, jit_compile=jit)


#: Below this many seconds of training, compiling costs more than it can save.
WORTH_MEASURING = 10.0
#: XLA must bring the time down to this share: it changes the last digits, so that a choice between near equals, which
#: falls either way from run to run, would make two runs of one seed differ.
CLEAR_GAIN = 0.6


def choose_jit(model: Any, batches: Batches, options: TrainOptions, steps: int) -> dict[str, Any]:
    """Whether XLA pays for this model on this machine: a few steps are timed each way, and the weights put back.

    XLA halves a Transformer's step and multiplies a long recurrence's, so the choice is measured, not known.
    """
    if options.jit != "auto":
        return {"chosen": options.jit, "plain_ms": None, "xla_ms": None, "why": "set in the configuration"}
    if options.optimizer == "adagrad":
        return {"chosen": False, "plain_ms": None, "xla_ms": None, "why": "XLA cannot compile Adagrad's sparse steps"}
    kept = snapshot(state_of(model))
    data = batches.training(options.batch_size, seed=options.seed, first_epoch=0, epochs=1).take(8).cache()
    total = steps * options.epochs
    plain, _ = _time_steps(model, options, steps, data, jit=False)
    choice: dict[str, Any] = {"chosen": False, "plain_ms": 1e3 * plain, "xla_ms": None}
    if plain * total < WORTH_MEASURING:
        choice["why"] = f"all training takes about {plain * total:.0f} s without XLA"
    else:
        xla, compiling = _time_steps(model, options, steps, data, jit=True)
        choice["xla_ms"] = 1e3 * xla
        choice["chosen"] = xla * total + compiling < CLEAR_GAIN * plain * total
        choice["why"] = f"{1e3 * plain:.1f} ms a step without XLA, {1e3 * xla:.1f} with, {compiling:.1f} s to compile"
    compile_model(model, options, steps, jit=False)
    model.optimizer.build(model.trainable_variables)
    for variable, value in zip(state_of(model), kept, strict=True):
        variable.assign(value)
    return choice


def _time_steps(model: Any, options: TrainOptions, steps: int, data: Any, jit: bool) -> tuple[float, float]:
    """(median seconds a step, seconds the first took beyond that)."""
    compile_model(model, options, steps, jit=jit)
    model.optimizer.build(model.trainable_variables)
    model.make_train_function()
    step, source = model.train_function, iter(data.repeat())
    seconds = []
    for _ in range(10):
        start = time.perf_counter()
        keras.ops.convert_to_numpy(step(source)["loss"])
        seconds.append(time.perf_counter() - start)
    usual = float(np.median(seconds[1:]))
    return usual, max(0.0, seconds[0] - usual)


class _Keeper(keras.callbacks.Callback):
    """Early stopping, best weights and the checkpoint: one place, because they must agree after an interruption."""

    def __init__(self, checkpoint, options, best, history, steps, progress):
        super().__init__()
        self.checkpoint, self.options, self.history = checkpoint, options, history
        self.best, self.steps, self.progress = best, steps, progress

    def on_epoch_begin(self, epoch, logs=None):
        self.started = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        if self.progress:
            self.progress(self.history, float((logs or {}).get("loss", np.nan)), batch + 1, self.steps)

    def on_epoch_end(self, epoch, logs=None):
        history = self.history
        history.epoch.append(epoch)
        history.loss.append(float(logs["loss"]))
        history.validation_loss.append(float(logs["val_loss"]))
        history.seconds.append(time.perf_counter() - self.started)
        if not np.isfinite(history.loss[-1] + history.validation_loss[-1]):
            raise FloatingPointError(
                f"The loss became {history.loss[-1]}, on validation {history.validation_loss[-1]}, in epoch "
                f"{epoch + 1}. A smaller learning rate (--set train.learning_rate={self.options.learning_rate / 10:g}) "
                "or a smaller train.clip_norm helps."
            )
        if history.validation_loss[-1] < history.best:
            history.best_epoch = epoch
            self.best = snapshot(state_of(self.model))
        self.checkpoint.save(self.model, self.best, history)
        if self.progress:
            self.progress(history, history.loss[-1], self.steps, self.steps)
        if history.finished(self.options):
            self.model.stop_training = True
