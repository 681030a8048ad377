"""What heads draw, and what a training step makes of weights, on another Keras backend in a process of its own."""

from __future__ import annotations

import sys
from functools import partial

import keras
import numpy as np

from seqlayers.carried import Carried
from seqlayers.model import SequenceModel
from tests.seqlayers import elsewhere
from tests.seqlayers.cases import CASES

NAMES = ("tokens", "notes", "notes independent")
#: Kinds whose gradient is written out, and not the backend's.
TRAINED = ("min_gru", "min_lstm", "gated_linear chunks")


def uniforms(name: str) -> np.ndarray:
    example = CASES[name]
    pitches = (example.configuration["pitches"],) if "pitches" in example.configuration else ()
    return np.random.default_rng(12).random((example.batch, example.time, *pitches), "float32")


def of_this_backend() -> dict[str, np.ndarray]:
    """Draws, greedy probabilities, and the loss and weights after a training step, by name."""
    found = {}
    for name in (*NAMES, *TRAINED):
        example = CASES[name]
        layer, x = example.layer(), example.input()
        output = layer(x)
        if name in NAMES:
            found[f"{name}: draws"] = np.asarray(layer.sample(output, uniforms(name)))
            found[f"{name}: probabilities"] = np.asarray(layer.predict(output))
        model = example.model(layer)
        model.compile(keras.optimizers.SGD(0.1), layer.loss if name in NAMES else "mse")
        found[f"{name}: loss"] = np.asarray(model.train_on_batch({"x": x}, example.target(layer, output.shape)))
        found |= {f"{name}: {w.path}": keras.ops.convert_to_numpy(w) for w in layer.weights}
    return found | carried()


def carried() -> dict[str, np.ndarray]:
    """The losses of truncated BPTT over three chunks, the first row of the second being reset, and what is learned."""
    rng, rows, time, vocabulary = np.random.default_rng(13), 3, 5, 7
    model = SequenceModel(
        embedding={"kind": "token", "vocabulary": vocabulary, "units": 6},
        encoder=[{"kind": "lstm", "units": 6}, {"kind": "min_gru", "units": 6}],
        head={"kind": "tokens", "vocabulary": vocabulary},
    )
    ids = rng.integers(0, vocabulary, (rows, 3 * time + 1)).astype("int32")
    model(ids)
    for weight in model.weights:
        weight.assign(rng.normal(scale=0.3, size=weight.shape))
    trained, losses = Carried(model, rows), []
    trained.compile(keras.optimizers.SGD(0.1), trained.loss_function)
    for i in range(3):
        chunk = ids[:, i * time : (i + 1) * time + 1]
        reset = np.arange(rows) < (rows, 1, 0)[i]
        losses.append(trained.train_on_batch({"past": chunk[:, :-1], "reset": reset}, chunk[:, 1:]))
    learned = {f"carried: {w.path}": keras.ops.convert_to_numpy(w) for w in model.weights}
    return {"carried: losses": np.array(losses)} | learned


on_backend = partial(elsewhere.on_backend, "tests.seqlayers.draws")


if __name__ == "__main__":
    np.savez(sys.argv[1], **of_this_backend())  # type: ignore[arg-type]  # named arrays
