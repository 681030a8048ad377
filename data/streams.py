"""Sequences of any length as batches for a model of what comes next: streams, windows, and what it is tested on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from data.errors import DataError

if TYPE_CHECKING:
    import tensorflow as tf

#: The target of a step that is only there to fill a row up; losses leave it out.
PADDING = -1


@dataclass(frozen=True)
class Rows:
    """Which steps stand where, each array (batches, rows).

    Attributes:
        first: the row's first step, as an index into the part's ids.
        length: how many of its steps are real; the rest fills the row up.
        unsaid: how many of the first steps have no target: they are context alone.
        reset: whether the row begins anew here, or goes on where it ended in the batch before.
    """

    first: np.ndarray
    length: np.ndarray
    unsaid: np.ndarray
    reset: np.ndarray

    @classmethod
    def empty(cls, batches: int, rows: int) -> Rows:
        first, length, unsaid = np.zeros((3, batches, rows), np.int64)
        return cls(first, length, unsaid, np.ones((batches, rows), bool))


class TokenStreams:
    """Ids of documents end to end, in parts; every target is the id after the one that is read.

    A document's first id is read and never a target, so that each evaluation has the same targets. Steps that only
    fill a row repeat its last id and have the target −1.

    Args:
        ids: part → int32 (tokens,), its documents end to end.
        lengths: part → tokens of each document, which add up to all.
        window: steps of a chunk or window.

    Raises:
        DataError: lengths do not add up, or the window is no length.
    """

    def __init__(self, ids: Mapping[str, np.ndarray], lengths: Mapping[str, Sequence[int]], window: int):
        if window < 1:
            raise DataError(f"A window of {window} steps. Accepted: one or more.")
        for part, found in ids.items():
            if len(found) != sum(lengths[part]):
                raise DataError(f"{len(found)} ids of {part}, and documents of {sum(lengths[part])} ids in all.")
        self._ids = {part: np.asarray(found, np.int32) for part, found in ids.items()}
        self._lengths = {part: list(lengths[part]) for part in ids}
        self.window = window

    def ids(self, part: str) -> np.ndarray:
        """int32 (tokens,), all documents of the part end to end."""
        return self._ids[part]

    def lengths(self, part: str) -> list[int]:
        """Tokens of each document of the part, in order."""
        return self._lengths[part]

    def count(self, part: str) -> int:
        """How many tokens the part has."""
        return len(self._ids[part])

    def targets(self, part: str) -> np.ndarray:
        """int32 (tokens,): the id after each, −1 after a document's last."""
        found = np.append(self._ids[part][1:], PADDING).astype(np.int32)
        found[np.cumsum(self._lengths[part]) - 1] = PADDING
        return found

    @cached_property
    def _documents(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Part → where each document begins that has a target, and how many steps have one."""
        found = {}
        for part, lengths in self._lengths.items():
            steps = np.array(lengths, np.int64) - 1
            starts = np.cumsum(lengths) - lengths
            found[part] = starts[steps > 0], steps[steps > 0]
        return found

    def _steps_of(self, part: str) -> tuple[np.ndarray, np.ndarray]:
        starts, steps = self._documents[part]
        if not len(steps):
            raise DataError(f"No document of {part} has two tokens: there is nothing to predict. Give more text.")
        return starts, steps

    def streams(self, rows: int, *, seed: int, first_epoch: int = 0, epochs: int = 1) -> tf.data.Dataset:
        """Batches of ({"past": ids (rows, window), "reset" (rows,)}, target (rows, window)) of train, for truncated
        backpropagation through time: row i goes on where it ended in the batch before, until it is reset.

        All documents' chunks in a line, cut into `rows` of like length. Epochs `first_epoch` … `epochs - 1` follow one
        another, the documents of each in an order that depends on the seed and the epoch's number alone; so does where,
        in its first window, a document begins that is longer than a row, so that the borders of its chunks move.
        """

        def laid() -> Iterator[Rows]:
            for epoch in range(first_epoch, epochs):
                yield self._laid("train", rows, np.random.default_rng((seed, epoch)))

        batches = self.stream_steps(rows) * max(0, epochs - first_epoch)
        return self._dataset("train", laid, batches, rows, self.window, resets=True)

    def streams_of(self, part: str, rows: int) -> tf.data.Dataset:
        """Batches as those of `streams`: all of a part once, in order."""
        found = self._laid(part, rows, None)
        return self._dataset(part, lambda: iter([found]), len(found.first), rows, self.window, resets=True)

    def stream_steps(self, rows: int) -> int:
        """Batches of an epoch of `streams`: the same number in each."""
        return self._batches("train", rows)

    def _batches(self, part: str, rows: int) -> int:
        if rows < 1:
            raise DataError(f"A batch of {rows} rows. Accepted: one or more.")
        return int(-(-_chunks_of(self._steps_of(part)[1], self.window).sum() // rows))

    def _laid(self, part: str, rows: int, rng: np.random.Generator | None) -> Rows:
        starts, steps = self._steps_of(part)
        found = Rows.empty(self._batches(part, rows), rows)
        if rng is not None:
            order = rng.permutation(len(steps))
            starts, steps = starts[order], steps[order]
            longer = _chunks_of(steps, self.window) > len(found.first)
            late = np.where(longer, rng.integers(self.window, size=len(steps)), 0)
            starts, steps = starts + late, steps - late
        first, length = _chunks(starts, steps, self.window)
        of = len(first) // rows + (np.arange(rows) < len(first) % rows)
        row = np.repeat(np.arange(rows), of)
        batch = np.arange(len(first)) - np.repeat(np.cumsum(of) - of, of)
        found.first[batch, row], found.length[batch, row] = first, length
        found.reset[batch, row] = (batch == 0) | np.isin(first, starts)
        return found

    def windows(self, batch: int, *, seed: int, first_epoch: int = 0, epochs: int = 1) -> tf.data.Dataset:
        """Batches of (ids (batch, window), target (batch, window)): stretches of train, drawn anywhere with
        replacement, each in one document; epochs `first_epoch` … `epochs - 1`, by seed and number alone.
        """
        starts, steps = self._steps_of("train")
        count, ends = self.window_steps(batch), np.cumsum(steps)

        def drawn() -> Iterator[Rows]:
            for epoch in range(first_epoch, epochs):
                rng = np.random.default_rng((seed, epoch))
                document = np.searchsorted(ends, rng.integers(ends[-1], size=(count, batch)), side="right")
                room = np.maximum(steps[document] - self.window, 0)
                found = Rows.empty(count, batch)
                found.first[:] = starts[document] + rng.integers(room + 1)
                found.length[:] = np.minimum(steps[document], self.window)
                yield found

        return self._dataset("train", drawn, count * max(0, epochs - first_epoch), batch, self.window)

    def window_steps(self, batch: int) -> int:
        """Batches of an epoch of `windows`: as many as read as many steps as train has."""
        return max(1, int(self._steps_of("train")[1].sum()) // (batch * self.window))

    def ordered(self, part: str, batch: int, window: int | None = None) -> tf.data.Dataset:
        """Batches of (ids (batch, window), target (batch, window)): all of the part once, in order, in windows that do
        not overlap and begin anew in each document.
        """
        time = window or self.window
        first, length = _chunks(*self._steps_of(part), time)
        batches = -(-len(first) // batch)
        rows = Rows.empty(batches, batch)
        rows.first.flat[: len(first)], rows.length.flat[: len(first)] = first, length
        return self._dataset(part, lambda: iter([rows]), batches, batch, time)

    def carried(self, part: str, rows: int, warm: int) -> tf.data.Dataset:
        """Chunks of (ids (rows, window), target (rows, window)) to be read with the state carried from chunk to chunk:
        the part in contiguous rows, each target once.

        Args:
            part: which.
            rows: how many at most; no more than there are steps.
            warm: ids of the part that a row reads before its own, without a target; fewer where fewer stand before it.
        """
        self._steps_of(part)
        own = parts(self.count(part) - 1, min(rows, self.count(part) - 1))
        begins = np.cumsum(own) - own
        before = np.minimum(warm, begins)
        first, length = begins - before, before + own
        done = self.window * np.arange(_chunks_of(length, self.window).max())[:, None]
        rest = np.maximum(length - done, 0)
        there = np.where(rest > 0, first + done, first)
        unsaid = np.clip(before - done, 0, self.window)
        found = Rows(there, np.minimum(rest, self.window), unsaid, np.repeat(done == 0, len(own), axis=1))
        return self._dataset(part, lambda: iter([found]), len(done), len(own), self.window)

    def _dataset(
        self,
        part: str,
        rounds: Callable[[], Iterator[Rows]],
        batches: int,
        rows: int,
        time: int,
        *,
        resets: bool = False,
    ) -> tf.data.Dataset:
        """The steps that `rounds` lays, gathered a batch at a time."""
        import tensorflow as tf

        with tf.device("CPU:0"):
            ids, targets = tf.constant(self.ids(part)), tf.constant(self.targets(part))
            steps = tf.range(time, dtype=tf.int64)

        def laid() -> Iterator[tuple[np.ndarray, ...]]:
            for found in rounds():
                yield from zip(found.first, found.length, found.unsaid, found.reset, strict=True)

        def gather(first: tf.Tensor, length: tf.Tensor, unsaid: tf.Tensor, reset: tf.Tensor) -> tuple:
            at = first[:, None] + tf.minimum(steps, tf.maximum(length[:, None] - 1, 0))
            said = (steps >= unsaid[:, None]) & (steps < length[:, None])
            past, target = tf.gather(ids, at), tf.where(said, tf.gather(targets, at), PADDING)
            return ({"past": past, "reset": reset} if resets else past), target

        signature = tuple(tf.TensorSpec([rows], dtype) for dtype in (tf.int64, tf.int64, tf.int64, tf.bool))
        dataset = tf.data.Dataset.from_generator(laid, output_signature=signature)
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(batches))
        return dataset.map(gather, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def parts(length: int, rows: int) -> list[int]:
    """One long sequence as `rows` contiguous ones, as even as can be: their lengths, which add up to `length`."""
    if not 1 <= rows <= length:
        raise DataError(f"A sequence of {length} steps cannot be cut into {rows} rows. Take fewer rows or more steps.")
    return [length // rows + (row < length % rows) for row in range(rows)]


def _chunks_of(steps: np.ndarray, time: int) -> np.ndarray:
    """How many chunks of `time` steps hold each document."""
    return -(-steps // time)


def _chunks(starts: np.ndarray, steps: np.ndarray, time: int) -> tuple[np.ndarray, np.ndarray]:
    """The first step of every chunk of documents, and how many it holds."""
    count = _chunks_of(steps, time)
    done = time * (np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count))
    return np.repeat(starts, count) + done, np.minimum(time, np.repeat(steps, count) - done)
