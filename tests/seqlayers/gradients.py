"""Gradients of a layer on whatever backend runs, and of an equation by central differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np


def gradients(call: Callable[[Any], Any], x: np.ndarray, weights: list[Any], cotangent: np.ndarray):
    """(dx, [dw]) of sum(call(x) · cotangent), for a layer's call on TensorFlow; `weights` are Keras variables."""
    import tensorflow as tf

    x = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(tf.cast(call(x), tf.float32) * cotangent)
    found = tape.gradient(loss, [x, *(w.value for w in weights)])
    return np.asarray(found[0]), [np.asarray(tf.convert_to_tensor(g)) for g in found[1:]]


def check_gradients(
    layer: Any,
    call: Callable[[Any], Any],
    equation: Callable[[np.ndarray, list[np.ndarray]], np.ndarray],
    x: np.ndarray,
    *,
    weights: list[Any] | None = None,
    directions: int = 3,
    tolerance: float = 2e-4,
) -> None:
    """Gradients of a layer, for its input and for each weight, are those of its equation.

    Args:
        layer: whose `trainable_weights` are tried, unless `weights` says which.
        call: x → output.
        equation: (x, weights), all float64, in the order of `weights` → output.
        x: (batch, time, features).
        directions: random directions in which each derivative is compared.
        tolerance: relative to max(1, |derivative|).
    """
    weights = layer.trainable_weights if weights is None else weights
    values = [np.asarray(keras.ops.convert_to_numpy(w), np.float64) for w in weights]
    points = [x.astype(np.float64), *values]
    rng = np.random.default_rng(7)
    cotangent = rng.normal(size=equation(points[0], points[1:]).shape)
    dx, dws = gradients(call, x, weights, cotangent.astype("float32"))
    for i, found in enumerate([dx, *dws]):
        for _ in range(directions):
            direction, step = rng.normal(size=points[i].shape), 1e-6
            ends = []
            for sign in (1, -1):
                moved = [p + sign * step * direction if j == i else p for j, p in enumerate(points)]
                ends.append(float(np.sum(equation(moved[0], moved[1:]) * cotangent)))
            expected = (ends[0] - ends[1]) / (2 * step)
            got = float(np.sum(found * direction))
            what = "the input" if i == 0 else weights[i - 1].path
            assert abs(got - expected) <= tolerance * max(1, abs(expected)), f"{what}: {got} instead of {expected}"
