"""The registered model: an exported SavedModel that answers through MLflow, and generates if it can.

MLflow keeps this file with every registered version and runs it alone, where tensorflow and numpy are installed and
nothing of this project is, so it imports nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

#: The settings of a generation, one for all rows, where nothing else is said.
SETTINGS = {"length": 200, "frames": 64, "temperature": 1.0, "top_k": 0, "top_p": 1.0, "seed": 0}


def served(signatures: Iterable[str]) -> str:
    """The signature that answers."""
    return "generate" if "generate" in signatures else "serving_default"


class ServedModel:
    """Arrays by the names of the SavedModel's inputs in, arrays by the names of its outputs out.

    A generator takes what it continues as its input, and the settings of the draw as MLflow's parameters; rows draw
    with seeds that count on.
    """

    def __init__(self, folder: str):
        import tensorflow as tf

        self.loaded = tf.saved_model.load(folder)
        self.function = self.loaded.signatures[served(self.loaded.signatures)]

    def predict(self, model_input: Mapping[str, Any], params: Mapping[str, Any] | None = None) -> dict[str, np.ndarray]:
        import tensorflow as tf

        accepted = self.function.structured_input_signature[1]
        own = [name for name in accepted if name not in SETTINGS]
        given = {}
        for name in own:
            if name not in model_input:
                raise ValueError(f"The input '{name}' is missing. Accepted: {', '.join(own)}.")
            given[name] = tf.constant(np.asarray(model_input[name]), accepted[name].dtype)
        rows = len(given[own[0]])
        for name in accepted:
            if name in SETTINGS:
                value = np.full(rows, (params or {}).get(name, SETTINGS[name]))
                value = value + np.arange(rows) if name == "seed" else value
                given[name] = tf.cast(value, accepted[name].dtype)
        return {name: _readable(value.numpy()) for name, value in self.function(**given).items()}


def _readable(values: np.ndarray) -> np.ndarray:
    """Texts as strings, where TensorFlow has bytes."""
    if values.dtype != object:
        return values
    return np.array([text.decode() for text in values.flat], object).reshape(values.shape)


def _load_pyfunc(path: str) -> ServedModel:
    """What MLflow calls to load a version."""
    return ServedModel(path)
