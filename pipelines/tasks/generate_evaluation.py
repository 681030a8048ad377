"""Candidates of a run on tokens, judged on a part: likelihood with the state carried on, and in fresh windows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import tensorflow as tf

from data.streams import TokenStreams
from pipelines.evaluate import skill
from pipelines.task import Candidate, Evaluation
from pipelines.tasks.context import context_of, streams
from pipelines.tasks.paired import paired
from seqlayers.model import SequenceModel

#: Contiguous rows that a part is read in, side by side, each after so many tokens of the part that stand before it.
ROWS, WARM = 16, 2048
#: Lengths of the fresh windows.
FRESH = (64, 256)
#: Numbers (logits) of a batch of fresh windows, at most.
ROOM = 20_000_000
#: Tokens of a block, over which differences are averaged before their spread is taken: neighbours are alike.
BLOCK = 500


class TokenEvaluator:
    """What is asked of models of tokens once they are fitted; each one's losses on a part are computed once.

    Args:
        data: parts as streams of ids.
        vocabulary: how many ids there are.
        characters: part → how many characters its targets spell; none where they spell nothing.
    """

    def __init__(self, data: TokenStreams, vocabulary: int, characters: dict[str, int] | None):
        self.data, self.vocabulary, self.characters = data, vocabulary, characters
        self._found: dict[tuple[int, str], Losses] = {}
        self._readers: dict[int, Reader] = {}

    def losses(self, candidate: Candidate, part: str) -> Losses:
        model = id(candidate.predictor)
        if (model, part) not in self._found:
            if model not in self._readers:
                self._readers[model] = Reader(candidate.predictor, self.data.window)
            self._found[model, part] = Losses.of(self._readers[model], self.data, part, self.vocabulary)
        return self._found[model, part]

    def evaluate(self, part: str, candidates: Sequence[Candidate]) -> Evaluation:
        found = [self.losses(candidate, part) for candidate in candidates]
        rows = [self._row(c, losses, part) for c, losses in zip(candidates, found, strict=True)]
        for row in rows:
            row["skill"] = skill(row["error"], rows[0]["error"])
        longest = FRESH[-1]
        positions = [2**i for i in range(longest.bit_length()) if 2**i <= longest]
        details = {
            "best_naive": candidates[0].name,
            "comparison": [
                paired(c.name, found[-1].each, losses.each, BLOCK)
                for c, losses in zip(candidates[:-1], found, strict=False)
            ],
            "by_position": {
                "positions": positions,
                "curves": {c.name: losses.at(positions) for c, losses in zip(candidates, found, strict=True)},
            },
        }
        return Evaluation(rows, details)

    def _row(self, candidate: Candidate, losses: Losses, part: str) -> dict[str, Any]:
        mean = float(losses.each.mean())
        spelt = (self.characters or {}).get(part)
        return {
            "name": candidate.name,
            "role": candidate.role,
            "loss": mean,
            **{f"loss_{length}": losses.fresh[length] for length in FRESH},
            "perplexity": float(np.exp(mean)),
            "bits": float(losses.each.sum() / np.log(2) / spelt) if spelt else None,
            "top_1": losses.top_1,
            "top_5": losses.top_5,
            "error": mean,
            "seconds": candidate.seconds,
        }


class Losses:
    """What a model says of a part's tokens.

    Attributes:
        each: (tokens,) nats of each target, in order, the state carried on; of a model that does not stream, or only so
            far, in windows of which the second half is counted.
        top_1, top_5: how often the target is the likeliest, and among the five likeliest.
        fresh: length of fresh windows → mean nats in them.
        places: (FRESH[-1],) mean nats at each place of the longest fresh window.
    """

    def __init__(self, each: np.ndarray, ranks: np.ndarray, fresh: dict[int, float | None], places: np.ndarray):
        self.each, self.fresh, self.places = each, fresh, places
        self.top_1, self.top_5 = (float((ranks < k).mean()) for k in (1, 5))

    @classmethod
    def of(cls, reader: Reader, data: TokenStreams, part: str, vocabulary: int) -> Losses:
        carried = reader.carried(data, part) if reader.reach is None else reader.halves(data, part, vocabulary)
        fresh: dict[int, float | None] = {}
        places = np.zeros(0)
        for length in FRESH:
            if reader.reach is not None and length > reader.reach:
                fresh[length] = None
                continue
            nats, _, target = reader.windows(data.ordered(part, _batch(length, vocabulary), length))
            real = target >= 0
            fresh[length] = float(nats[real].mean())
            places = np.where(real, nats, 0).sum(0) / np.maximum(real.sum(0), 1)
        return cls(*carried, fresh, places)

    def at(self, positions: Sequence[int]) -> list[float | None]:
        """Mean nats at places 1, 2, 3–4, 5–8, … of a fresh window: each from the position before up to it."""
        ends = [0, *positions]
        return [
            float(self.places[low:high].mean()) if high <= len(self.places) else None for low, high in pairwise(ends)
        ]


def _batch(length: int, vocabulary: int) -> int:
    return max(1, min(256, ROOM // (length * vocabulary)))


def _judged(logits: tf.Tensor, target: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Nats of each target, and how many ids are likelier; of −1 nothing that counts."""
    at = tf.maximum(target, 0)
    chosen = tf.gather(logits, at, batch_dims=2)[..., None]
    ranks = tf.reduce_sum(tf.cast(logits > chosen, tf.int32), -1)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=at, logits=logits), ranks


