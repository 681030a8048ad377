"""Models that learn the problems of `tests.seqlayers.problems`, and how they are trained.

One recipe a kind for all problems: 32 units, Adam, gradients clipped to a joint norm of 1, batches drawn anew. Training
ends when the model answers `VALIDATION` other examples without a fault (or near enough), or after the problem's steps;
what counts is then measured on examples drawn anew once more.
"""

from __future__ import annotations

import dataclasses
import time as clock
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from seqlayers.model import SequenceModel
from tests.seqlayers import problems

UNITS, BATCH, VALIDATION, TEST = 32, 32, 512, 256
#: Steps of training between two looks at how far it is.
EVERY = 25

#: What stands in the encoder slot, and the learning rate at the start. Kinds whose gates see the input alone have a
#: short convolution before them, as they have in the literature: without it they cannot look at the last step.
SHORT = {"kind": "convolution", "units": UNITS, "kernel": 2}
ENCODERS: dict[str, tuple[list[dict[str, Any]], float]] = {
    "simple_rnn": ([{"kind": "simple_rnn", "units": UNITS}], 0.01),
    "lstm": ([{"kind": "lstm", "units": UNITS}], 0.01),
    "gru": ([{"kind": "gru", "units": UNITS}], 0.01),
    "min_gru": ([SHORT] + [{"kind": "min_gru", "units": UNITS, "proposal": "tanh"}] * 2, 0.01),
    "min_lstm": ([SHORT] + [{"kind": "min_lstm", "units": UNITS, "proposal": "tanh"}] * 2, 0.01),
    "gated_linear": ([SHORT, {"kind": "gated_linear", "units": UNITS, "heads": 4, "chunk": 16}], 0.01),
    "temporal_convolution": (
        [{"kind": "temporal_convolution", "units": UNITS, "dilations": [1, 2, 4, 8, 16, 32], "norm": "layer"}],
        0.003,
    ),
    "transformer": ([{"kind": "transformer", "units": UNITS, "heads": 2, "feed_forward": 64}] * 2, 0.003),
}
LINEAR = ("min_gru", "min_lstm", "gated_linear")
#: The kinds with a decoder: of their own, or as the recurrence inside decoder 'recurrent'.
DECODERS = ("simple_rnn", "lstm", "gru", "min_gru", "min_lstm", "gated_linear", "transformer")


@dataclass(frozen=True)
class Problem:
    """A problem, and what of a model it decides.

    Attributes:
        mapping: from one or many to one or many.
        draw: (random numbers, how many, steps) → inputs, target.
        time: steps of a sequence.
        slots: the kinds beside the encoder.
        given: what the task tells the head and the embedding.
        steps: the longest training.
        fixed: how many examples there are, where there are no others to be drawn.
        memory: how many steps the gates are to last at the start of training.
        curriculum: whether sequences are short at first, and grow as the loss falls below 0.1.
        writes: whether the answer is what the model writes step by step, by itself; else what it says of each input.
        decodes: whether it reads a source first.
    """

    mapping: str
    draw: Callable[..., tuple[Any, np.ndarray]]
    time: int
    slots: Mapping[str, Any]
    given: Mapping[str, int]
    steps: int = 1000
    fixed: int | None = None
    memory: int | None = None
    curriculum: bool = False
    writes: bool = False
    decodes: bool = False

    def kinds(self) -> list[str]:
        """The encoders that it can be given to."""
        return list(DECODERS if self.decodes else ENCODERS)

    def examples(self, seed: int, part: int, count: int) -> tuple[Any, np.ndarray]:
        """Examples of a part, the same each time; or all, if there are no others."""
        random = np.random.default_rng(seed if self.fixed else (seed, part))
        return self.draw(random, self.fixed or count, self.time)


