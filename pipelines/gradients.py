"""The gradient of a loss followed back through an encoder: its norm by lag, before and after clipping, and in words."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from seqlayers.inputs import Inputs
from seqlayers.model import SequenceModel

#: What a gradient has vanished to, as a share of its largest norm; its inverse is what it has exploded to.
VANISHED = 0.01
#: A norm that goes from above this to nought ends there, and is not merely too small for float32.
UNDERFLOW = 1e-30
#: The quantiles over examples between which a band is drawn.
BAND = (0.1, 0.9)


@dataclass(frozen=True)
class Clock:
    """How long lags are.

    Attributes:
        step: the time between two readings, such as 10min; None where there is no time.
        stride: readings from one lag to the next.
    """

    step: str | None
    stride: int = 1

    def lag(self, count: int) -> str:
        """`7 steps (1 h 10 min)`."""
        steps = f"{count:,} step{'' if count == 1 else 's'}"
        return f"{steps} ({self._time(count)})" if self.step else steps

    def axis(self, lags: int) -> tuple[float, str]:
        """What is between two lags, as a number of a unit that suits an axis over `lags` of them."""
        number, unit = self._between()
        larger = {"s": (60, "min"), "min": (60, "h")}
        while unit in larger and lags * number > 3 * larger[unit][0]:
            number, unit = number / larger[unit][0], larger[unit][1]
        return number, unit

    def _between(self) -> tuple[float, str]:
        found = re.fullmatch(r"(\d+)\s*([a-z]+)", self.step or "")
        return (int(found[1]) * self.stride, found[2]) if found else (self.stride, "steps")

    def _time(self, count: int) -> str:
        number, unit = self._between()
        total = count * number
        if unit not in ("s", "min"):
            return f"{total:,.0f} {unit}"
        large, small = divmod(round(total), 60)
        above = {"s": "min", "min": "h"}[unit]
        return " ".join([f"{large} {above}"] * bool(large) + [f"{small} {unit}"] * bool(small or not large))


class Probe:
    """Measures how far back the gradient of a model's loss reaches; the model is one row, pooled to its last step.

    Args:
        model: built; dropout is off, so that what is measured is the model and not chance.
    """

    def __init__(self, model: SequenceModel):
        self.model = model
        self._compiled = tf.function(self._gradients)

    def by_lag(self, inputs: Any, target: Any) -> tuple[np.ndarray, float, float]:
        r"""The norms of the gradient with respect to what the encoder reads, and of all weights' gradients together.

        Returns:
            \(\|\partial L_i / \partial x_{T-k}\|\) for each example i and lag k, (batch, lags); the joint norm of the
            mean loss's gradient with respect to all weights, which is what training clips; and the mean loss.
        """
        by_time, joint, loss = self._compiled(inputs, target)
        return by_time.numpy()[:, ::-1], float(joint), float(loss)

    def measure(self, batches: Iterable[Any], clip_norm: float | None) -> dict[str, Any]:
        """Quantiles of the norm at each lag over all examples, as they are and as clipping leaves them; norms a batch.

        Clipping multiplies the whole gradient of a batch with one factor, min(1, clip_norm / joint norm): an example's
        share of it, far back or near, shrinks by that factor too.
        """
        norms, after, joint, factors, losses = [], [], [], [], []
        for inputs, target in batches:
            by_lag, of_weights, loss = self.by_lag(inputs, target)
            factor = clipping(of_weights, clip_norm)
            norms.append(by_lag)
            after.append(by_lag * factor)
            joint.append(of_weights)
            factors.append(factor)
            losses.append(loss)
        low, median, high = np.quantile(np.concatenate(norms), (BAND[0], 0.5, BAND[1]), axis=0)
        return {
            "low": _numbers(low),
            "median": _numbers(median),
            "high": _numbers(high),
            "clipped": _numbers(np.median(np.concatenate(after), axis=0)),
            "joint": _numbers(joint),
            "factors": _numbers(factors),
            "loss": _numbers([float(np.mean(losses))])[0],
        }

    def states(self, batch: tuple[Any, Any], steps: int) -> list[list[float]]:
        r"""Median over examples of \(\|\partial L_i / \partial s_{T-k}\|\) for k = 0 … steps, of each state tensor s.

        Of a recurrence whose output is its first state tensor: h, or h and c.
        """
        inputs, target = batch
        given, row = Inputs.of(inputs), self.model.rows[0]
        x, layer = encoder_input(row, given.past)[0], row.encoder[0]
        _, state = layer.stream(x[:, :-steps], layer.initial_state(len(x)))
        with tf.GradientTape() as tape:
            followed = [list(state)]
            tape.watch(followed[0])
            for t in range(-steps, 0):
                y, state = layer.step(x[:, t], state)
                followed.append(list(state))
            followed[-1][0] = y  # what the loss reads
            loss = self._loss(row.pooling(tf.expand_dims(y, 1)), given.ahead, target)
        found = tape.gradient(loss, followed, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        by_lag = [[float(np.median(np.linalg.norm(g, axis=-1))) * len(x) for g in tensors] for tensors in found[::-1]]
        return [list(line) for line in zip(*by_lag, strict=True)]

    def _gradients(self, inputs: Any, target: Any) -> tuple[Any, Any, Any]:
        given, row = Inputs.of(inputs), self.model.rows[0]
        with tf.GradientTape() as tape:
            x, mask = encoder_input(row, given.past)
            tape.watch(x)
            y = x
            for layer in row.encoder:
                y, mask = layer(y, mask=mask, training=False), layer.compute_mask(y, mask)
            loss = self._loss(row.pooling(y, mask=mask), given.ahead, target)
        weights = [w.value for w in self.model.trainable_variables]
        of_x, *of_weights = tape.gradient(loss, [x, *weights], unconnected_gradients=tf.UnconnectedGradients.ZERO)
        of_x = tf.cast(of_x, tf.float64)  # in which the squares of what has all but vanished are not nought
        batch = tf.cast(tf.shape(of_x)[0], of_x.dtype)  # of the mean loss → of each example's own
        return tf.norm(of_x, axis=-1) * batch, tf.linalg.global_norm(of_weights), loss

    def _loss(self, features: Any, ahead: Any, target: Any) -> Any:
        output = self.model.rows[0].head(features, ahead=ahead, training=False)
        return tf.reduce_mean(self.model.loss_function(target, output))


def encoder_input(row: Any, past: Any) -> tuple[Any, Any]:
    """What the encoder reads, and its mask."""
    x, mask = past, None
    for layer in (row.embedding, row.position):
        if layer is not None:
            x, mask = layer(x), layer.compute_mask(x, mask)
    return x, mask


def _numbers(values: Iterable[float]) -> list[float | None]:
    """With the digits that float32 has; None for what is no finite number."""
    return [float(f"{v:.7g}") if math.isfinite(v) else None for v in values]


def clipping(joint: float, clip_norm: float | None) -> float:
    """What a gradient of this joint norm is multiplied with, as `global_clipnorm` does it."""
    return 1.0 if clip_norm is None or joint <= clip_norm else clip_norm / joint


def read(median: Sequence[float | None], clock: Clock) -> dict[str, Any]:
    """A curve in numbers and in a plain word.

    Returns:
        beyond_half: the share of the curve's sum that comes from the older half of the window.
        a_step: what the norm is multiplied with from one lag to the next, by a line through its logarithm.
        fallen: the lag from which on it stays below 1 % of its largest value; None where it does not.
        grown: the first lag at which it is 100 times what it is at the last step; None where it is not.
        word, said: `vanishes`, `explodes`, `ends` or `reaches`, and a few words more.
    """
    values = np.asarray(median, np.float64)
    lags, half = len(values), math.ceil(len(values) / 2)
    found: dict[str, Any] = {"beyond_half": None, "a_step": None, "fallen": None, "grown": None}
    if not np.isfinite(values).all():
        over = int(np.argmin(np.isfinite(values)))
        return found | {"grown": over, **_said("explodes", f"more than float32 can hold after {clock.lag(over)}")}
    if not values.any():
        return found | _said("ends", "no gradient at all arrives")
    peak, last = values.max(), int(np.flatnonzero(values)[-1])
    found["beyond_half"] = float(values[half:].sum() / values.sum())
    within = np.flatnonzero(values[1:] > 0) + 1
    if len(within) > 1:
        found["a_step"] = float(np.exp(np.polyfit(within, np.log(values[within]), 1)[0]))
    low = np.flatnonzero(values >= VANISHED * peak)[-1] + 1
    found["fallen"] = int(low) if low < lags else None
    high = np.flatnonzero(values >= values[0] / VANISHED)
    found["grown"] = int(high[0]) if values[0] > 0 and len(high) else None
    if found["grown"] is not None:
        rate = f"×{found['a_step']:.2f} a step, " if found["a_step"] else ""
        return found | _said("explodes", f"{rate}×{1 / VANISHED:.0f} after {clock.lag(found['grown'])}")
    if last + 1 < lags and values[last] > UNDERFLOW:
        return found | _said("ends", f"nothing beyond {clock.lag(last)}")
    if found["beyond_half"] < VANISHED:
        at = f"{VANISHED:.0%} after {clock.lag(found['fallen'])}" if found["fallen"] else f"{found['beyond_half']:.1%}"
        return found | _said("vanishes", at.replace("%", " %"))
    return found | _said("reaches", f"{100 * found['beyond_half']:.0f} % from beyond {clock.lag(half)}")


def _said(word: str, more: str) -> dict[str, str]:
    return {"word": word, "said": f"{word}: {more}"}
