"""Streams: sequences of any length in chunks, so that row i of a batch continues row i of the batch before it."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.errors import DataError

if TYPE_CHECKING:
    import tensorflow as tf

#: The target of a step that is only there to fill a chunk; losses leave it out.
PADDING = -1


@dataclass(frozen=True)
class Plan:
    """Which steps stand where, each array (batches, rows).

    Attributes:
        first: the chunk's first step, as an index into all sequences laid end to end.
        length: how many of its steps are real; the rest fills the chunk after a sequence's end.
        reset: whether a sequence begins here, so that the row must forget the one before it.
    """

    first: np.ndarray
    length: np.ndarray
    reset: np.ndarray


def parts(length: int, rows: int) -> list[int]:
    """One long sequence as `rows` contiguous ones, as even as can be: their lengths, which add up to `length`."""
    if not 1 <= rows <= length:
        raise DataError(f"A sequence of {length} steps cannot be cut into {rows} rows. Take fewer rows or more steps.")
    return [length // rows + (row < length % rows) for row in range(rows)]


def plan(lengths: Sequence[int], rows: int, time: int, order: Sequence[int] | np.ndarray | None = None) -> Plan:
    """Lay sequences into rows of chunks: each goes, whole, to the row that is free first.

    Args:
        lengths: steps of each sequence.
        rows: rows of a batch.
        time: steps of a chunk.
        order: in which the sequences are laid; as they come, if left out.
    """
    if rows < 1 or time < 1:
        raise DataError(f"Chunks of {rows} rows and {time} steps. Accepted: one or more of each.")
    if not len(lengths):
        raise DataError("There are no sequences to stream.")
    if min(lengths) < 1:
        raise DataError(f"Sequence number {int(np.argmin(lengths)) + 1} is empty; leave it out.")
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    chunks: list[list[tuple[int, int, bool]]] = [[] for _ in range(rows)]
    free = [(0, row) for row in range(rows)]
    for number in range(len(lengths)) if order is None else order:
        _, row = heapq.heappop(free)
        for done in range(0, lengths[number], time):
            chunks[row].append((int(starts[number]) + done, min(time, lengths[number] - done), done == 0))
        heapq.heappush(free, (len(chunks[row]), row))
    batches = max(map(len, chunks))
    filled = [c + [(0, 0, True)] * (batches - len(c)) for c in chunks]
    first, length, reset = (np.array([[c[i] for c in row] for row in filled]).T for i in range(3))
    return Plan(first.astype(np.int64), length.astype(np.int64), reset.astype(bool))


def batches_an_epoch(lengths: Sequence[int], rows: int, time: int, *, seed: int | None = None, epochs: int = 1) -> int:
    """Batches of an epoch: as many as the fullest row of any epoch's order takes, so that every epoch has the same."""
    return max(len(plan(lengths, rows, time, o).first) for o in _orders(len(lengths), seed, 0, epochs))


def stream_dataset(
    inputs: np.ndarray,
    targets: np.ndarray,
    lengths: Sequence[int],
    rows: int,
    time: int,
    *,
    seed: int | None = None,
    epochs: int = 1,
    first_epoch: int = 0,
) -> tf.data.Dataset:
    """Batches of ({"past", "reset"}, target) of static shape, for truncated backpropagation through time.

    With a seed, epochs `first_epoch` … `epochs - 1` follow one another, the sequences of each in an order that depends
    on the seed and the epoch's number alone. Without one, they come once, as they are.

    Args:
        inputs: all sequences end to end: ids (steps,), or readings (steps, features).
        targets: signed whole numbers, what is to be said at each step: (steps,) or (steps, …).
        lengths: steps of each sequence, which add up to all.
        rows: rows of a batch.
        time: steps of a chunk: how far back gradients reach.
        seed, epochs, first_epoch: see above.

    Returns:
        `past` (rows, time, …), `reset` (rows,) True where a row begins a new sequence, target (rows, time, …) with −1
        at the steps that only fill a chunk.
    """
    import tensorflow as tf

    if len(inputs) != len(targets) or len(inputs) != sum(lengths):
        raise DataError(f"{len(inputs)} inputs, {len(targets)} targets and sequences of {sum(lengths)} steps in all.")
    if not np.issubdtype(targets.dtype, np.signedinteger):
        raise DataError(
            f"Targets of a stream are whole numbers with a sign, such as int32, since {PADDING} marks padding; "
            f"{targets.dtype} given."
        )
    batches = batches_an_epoch(lengths, rows, time, seed=seed, epochs=epochs)

    def chunks() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        for order in _orders(len(lengths), seed, first_epoch, epochs):
            found = plan(lengths, rows, time, order)
            yield from zip(found.first, found.length, found.reset, strict=True)
            for _ in range(batches - len(found.first)):
                yield np.zeros(rows, np.int64), np.zeros(rows, np.int64), np.ones(rows, bool)

    with tf.device("CPU:0"):
        all_inputs, all_targets, steps = tf.constant(inputs), tf.constant(targets), tf.range(time, dtype=tf.int64)

    def gather(first: tf.Tensor, length: tf.Tensor, reset: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        at = first[:, None] + tf.minimum(steps, tf.maximum(length[:, None] - 1, 0))
        target = tf.gather(all_targets, at)
        real = tf.reshape(steps < length[:, None], [rows, time] + [1] * (len(targets.shape) - 1))
        return {"past": tf.gather(all_inputs, at), "reset": reset}, tf.where(real, target, PADDING)

    signature = [tf.TensorSpec([rows], dtype) for dtype in (tf.int64, tf.int64, tf.bool)]
    dataset = tf.data.Dataset.from_generator(chunks, output_signature=tuple(signature))
    rounds = 1 if seed is None else max(0, epochs - first_epoch)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(batches * rounds))
    return dataset.map(gather, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def _orders(count: int, seed: int | None, first_epoch: int, epochs: int) -> Iterator[np.ndarray]:
    if seed is None:
        yield np.arange(count)
        return
    for epoch in range(first_epoch, epochs):
        yield np.random.default_rng((seed, epoch)).permutation(count)