class Reader:
    """A model's nats and ranks of targets, by graphs that are traced once.

    Attributes:
        reach: the longest window that the model is read in; None where its state goes on without end.
    """

    def __init__(self, model: SequenceModel, window: int):
        self.model = model
        self.reach = context_of(model) or (None if streams(model) else window)
        fixed = window if any("dynamic_time" in kind.refusals() for kind in model.kinds()) else None
        specs = [tf.TensorSpec([None, fixed], tf.int32)] * 2
        self._read = tf.function(self._window, input_signature=specs, autograph=False)
        self._go_on = tf.function(self._chunk, autograph=False, reduce_retracing=True)

    def _window(self, ids: tf.Tensor, target: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return _judged(tf.cast(self.model(ids, training=False), tf.float32), target)

    def _chunk(self, ids: tf.Tensor, target: tf.Tensor, state: Any) -> Any:
        logits, state = self.model.stream(ids, state, training=False)
        return *_judged(tf.cast(logits, tf.float32), target), state

    def carried(self, data: TokenStreams, part: str) -> tuple[np.ndarray, np.ndarray]:
        """Of a part's targets in order, the state going on from chunk to chunk."""
        state, chunks = None, []
        for ids, target in data.carried(part, ROWS, WARM):
            state = self.model.initial_state(len(ids)) if state is None else state
            nats, ranks, state = self._go_on(ids, target, state)
            chunks.append((nats.numpy(), ranks.numpy(), target.numpy()))
        nats, ranks, target = (np.concatenate(parts, axis=1) for parts in zip(*chunks, strict=True))
        real = target >= 0
        return nats[real], ranks[real]  # row after row, and the rows stand one behind the other

    def windows(self, batches: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """And the targets themselves, (windows, time) each."""
        found = [(*(t.numpy() for t in self._read(ids, target)), target.numpy()) for ids, target in batches]
        nats, ranks, target = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return nats, ranks, target

    def halves(self, data: TokenStreams, part: str, vocabulary: int) -> tuple[np.ndarray, np.ndarray]:
        """Of a part's targets in order, each seen after half a window of context or more."""
        assert self.reach is not None
        length = max(2, min(self.reach, max(FRESH)))
        ids, targets = data.ids(part)[:-1], data.targets(part)[:-1]
        half = length // 2
        starts = np.arange(0, max(1, len(ids) - half), half)
        at = starts[:, None] + np.arange(length)
        counted = (at < len(ids)) & ((np.arange(length) >= half) | (starts[:, None] == 0))
        at = np.minimum(at, len(ids) - 1)
        given = ids[at].astype(np.int32), np.where(counted, targets[at], -1).astype(np.int32)
        nats, ranks, target = self.windows(tf.data.Dataset.from_tensor_slices(given).batch(_batch(length, vocabulary)))
        real = target >= 0
        return nats[real], ranks[real]
