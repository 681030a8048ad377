"""How much to listen to each of several models: weights of their log-probabilities, by likelihood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

#: Newton steps, at most; some ten are needed.
STEPS = 100
#: Log-probabilities that weights are fitted on, at most: rows × examples × classes.
MOST = 50_000_000


def likeliest_weights(log_probabilities: Sequence[np.ndarray] | np.ndarray, labels: np.ndarray) -> np.ndarray:
    r"""The w ≥ 0 at which what several models say together is likeliest.

    \[ \min_{w \ge 0}\ \sum_i -\log \mathrm{softmax}\Big(\sum_k w_k \ell_{ik}\Big)_{y_i} +
       \tfrac{1}{2} \sum_k (w_k - \tfrac{1}{n})^2 \]

    The penalty weighs as much as one example or less; without it there is no minimum where all are told right.

    Args:
        log_probabilities: of each of n models, ℓ_k (examples, classes).
        labels: y, classes (examples,).

    Returns:
        w (models,). Together they may be more than one, where models are more certain together than each alone, or
        less, where they are too certain.

    Hinton 2002, Training products of experts by minimizing contrastive divergence (such a product, unnormalised);
    Bertsekas 1982, Projected Newton methods for optimization problems with simple constraints.
    """
    given = np.stack([np.asarray(v, np.float64) for v in log_probabilities])
    n, rows = len(given), np.arange(len(labels))
    weights = np.full(n, 1 / n)

    def objective(w: np.ndarray) -> float:
        z = np.tensordot(w, given, 1)
        loss = np.logaddexp.reduce(z, axis=1) - z[rows, labels]
        return float(loss.sum() + 0.5 * np.square(w - 1 / n).sum())

    for _ in range(STEPS):
        z = np.tensordot(weights, given, 1)
        p = np.exp(z - np.logaddexp.reduce(z, axis=1, keepdims=True))
        expected = (p * given).sum(axis=2)
        gradient = (expected - given[:, rows, labels]).sum(axis=1) + weights - 1 / n
        free = (weights > 0) | (gradient < 0)
        if np.abs(gradient[free]).max(initial=0) < 1e-9 * max(1, len(labels)):
            break
        curvature = np.einsum("kic,ic,lic->kl", given, p, given) - expected @ expected.T + np.eye(n)
        step = np.zeros(n)
        step[free] = -np.linalg.solve(curvature[np.ix_(free, free)], gradient[free])
        before, length = objective(weights), 1.0
        while objective(np.maximum(weights + length * step, 0)) > before and length > 1e-10:
            length /= 2
        weights = np.maximum(weights + length * step, 0)
    return weights


def settled(rows: Sequence[keras.Layer], validation: Any) -> np.ndarray:
    """`likeliest_weights` of rows that give logits, on re-iterable batches of (inputs, target) in fresh windows.

    Targets of −1 are padding. Of more than `MOST` log-probabilities, examples that lie evenly apart are taken.
    """
    each, labels, seen, apart = [], [], 0, _Apart(rows)
    total = sum(int((np.asarray(target) >= 0).sum()) for _, target in validation)
    for inputs, target in validation:
        if isinstance(inputs, Mapping):
            inputs = {name: value for name, value in inputs.items() if name != "reset"}
        outputs, target = apart.predict_on_batch(inputs), np.asarray(target).reshape(-1)
        outputs = outputs.reshape(len(rows), len(target), -1)
        taken = min(total, max(1, MOST // (len(rows) * outputs.shape[2])))
        real = np.flatnonzero(target >= 0)
        at = np.arange(seen, seen + len(real))
        chosen = real[(at + 1) * taken // total > at * taken // total]
        seen += len(real)
        each.append(outputs[:, chosen])
        labels.append(target[chosen])
    return likeliest_weights(np.concatenate(each, axis=1), np.concatenate(labels))


class _Apart(keras.Model):
    """The log-probabilities of rows, side by side: (rows, batch, …)."""

    def __init__(self, rows: Sequence[keras.Layer]):
        super().__init__(name="apart")
        self.rows = rows

    def call(self, inputs: Any) -> Any:
        return ops.stack([ops.log_softmax(row(inputs, training=False)) for row in self.rows])