TOKENS = {"embedding": {"kind": "token", "units": UNITS}}
READINGS = {"embedding": {"kind": "value", "units": UNITS}}
TAG, CLASSIFY, WRITE = ({"head": {"kind": kind}} for kind in ("tag", "classify", "tokens"))
LAST = {"pooling": {"kind": "last"}}
PROBLEMS = {
    "six bits at once": Problem(
        "one to one", problems.bits_at_once, 1, READINGS | LAST | CLASSIFY, {"classes": 2}, fixed=64
    ),
    "songs": Problem(
        "one to many", problems.songs, 64, TOKENS | WRITE, {"vocabulary": 2 * problems.SYMBOLS},
        fixed=problems.SYMBOLS, writes=True,
    ),
    "adding": Problem(
        "many to one", problems.adding, 200, READINGS | LAST | {"head": {"kind": "forecast"}},
        {"horizon": 1, "targets": 1}, memory=200,
    ),
    "parity": Problem(
        "many to one", problems.parity, 64,
        {"embedding": {"kind": "token", "units": UNITS, "mask_zero": True}} | LAST | CLASSIFY,
        {"vocabulary": 3, "classes": 2}, curriculum=True,
    ),
    "running parity": Problem(
        "many to many", problems.running_parity, 64, TOKENS | TAG, {"vocabulary": 2, "classes": 2}
    ),
    "addition": Problem(
        "many to many", problems.binary_addition, 65, READINGS | {"head": {"kind": "tag", "hidden": UNITS}},
        {"classes": 2},
    ),
    "copy": Problem(
        "encoder–decoder", problems.copy, 64, TOKENS | WRITE, {"vocabulary": problems.SYMBOLS + 1},
        writes=True, decodes=True,
    ),
    "reverse": Problem(
        "encoder–decoder", problems.reverse, 64, TOKENS | WRITE, {"vocabulary": problems.SYMBOLS + 1},
        writes=True, decodes=True,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """How it went.

    Attributes:
        solved: an error below 0.01, or 99 % of the answers right.
        figures: `error`, mean square; or `right`, the share of answers without a fault, and `steps_right`, that of
            steps.
        steps: of training.
        seconds: of the processor, all cores together; building and compiling included.
    """

    problem: str
    kind: str
    seed: int
    solved: bool
    figures: dict[str, float]
    steps: int
    seconds: float


def solve(
    name: str, kind: str, *, seed: int = 0, time: int | None = None, steps: int | None = None
) -> tuple[Outcome, SequenceModel]:
    """Train one kind on one problem, and say how it went.

    Args:
        name: of the problem.
        kind: of the encoder.
        seed: of weights and examples.
        time, steps: in place of the problem's own.
    """
    start, problem = clock.process_time(), PROBLEMS[name]
    problem = dataclasses.replace(problem, time=time or problem.time, steps=steps or problem.steps)
    keras.utils.set_random_seed(seed)
    model = make(problem, kind)
    random, longest = np.random.default_rng(seed), 2
    validation, test = (problem.examples(seed, part, n) for part, n in ((1, VALIDATION), (2, TEST)))
    for step in range(1, problem.steps + 1):
        if problem.fixed:
            x, y = validation
        elif problem.curriculum:
            x, y = problem.draw(random, BATCH, problem.time, longest=longest)
        else:
            x, y = problem.draw(random, BATCH, problem.time)
        if float(model.train_on_batch(x, y)) < 0.1:
            longest = min(problem.time, longest + max(1, longest // 4))
        if step % EVERY == 0 and is_solved(figures(model.predict_on_batch(validation[0]), validation[1]), 1):
            break
    x, y = test
    found = figures(write(model, x, problem) if problem.writes else model.predict_on_batch(x), y)
    return Outcome(name, kind, seed, is_solved(found), found, step, clock.process_time() - start), model


def make(problem: Problem, kind: str) -> SequenceModel:
    """The model of a kind for a problem, ready to be trained."""
    layers, rate = ENCODERS[kind]
    row = dict(problem.slots)

    def told(**settings: Any) -> list[dict[str, Any]]:
        return [layer | settings if layer["kind"] == kind else layer for layer in layers]

    if problem.memory and kind in LINEAR:
        layers = told(memory=problem.memory)
    if kind == "transformer" or problem.decodes:  # to know the order; to find the place in the source
        row["position"] = {"kind": "sinusoidal"}
    if problem.writes and kind == "transformer":
        layers = told(capacity=problem.time)
    if problem.decodes and kind == "transformer":
        row["decoder"], layers = layers, told(capacity=None, causal=False)
    elif problem.decodes:
        row["decoder"] = [{"kind": "recurrent", "layer": layers[-1], "units": UNITS}]
    row["encoder"] = layers
    model = SequenceModel.for_task(row, **problem.given)
    schedule = keras.optimizers.schedules.CosineDecay(rate, problem.steps)
    model.compile(keras.optimizers.Adam(schedule, global_clipnorm=1.0), model.loss_function)
    if problem.memory and kind in ("lstm", "gru"):
        model(problem.examples(0, 0, 2)[0])
        remember(model.rows[0].encoder[0], problem.memory)
    return model


def remember(layer: Any, steps: int) -> None:
    """Set the gates of an LSTM or a GRU to last 2 to so many steps at first (Tallec and Ollivier 2018)."""
    bias, reaches = layer.layer.cell.bias, np.log(np.linspace(1, steps - 1, layer.units))
    value = keras.ops.convert_to_numpy(bias).copy()
    if layer.kind == "lstm":
        value[: layer.units], value[layer.units : 2 * layer.units] = -reaches, reaches  # the gates i and f
    else:
        value[0, : layer.units] = reaches  # the gate z, which keeps
    bias.assign(value)


def write(model: SequenceModel, inputs: Any, problem: Problem) -> np.ndarray:
    """What the model writes from the start token alone (and the source), as logits (count, time, tokens)."""
    source, target = (inputs["past"], inputs["target"]) if problem.decodes else (None, inputs)
    ids, written = target[:, 0], []
    state = model.initial_state(len(ids), source)
    for _ in range(problem.time):
        logits, state = model.step(ids, state)
        ids = np.argmax(logits, axis=-1).astype("int32")
        written.append(np.asarray(logits))
    return np.stack(written, axis=1)


def figures(output: Any, target: np.ndarray) -> dict[str, float]:
    """The figures of an `Outcome`: numbers beside numbers, or logits beside ids."""
    if target.dtype.kind == "f":
        return {"error": float(np.mean(np.square(output - target)))}
    right = (np.argmax(output, axis=-1) == target).reshape(len(target), -1)
    return {"right": float(right.all(axis=1).mean()), "steps_right": float(right.mean())}


def is_solved(found: Mapping[str, float], share: float = 0.99) -> bool:
    return found["error"] < 0.01 if "error" in found else found["right"] >= share
