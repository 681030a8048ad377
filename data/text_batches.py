"""Batches of texts: rows of like length together, padded to the next of a few lengths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.errors import DataError

if TYPE_CHECKING:
    import tensorflow as tf


@dataclass(frozen=True)
class Buckets:
    """Rows by length.

    Attributes:
        lengths: (rows,) tokens of each.
        widths: what batches are padded to, rising; the last is no shorter than the longest row.
    """

    lengths: np.ndarray
    widths: tuple[int, ...]

    @classmethod
    def of(cls, lengths: np.ndarray, buckets: Sequence[int], longest: int) -> Buckets:
        """The buckets that rows of these lengths need, of those given and `longest`."""
        widths = [b for b in buckets if b < longest] + [longest]
        enough = int(np.searchsorted(widths, lengths.max())) + 1
        return cls(lengths, tuple(widths[:enough]))

    def batches(self, size: int, *, static: bool, rng: np.random.Generator | None) -> list[tuple[np.ndarray, int]]:
        """An epoch: (rows of a batch, its width) each; shuffled with `rng`, else the shortest first.

        Where `static`, all have `size` rows: what is left of a bucket goes up into the next, and what is left of the
        last is dropped.
        """
        order = np.arange(len(self.lengths)) if rng is None else rng.permutation(len(self.lengths))
        bucket = np.searchsorted(self.widths, self.lengths[order])
        found, carried = [], np.empty(0, np.int64)
        for number, width in enumerate(self.widths):
            rows = np.concatenate([carried, order[bucket == number]])
            full = len(rows) // size * size if static else len(rows)
            found += [(rows[i : i + size], width) for i in range(0, full, size)]
            carried = rows[full:]
        return found if rng is None else [found[i] for i in rng.permutation(len(found))]

    def steps(self, size: int, *, static: bool) -> int:
        """Batches of an epoch: the same number in each."""
        return len(self.batches(size, static=static, rng=None))

    def padding(self, size: int) -> float:
        """The share of a static epoch that is padding."""
        batches = self.batches(size, static=True, rng=None)
        cells = sum(len(rows) * width for rows, width in batches)
        return 1 - sum(int(self.lengths[rows].sum()) for rows, _ in batches) / cells if cells else 0.0


@dataclass(frozen=True)
class Labelled:
    """Texts and what their classes are.

    Attributes:
        ids: int32 (tokens,) of each text.
        labels: int32 (texts,); or probabilities (texts, classes), from which each epoch draws a label for each text.
        buckets: its texts by length.
    """

    ids: Sequence[np.ndarray]
    labels: np.ndarray
    buckets: Buckets

    def dataset(
        self,
        size: int,
        *,
        seed: int | None = None,
        first_epoch: int = 0,
        epochs: int = 1,
        static: bool = False,
    ) -> tf.data.Dataset:
        """Batches of (ids (batch, width), labels (batch,)), int32.

        With a seed, epochs `first_epoch` … `epochs - 1` follow one another, each in an order, and with labels drawn,
        that depend on the seed and the epoch's number alone. Without one, the rows come once, the shortest first, with
        the likeliest labels.

        Raises:
            DataError: `static`, and fewer rows than a batch has.
        """
        import tensorflow as tf

        steps = self.buckets.steps(size, static=static)
        if not steps:
            raise DataError(f"A batch has {size} rows, and there are only {len(self.ids)}. Take a smaller batch_size.")

        def plan() -> Iterator[tuple[np.ndarray, int, np.ndarray]]:
            for epoch in range(1) if seed is None else range(first_epoch, epochs):
                rng = None if seed is None else np.random.default_rng((seed, epoch))
                batches = self.buckets.batches(size, static=static, rng=rng)
                labels = self._said(rng)
                for rows, width in batches:
                    yield rows, width, labels[rows]

        lengths = self.buckets.lengths
        with tf.device("CPU:0"):
            flat = tf.constant(np.concatenate(self.ids))
            first, length = tf.constant(np.cumsum(lengths) - lengths), tf.constant(lengths)

        def gather(rows: tf.Tensor, width: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            for found in (rows, labels):
                found.set_shape([size if static else None])
            step = tf.range(width)
            real = step < tf.gather(length, rows)[:, None]
            at = tf.where(real, tf.gather(first, rows)[:, None] + step, 0)
            return tf.where(real, tf.gather(flat, at), 0), labels

        signature = (tf.TensorSpec([None], tf.int64), tf.TensorSpec([], tf.int64), tf.TensorSpec([None], tf.int32))
        rounds = 1 if seed is None else max(0, epochs - first_epoch)
        dataset = tf.data.Dataset.from_generator(plan, output_signature=signature)
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(steps * rounds))
        return dataset.map(gather, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)

    def _said(self, rng: np.random.Generator | None) -> np.ndarray:
        """A label of each text; where there are only probabilities one is drawn, or without `rng` the likeliest."""
        if self.labels.ndim == 1:
            return self.labels
        if rng is None:
            return self.labels.argmax(axis=1).astype(np.int32)
        ends = np.cumsum(self.labels, axis=1)
        drawn = (ends <= ends[:, -1:] * rng.random((len(ends), 1))).sum(axis=1)
        return np.minimum(drawn, self.labels.shape[1] - 1).astype(np.int32)
