"""The registered model: an exported SavedModel that answers through MLflow.

MLflow keeps this file with every registered version and runs it alone, where tensorflow and numpy are installed and
nothing of this project is, so it imports nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


class ServedModel:
    """Arrays by the names of the SavedModel's inputs in, arrays by the names of its outputs out."""

    def __init__(self, folder: str):
        import tensorflow as tf

        self.loaded = tf.saved_model.load(folder)
        self.function = self.loaded.signatures["serving_default"]

    def predict(self, model_input: Mapping[str, Any], params: Mapping[str, Any] | None = None) -> dict[str, np.ndarray]:
        import tensorflow as tf

        accepted = self.function.structured_input_signature[1]
        given = {}
        for name, spec in accepted.items():
            if name not in model_input:
                raise ValueError(f"The input '{name}' is missing. Accepted: {', '.join(accepted)}.")
            given[name] = tf.constant(np.asarray(model_input[name]), spec.dtype)
        return {name: _readable(value.numpy()) for name, value in self.function(**given).items()}


def _readable(values: np.ndarray) -> np.ndarray:
    """Texts as strings, where TensorFlow has bytes."""
    if values.dtype != object:
        return values
    return np.array([text.decode() for text in values.flat], object).reshape(values.shape)


def _load_pyfunc(path: str) -> ServedModel:
    """What MLflow calls to load a version."""
    return ServedModel(path)
