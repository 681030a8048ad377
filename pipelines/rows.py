"""What is diagnosed: encoders as the command line names them, each alone in one row of the task's model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import yaml

from pipelines.gradients import encoder_input
from pipelines.report.diagram import settings
from pipelines.task import Say, Task, build
from seqlayers import slots
from seqlayers.errors import ConfigurationError
from seqlayers.inputs import Inputs
from seqlayers.model import SequenceModel

#: Training steps where neither --steps nor --epochs is given.
STEPS = 200
#: Gains where --gain is not given: what larger recurrent weights do shows what an explosion is.
GAINS = {"simple_rnn": (1.0, 2.5)}
#: Features of embedding and encoder where the task's own row has none to go by.
UNITS = 32


@dataclass(frozen=True)
class Question:
    """What is to be diagnosed.

    Attributes:
        encoders: configurations of encoders.
        gains: what recurrent weights are multiplied with at initialisation, a curve each; None for `GAINS`.
        steps: of training; None: `epochs` of it.
        epochs: of training, where `steps` is None.
        units: features of encoder and embedding; None: as many as the task's own row has.
    """

    encoders: tuple[dict[str, Any], ...]
    gains: tuple[float, ...] | None = None
    steps: int | None = STEPS
    epochs: int | None = None
    units: int | None = None


def question(
    encoder: str,
    gain: str | None = None,
    steps: int | None = None,
    epochs: int | None = None,
    units: int | None = None,
) -> Question:
    """The words of the command line, checked as far as they can be without data."""
    if steps is not None and epochs is not None:
        raise ConfigurationError("--steps", "given together with --epochs.", "one of them")
    found = [dict(c) if isinstance(c, Mapping) else {"kind": c} for c in _listed("--encoder", encoder, "lstm,gru")]
    names = []
    for configuration in found:
        slots.build("encoder", configuration, "--encoder")
        if _name(configuration) in names:
            raise ConfigurationError("--encoder", f"{_name(configuration)} given more than once.", "each once")
        names.append(_name(configuration))
    factors = [] if gain is None else _listed("--gain", gain, "1,1.5,2")
    for factor in factors:
        if isinstance(factor, bool) or not isinstance(factor, int | float) or not 0 < factor < math.inf:
            raise ConfigurationError("--gain", f"{factor!r} given.", "numbers above 0 with commas between, such as 1,2")
    gains = tuple(dict.fromkeys(map(float, factors))) or None
    return Question(tuple(found), gains, STEPS if steps is None and epochs is None else steps, epochs, units)


def _listed(option: str, text: str, such_as: str) -> list[Any]:
    """`lstm,{kind: gru, units: 8}` → its items."""
    try:
        found = yaml.safe_load(f"[{text}]")
    except yaml.YAMLError:
        found = []
    if not found or not all(isinstance(item, str | int | float | Mapping) for item in found):
        raise ConfigurationError(option, f"{text!r} given.", f"one, or several with commas between, such as {such_as}")
    return found


@dataclass(frozen=True)
class Single:
    """One encoder with one gain, alone in a model that is built, with weights as they start."""

    name: str
    configuration: dict[str, Any]
    gain: float
    model: SequenceModel


def singles(whole: SequenceModel, task: Task, asked: Question, seed: int, say: Say) -> list[Single]:
    """A model for every encoder and gain, all from one seed.

    Args:
        whole: the task's own model, whose first row that is trained gives embedding, position and head.
        task: prepared.
        asked: the encoders, gains and units.
        seed: of the weights.
        say: tells of encoders that have no recurrent weights to multiply.

    Raises:
        ConfigurationError: nothing is trained in `whole`; an encoder does not fit; no encoder has recurrent weights.
    """
    around, width = _around(whole, task, asked.units)
    found, without = [], []
    for given in asked.encoders:
        takes_units = "units" in slots.get("encoder", given["kind"]).arguments()
        configuration = {"kind": given["kind"], **({"units": width} if takes_units else {}), **given}
        gains = asked.gains or GAINS.get(given["kind"]) or (1.0,)
        for gain in gains:
            keras.utils.set_random_seed(seed)
            model = _built(_fitting(around, configuration), task, _name(given))
            recurrent = [w for w in model.rows[0].encoder[0].weights if "recurrent_kernel" in w.path]
            if gain != 1 and not recurrent:
                without.append(_name(given))
                continue
            for weight in recurrent:
                weight.assign(gain * weight)
            found.append(Single(_name(given) + (f"×{gain:g}" if gain != 1 else ""), configuration, gain, model))
    if not found:
        raise ConfigurationError("--gain", f"{', '.join(without)}: no recurrent weights to multiply.", "1")
    if without:
        say(f"No recurrent weights to multiply: {', '.join(dict.fromkeys(without))}")
    return found


def _around(whole: SequenceModel, task: Task, units: int | None) -> tuple[dict[str, Any], int]:
    """The row around the encoder, from the first row of the model that is trained; and its width.

    Without its normalisation: less its last reading, each window would end in nought, where a layer norm is so steep
    that the last step's gradient drowns all others.
    """
    row = next((row for row in whole.rows if not row.adapts), None)
    if row is None:
        raise ConfigurationError(
            "model", "all of it is solved in closed form: there is no loss to follow back.", "a head that is trained"
        )
    if row.decoder or whole.head.per_step:
        what = "a decoder" if row.decoder else f"head '{whole.head.kind}', with an output for each step,"
        raise ConfigurationError("model", f"{what} stands in it, and no last step says it all.", "a head after pooling")
    head = (row.head or whole.head).to_configuration()
    layers = [layer for layer in (*row.encoder, row.embedding) if hasattr(layer, "units")]
    width = units or (layers[0].units if layers else UNITS)
    around: dict[str, Any] = {"pooling": {"kind": "last"}}
    around["head"] = {key: value for key, value in head.items() if key not in task.model_arguments()}
    if row.embedding is not None:
        around["embedding"] = row.embedding.to_configuration() | (
            {"units": width} if hasattr(row.embedding, "units") else {}
        )
    if row.position is not None:
        around["position"] = row.position.to_configuration()
    return around, width


def _fitting(around: dict[str, Any], encoder: dict[str, Any]) -> dict[str, Any]:
    """The row with an encoder in it; a position that acts inside attention is left out where there is none."""
    position = around.get("position")
    unused = (
        position is not None
        and slots.get("position", position["kind"]).in_attention
        and not slots.get("encoder", encoder["kind"]).attends
    )
    return {key: value for key, value in around.items() if not (key == "position" and unused)} | {"encoder": [encoder]}


def _built(configuration: dict[str, Any], task: Task, name: str) -> SequenceModel:
    """The model, with weights; what does not fit is said of the encoder."""
    model = SequenceModel.for_task(configuration, **task.model_arguments())
    try:
        build(model, task)
    except ConfigurationError as error:
        raise ConfigurationError("--encoder", f"'{name}' does not fit this task. {error.problem}") from None
    inputs, _ = next(iter(task.ordered("train", 2)))
    steps = encoder_input(model.rows[0], Inputs.of(inputs).past)[0].shape[1]
    if steps < 2:
        raise ConfigurationError("data.look_back", f"a window of {steps} step has no past to reach.", "2 steps or more")
    return model


def stride(model: SequenceModel) -> int:
    """Steps of the data between two steps that the encoder reads: more than one after patches."""
    rate = getattr(model.rows[0].embedding, "rate", None) or 1
    return round(1 / rate)


def _name(configuration: Mapping[str, Any]) -> str:
    """`gru`, or `gru (units 8)`."""
    more = ", ".join(settings({key: value for key, value in configuration.items() if key != "kind"}))
    return configuration["kind"] + (f" ({more})" if more else "")
