"""Candidates of a run on frames of notes, judged on a part: the likelihood of each frame, and the notes foretold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from data.music import MusicData
from data.streams import PADDING
from pipelines.evaluate import skill
from pipelines.task import Candidate, Evaluation
from pipelines.tasks.paired import paired
from seqlayers.model import SequenceModel

#: Pieces a batch.
PIECES = 32


@dataclass(frozen=True)
class Frames:
    """What a model says of a part's frames, piece after piece.

    Attributes:
        each: (frames,) nats of each.
        starts: the first frame of each piece.
        accuracy: of the notes that sound or are foretold (are likelier than not, those below being what they are), the
            share that both sound and are foretold.
    """

    each: np.ndarray
    starts: np.ndarray
    accuracy: float

    @classmethod
    def of(cls, read: Callable[..., tuple[tf.Tensor, tf.Tensor]], data: MusicData, part: str) -> Frames:
        nats, lengths, counts = [], [], np.zeros(2, np.int64)
        for inputs, target in data.ordered(part, PIECES):
            said, chances = (t.numpy() for t in read(inputs, target))
            target = target.numpy()
            real = target[..., 0] != PADDING
            nats.append(-said[real])
            lengths.extend(real.sum(axis=1))
            sound, foretold = target[real] > 0, chances[real] > 0.5
            counts += [(sound & foretold).sum(), (sound | foretold).sum()]
        starts = np.cumsum(lengths) - lengths
        return cls(np.concatenate(nats).astype(np.float64), starts, float(counts[0] / max(1, counts[1])))


class NotesEvaluator:
    """What is asked of models of notes once they are fitted; each is run through a part once.

    Args:
        data: the prepared pieces.
    """

    def __init__(self, data: MusicData):
        self.data = data
        self._found: dict[tuple[int, str], Frames] = {}
        self._readers: dict[int, Callable[..., tuple[tf.Tensor, tf.Tensor]]] = {}

    def frames(self, candidate: Candidate, part: str) -> Frames:
        key = id(candidate.predictor), part
        if key not in self._found:
            self._found[key] = Frames.of(self._reader(candidate.predictor), self.data, part)
        return self._found[key]

    def _reader(self, model: SequenceModel) -> Callable[..., tuple[tf.Tensor, tf.Tensor]]:
        """Inputs and target → log-likelihoods, and the probability of each note, traced once."""
        if id(model) not in self._readers:

            def read(inputs: Any, target: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
                output = model(inputs, training=False)
                return model.head.log_likelihood(target, output), model.head.predict(output)

            specs = self.data.ordered("test", PIECES).element_spec
            self._readers[id(model)] = tf.function(read, input_signature=specs, autograph=False)
        return self._readers[id(model)]

    def evaluate(self, part: str, candidates: Sequence[Candidate]) -> Evaluation:
        found = [self.frames(candidate, part) for candidate in candidates]
        rows = [_row(candidate, frames) for candidate, frames in zip(candidates, found, strict=True)]
        for row in rows:
            row["skill"] = skill(row["error"], rows[0]["error"])
        model = found[-1]
        comparison = [
            paired(c.name, model.each, frames.each, model.starts)
            for c, frames in zip(candidates[:-1], found, strict=False)
        ]
        return Evaluation(rows, {"best_naive": candidates[0].name, "comparison": comparison, "by_position": None})


def _row(candidate: Candidate, frames: Frames) -> dict[str, Any]:
    mean = float(frames.each.mean())
    return {
        "name": candidate.name,
        "role": candidate.role,
        "loss": mean,
        "accuracy": frames.accuracy,
        "error": mean,
        "seconds": candidate.seconds,
    }
