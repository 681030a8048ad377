"""A small stream as a task would hand it over: a token and a state in, logits and the state after it out."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from pipelines.export.servable import Arrays, Endpoint, Servable
from seqlayers.model import SequenceModel

VOCABULARY, UNITS, STRETCH = 12, 6, 9


class Step(Endpoint):
    """One step of the model's stream; its examples are stretches of random tokens."""

    steps = True

    def __init__(self, whole: Stepper):
        self.whole = whole

    def signature(self, batch: int | None) -> dict[str, tf.TensorSpec]:
        return {
            "token": tf.TensorSpec([batch], tf.int32, "token"),
            "state_0": tf.TensorSpec([batch, UNITS], tf.float32, "state_0"),
        }

    def serve(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        state = keras.tree.pack_sequence_as(self.whole.state, [inputs["state_0"]])
        logits, state = self.whole.model.step(inputs["token"], state)
        return {"logits": logits, "state_0": keras.tree.flatten(state)[0]}

    def examples(self, count: int, seed: int) -> tuple[Arrays, np.ndarray]:
        ids = np.random.default_rng(seed).integers(0, VOCABULARY, (count // STRETCH, STRETCH + 1)).astype("int32")
        return {"token": ids[:, :-1], "state_0": np.zeros((len(ids), UNITS), "float32")}, ids[:, 1:]

    def metric(self, outputs: Arrays, truth: np.ndarray) -> float:
        logits = outputs["logits"].astype("float64")
        found = np.take_along_axis(logits, truth[..., None], -1)[..., 0]
        return float((np.log(np.exp(logits).sum(-1)) - found).mean())


class Start(Endpoint):
    """The state before the first step, of one row: nothing is needed for it."""

    def __init__(self, whole: Stepper):
        self.whole = whole

    def signature(self, batch: int | None) -> dict[str, tf.TensorSpec]:
        return {}

    def serve(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return {"state_0": keras.tree.flatten(self.whole.model.initial_state(1))[0]}

    def examples(self, count: int, seed: int) -> tuple[Arrays, np.ndarray]:
        return {}, np.zeros(1)

    def metric(self, outputs: Arrays, truth: np.ndarray) -> float:
        return 0.0


class Stepper(Servable):
    """A GRU over tokens that answers the whole of a text, and on a device its single steps."""

    name, metric_name = "stepper", "nats"

    def __init__(self, encoder: dict | None = None):
        keras.utils.set_random_seed(3)
        self.model = SequenceModel(
            embedding={"kind": "token", "vocabulary": VOCABULARY, "units": 8},
            encoder=[encoder or {"kind": "gru", "units": UNITS}],
            head={"kind": "tokens", "vocabulary": VOCABULARY},
        )
        self.model(np.ones((1, 2), "int32"))
        for weight in self.model.weights:
            weight.assign(weight * 3)
        self.state = self.model.initial_state(1)

    def signature(self, batch: int | None) -> dict[str, tf.TensorSpec]:
        return {"ids": tf.TensorSpec([batch, STRETCH], tf.int32, "ids")}

    def serve(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return {"logits": self.model(inputs["ids"])}

    def models(self) -> list[keras.Model]:
        return [self.model]

    def beside(self) -> dict[str, Endpoint]:
        return {"step": Step(self)}

    def device(self) -> dict[str, Endpoint]:
        return {"step": Step(self), "initial_state": Start(self)}

    def examples(self, count: int, seed: int) -> tuple[Arrays, np.ndarray]:
        inputs, truth = Step(self).examples(count, seed)
        return {"ids": inputs["token"]}, truth

    def metric(self, outputs: Arrays, truth: np.ndarray) -> float:
        return Step(self).metric(outputs, truth)

    def contract(self) -> dict:
        return {"family": "generate", "task": self.name}
