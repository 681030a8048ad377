"""What a task hands to the export room, and what the room hands back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

#: In the order in which the tables show them.
FORMATS = ("saved_model", "litert_float32", "litert_int8")

#: The name of the signature that every export has.
SIGNATURE = "serving_default"

#: What the names of a stream's state begin with, among the inputs and outputs of a step.
STATE = "state_"

#: The folder or file of each format, below the folder of exports.
FILES = {
    "saved_model": "saved_model",
    "litert_float32": "model_float32.tflite",
    "litert_int8": "model_int8.tflite",
}

Arrays = dict[str, np.ndarray]


class Endpoint(ABC):
    """One way to call a trained model together with its transforms: raw inputs in, answers out.

    Of one step of a stream (`steps`) the examples are whole stretches: inputs and outputs have time as their second
    axis, but for those named `state_…`, which the first step takes, each hands to the next, and the last gives.
    """

    steps: bool = False

    @abstractmethod
    def signature(self, batch: int | None) -> dict[str, tf.TensorSpec]:
        """The raw inputs by name; `batch` is None for any number of examples at once."""

    @abstractmethod
    def serve(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Raw inputs → named outputs, every transform inside; only what a TensorFlow graph can hold."""

    @abstractmethod
    def examples(self, count: int, seed: int) -> tuple[Arrays, np.ndarray]:
        """At most `count` held-out raw inputs, drawn with `seed`, and the truth in units."""

    @abstractmethod
    def metric(self, outputs: Arrays, truth: np.ndarray) -> float:
        """The task's error on these examples: the lower, the better."""


def drawn(rows: np.ndarray, count: int, seed: int) -> np.ndarray:
    """At most `count` of these rows, in their order."""
    return rows if len(rows) <= count else np.sort(np.random.default_rng(seed).choice(rows, count, replace=False))


class Servable(Endpoint):
    """What a task exports: the endpoint that servers answer by default, and what stands beside it."""

    name: str
    metric_name: str

    @abstractmethod
    def models(self) -> list[keras.Model]:
        """The models whose weights `serve` reads."""

    @abstractmethod
    def contract(self) -> dict[str, Any]:
        """What a caller must know, as JSON: columns, step, look-back, horizon, units, the transform's constants."""

    def tables(self) -> list[Any]:
        """Lookup tables that `serve` reads."""
        return []

    def beside(self) -> dict[str, Endpoint]:
        """Further signatures of the SavedModel, by name."""
        return {}

    def device(self) -> Endpoint | Mapping[str, Endpoint]:
        """What a LiteRT file answers: one endpoint by default, or several by name, the first the one to be measured."""
        return self

    def on_device(self) -> Mapping[str, Endpoint]:
        """The signatures of a LiteRT file by name."""
        own = self.device()
        return {SIGNATURE: own} if isinstance(own, Endpoint) else own


@dataclass(frozen=True)
class ExportRow:
    """One line of the verification table.

    Attributes:
        format: one of `FORMATS`.
        status: `proven` (run, and equal to the model), `refused` (the model declares that it cannot be exported so)
            or `failed` (not converted, not run, or not equal); what failed is not kept on disk.
        max_error: the largest |a − b| / max(1, |b|) over every output of every example, b from Keras.
        metric, metric_keras: the task's error of the export and of Keras on the same examples.
        size_kib: the size of the file or folder.
        latency_ms: the median of single-example calls after a warm-up.
        flex_ops: TensorFlow ops that a LiteRT file would need beyond the builtins; None for a SavedModel.
        path: relative to the folder that holds the exports' folder; None where there is nothing.
        note: why it was refused or failed, or how many examples were run.
    """

    format: str
    status: str
    max_error: float | None = None
    metric: float | None = None
    metric_keras: float | None = None
    size_kib: float | None = None
    latency_ms: float | None = None
    flex_ops: int | None = None
    path: str | None = None
    note: str = ""


class ExportError(Exception):
    """An export is not equal to the model, or could not be made."""


def require_proven(rows: Iterable[ExportRow]) -> None:
    """Raise `ExportError` naming every format that failed; refusals are no failures."""
    failed = [f"{row.format}: {row.note}" for row in rows if row.status == "failed"]
    if failed:
        raise ExportError("Not every export equals the model. " + " ".join(failed))
