"""Windows: look-back and horizon, gathered a batch at a time from one tensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf


@dataclass(frozen=True)
class WindowSpec:
    """A window's measures, in rows: what is read, what is forecast, from one window to the next, the main period."""

    look_back: int
    horizon: int
    stride: int
    season: int


def origins(bounds: np.ndarray, spec: WindowSpec, first: int | np.ndarray, last: int | np.ndarray) -> np.ndarray:
    """Rows of the first target of every window whose whole target lies in [first, last).

    The look-back may reach back before `first`; nothing crosses one of `bounds`.

    Args:
        bounds: (segments + 1,) row offsets.
        spec: the window's measures.
        first, last: the part's rows; a number, or one a segment.
    """
    starts, ends = bounds[:-1], bounds[1:]
    low = np.maximum(np.broadcast_to(first, starts.shape), starts + spec.look_back)
    high = np.minimum(np.broadcast_to(last, ends.shape), ends) - spec.horizon + 1
    found = [np.arange(a, b, spec.stride, dtype=np.int64) for a, b in zip(low, high, strict=True) if b > a]
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def window_dataset(
    past: np.ndarray,
    target: np.ndarray,
    ahead: np.ndarray | None,
    origins: np.ndarray,
    spec: WindowSpec,
    batch_size: int,
    *,
    seed: int | None = None,
    epochs: int = 1,
    first_epoch: int = 0,
    drop_remainder: bool = False,
) -> tf.data.Dataset:
    """Batches of ({"past", "ahead"}, target); without "ahead" where nothing is known ahead.

    With a seed, epochs `first_epoch` … `epochs - 1` follow one another, each a full permutation of the windows that
    depends on the seed and the epoch's number alone: training started again at epoch k sees what an undisturbed
    run sees. Without one, the windows come once, in order.

    Args:
        past: (rows, features) float32.
        target: (rows, targets) float32.
        ahead: (rows, known) float32, or None.
        origins: rows of the first target of each window.
        spec: the window's measures.
        batch_size: windows a batch.
        seed: of the permutations.
        epochs, first_epoch: which epochs, with a seed.
        drop_remainder: leave out an epoch's last batch where it is smaller, so that shapes are static.

    Returns:
        `past` (batch, look_back, features), `ahead` (batch, horizon, known), target (batch, horizon, targets).
    """
    import tensorflow as tf

    count = len(origins)
    batches = count // batch_size if drop_remainder else -(-count // batch_size)
    with tf.device("CPU:0"):  # on a GPU every batch would otherwise be gathered from device memory and back
        rows = tf.constant(origins, tf.int64)
        sources = [tf.constant(a) for a in (past, target, ahead) if a is not None]
        back = tf.range(-spec.look_back, 0, dtype=tf.int64)
        forth = tf.range(spec.horizon, dtype=tf.int64)

    def one_epoch(order: tf.Tensor) -> tf.data.Dataset:
        def batch(number: tf.Tensor) -> tf.Tensor:
            chosen = order[number * batch_size : (number + 1) * batch_size]
            return tf.ensure_shape(chosen, [batch_size]) if drop_remainder else chosen

        return tf.data.Dataset.range(batches).map(batch)

    def permuted(epoch: tf.Tensor) -> tf.data.Dataset:
        keys = tf.random.stateless_uniform([count], [seed, epoch], minval=None, maxval=None, dtype=tf.int32)
        return one_epoch(tf.gather(rows, tf.argsort(keys, stable=True)))

    def gather(chosen: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        chosen = chosen[:, None]
        inputs = {"past": tf.gather(sources[0], chosen + back)}
        if ahead is not None:
            inputs["ahead"] = tf.gather(sources[2], chosen + forth)
        return inputs, tf.gather(sources[1], chosen + forth)

    if seed is None:
        chosen, total = one_epoch(rows), batches
    else:
        chosen = tf.data.Dataset.range(first_epoch, epochs).flat_map(permuted)
        total = batches * max(0, epochs - first_epoch)
    chosen = chosen.apply(tf.data.experimental.assert_cardinality(total))
    return chosen.map(gather, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
