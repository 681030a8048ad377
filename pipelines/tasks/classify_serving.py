"""A classifier as the export room takes it: raw texts in, label and probabilities out; ids in, for a device."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from data.texts import TextData
from data.transforms.text import padded
from pipelines.export.servable import Arrays, Endpoint, Servable, drawn
from pipelines.task import Candidate
from pipelines.tasks.calibration import Calibration
from pipelines.tasks.classify_evaluation import fixed_length
from seqlayers.model import SequenceModel

#: Bytes of a text in the proof, since the longest would set the size of all.
PROVEN_BYTES = 20_000
#: A device's texts are cut to the length that this share of the training texts does not exceed.
COVERED = 0.95


class TextServable(Servable):
    """The model with its tokenizer in the graph (see `pipelines.export.servable.Servable`).

    `serving_default` takes `text`, strings (batch,), and gives `label` (batch,), `score` (batch,), the probability of
    that label, and `probabilities` (batch, classes). `ids` takes token ids int32 (batch, time) instead. A LiteRT file
    takes the ids of one text, cut as the tokenizer cuts and padded with zeros to a fixed length, and gives
    `probabilities`.

    Raises:
        TypeError: the candidate is no model, and no graph can hold it.
    """

    metric_name = "log_loss"

    def __init__(self, name: str, candidate: Candidate, data: TextData):
        if not isinstance(candidate.predictor, SequenceModel):
            raise TypeError(f"'{candidate.name}' cannot be exported: only a SequenceModel can.")
        self.name, self.data = name, data
        self.model: SequenceModel = candidate.predictor
        self.calibration: Calibration = candidate.calibration
        lengths = [len(ids) for ids in data.ids("train")]
        self.device_length = min(data.options.longest, int(np.ceil(np.quantile(lengths, COVERED) / 16) * 16))
        self.time = fixed_length(self.model, data)

    def signature(self, batch: int | None) -> dict[str, tf.TensorSpec]:
        return {"text": tf.TensorSpec([batch], tf.string, "text")}

    def serve(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return self.labelled(self.probabilities(self.data.transform.ids(inputs["text"])))

    def probabilities(self, ids: tf.Tensor) -> tf.Tensor:
        if self.time is not None:
            ids = tf.pad(ids[:, : self.time], [[0, 0], [0, tf.maximum(0, self.time - tf.shape(ids)[1])]])
            ids = tf.ensure_shape(ids, [None, self.time])
        logits = tf.cast(self.model(ids, training=False), tf.float32)
        return tf.nn.softmax(logits / self.calibration.temperature)

    def labelled(self, probabilities: tf.Tensor) -> dict[str, tf.Tensor]:
        if self.calibration.threshold is None:
            best = tf.argmax(probabilities, -1, tf.int32)
        else:
            best = tf.cast(probabilities[:, 1] >= self.calibration.threshold, tf.int32)
        return {
            "label": tf.gather(tf.constant(list(self.data.classes)), best),
            "score": tf.gather(probabilities, best, batch_dims=1),
            "probabilities": probabilities,
        }

    def models(self) -> list[Any]:
        return [self.model]

    def tables(self) -> list[Any]:
        return self.data.transform.trackables()

    def beside(self) -> dict[str, Endpoint]:
        return {"ids": _Ids(self)}

    def device(self) -> Endpoint:
        return _Device(self, self.device_length)

    def drawn(self, count: int, seed: int) -> np.ndarray:
        """Rows of the test part."""
        return drawn(np.arange(self.data.count("test")), count, seed)

    def examples(self, count: int, seed: int) -> tuple[Arrays, np.ndarray]:
        rows, texts = self.drawn(count, seed), self.data.texts("test")
        given = np.array([_utf8(texts[i]) for i in rows])
        return {"text": given}, self.data.labels("test")[rows]

    def metric(self, outputs: Arrays, truth: np.ndarray) -> float:
        """The log loss."""
        found = outputs["probabilities"].astype(np.float64)[np.arange(len(truth)), truth]
        return float(-np.log(np.maximum(found, 1e-12)).mean())

    def contract(self) -> dict[str, Any]:
        """What a caller must know: what to send, what comes back, and how texts become ids."""
        return {
            "family": "classify",
            "task": self.name,
            "sample": self.data.source.sample,
            "options": self.data.options.model_dump(mode="json"),
            "classes": list(self.data.classes),
            "temperature": self.calibration.temperature,
            "threshold": self.calibration.threshold,
            "device_length": self.device_length,
            "transform": self.data.transform.to_json(),
            "device": {
                "ids": f"int32 (1, {self.device_length}), by the transform with `longest` {self.device_length}, "
                "zeros after the end",
                "probabilities": "float32 (1, classes)",
            },
            "inputs": {
                "text": "strings (batch,), UTF-8",
                "ids": "int32 (batch, time), token ids, zeros after the end",
            },
            "outputs": {
                "label": "strings (batch,), the class",
                "score": "float32 (batch,), the probability of that class",
                "probabilities": "float32 (batch, classes), in the order of `classes`",
            },
        }


def _utf8(text: str) -> bytes:
    """As UTF-8, cut between characters."""
    return text.encode("utf-8", "replace")[:PROVEN_BYTES].decode("utf-8", "ignore").encode()


class _Ids(Endpoint):
    """The same from token ids, of one length or, where that is None, of any."""

    def __init__(self, whole: TextServable, length: int | None = None):
        self.whole, self.length = whole, length

    def signature(self, batch: int | None) -> dict[str, tf.TensorSpec]:
        return {"ids": tf.TensorSpec([batch, self.length], tf.int32, "ids")}

    def serve(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return self.whole.labelled(self.whole.probabilities(inputs["ids"]))

    def examples(self, count: int, seed: int) -> tuple[Arrays, np.ndarray]:
        """Ids of test texts, by the tokenizer's NumPy form."""
        rows, data = self.whole.drawn(count, seed), self.whole.data
        transform = data.transform if self.length is None else replace(data.transform, longest=self.length)
        texts = data.texts("test")
        return {"ids": padded(transform.ids_numpy([texts[i] for i in rows]), self.length)}, data.labels("test")[rows]

    def metric(self, outputs: Arrays, truth: np.ndarray) -> float:
        return self.whole.metric(outputs, truth)


class _Device(_Ids):
    """Ids of a fixed length → probabilities, with nothing that a device lacks."""

    def serve(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return {"probabilities": self.whole.probabilities(inputs["ids"])}
