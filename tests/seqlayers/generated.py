"""Small models with weights that say something, and what they generate, on this Keras backend or on another."""

from __future__ import annotations

import sys
from functools import cache, partial

import keras
import numpy as np

from seqlayers.generation import NoteChoice, TokenChoice, beam, generate, read
from seqlayers.model import SequenceModel
from seqlayers.sampling import Sampling
from tests.seqlayers import elsewhere

WORDS, PITCHES, UNITS, CAPACITY = 9, 5, 8, 10
ENCODERS = {
    "gru": {"kind": "gru", "units": UNITS},
    "min_lstm": {"kind": "min_lstm", "units": UNITS},
    "window": {"kind": "transformer", "units": UNITS, "heads": 2, "feed_forward": 8, "window": 4},
    "capacity": {"kind": "transformer", "units": UNITS, "heads": 2, "feed_forward": 8, "capacity": CAPACITY},
}
PROMPT = np.array([[2, 3, 4, 5, 6], [8, 2, 0, 0, 0], [7, 7, 5, 0, 0]], "int32")
LENGTHS = np.array([5, 2, 3], "int32")
SEEDS = np.array([5, -6, 2**31 - 1], "int32")
SAMPLING = Sampling(temperature=1.3, top_k=6, top_p=0.95, repetition_penalty=1.2)


def filled(model: SequenceModel, x: dict[str, np.ndarray] | np.ndarray) -> SequenceModel:
    """The model with weights drawn from a seed, large enough that its outputs differ."""
    model(x)
    rng = np.random.default_rng(17)
    for weight in model.weights:
        weight.assign(rng.normal(scale=0.9, size=weight.shape))
    return model


@cache
def language_model(encoder: str) -> SequenceModel:
    model = SequenceModel(
        embedding={"kind": "token", "vocabulary": WORDS, "units": UNITS},
        position={"kind": "rotary"} if "heads" in ENCODERS[encoder] else None,
        encoder=[ENCODERS[encoder]],
        head={"kind": "tokens", "vocabulary": WORDS},
    )
    return filled(model, PROMPT)


@cache
def note_model(conditioned: bool = True) -> SequenceModel:
    model = SequenceModel(
        embedding={"kind": "value", "units": UNITS},
        encoder=[{"kind": "gru", "units": UNITS}],
        head={"kind": "notes", "pitches": PITCHES, "hidden": 4, "conditioned": conditioned},
    )
    return filled(model, frames())


def frames() -> np.ndarray:
    return np.random.default_rng(18).integers(0, 2, (3, 4, PITCHES)).astype("float32")


def of_this_backend() -> dict[str, np.ndarray]:
    """Drawn tokens, the likeliest ones and drawn notes, by name."""
    found = {}
    for encoder in ("gru", "window"):
        model = language_model(encoder)
        output, state, seen = read(model.step, model.initial_state(3), PROMPT, LENGTHS, WORDS)
        choose = TokenChoice(model.head, SAMPLING, SEEDS)
        found[f"{encoder}: drawn"] = generate(model.step, output, state, 12, choose, seen=seen, stop=8)
        found[f"{encoder}: beam"], _ = beam(model.step, output, state, 6, 4, stop=8)
    model = note_model()
    output, state, _ = read(model.step, model.initial_state(3), frames())
    found["notes"] = generate(model.step, output, state, 6, NoteChoice(model.head, None, SEEDS))
    return {name: keras.ops.convert_to_numpy(tokens) for name, tokens in found.items()}


on_backend = partial(elsewhere.on_backend, "tests.seqlayers.generated")


if __name__ == "__main__":
    np.savez(sys.argv[1], **of_this_backend())  # type: ignore[arg-type]  # named arrays
