"""Logistic regression on presence features, by a truncated Newton method."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from seqlayers.head.presence import Presence

#: Where the gradient's norm is this share of what it is at zero, a text's class changes no more.
TOLERANCE = 3e-3
#: A step along the Newton direction is halved until the objective falls by this share of what the slope promises.
DESCENT = 1e-4
#: The system of a Newton step is solved up to this share of the gradient, and closer as the gradient falls.
RESIDUAL = 0.25
#: Newton steps, and inner steps of each, at most; a well-posed problem takes a tenth of it.
OUTER, INNER = 100, 200


class Weights(NamedTuple):
    """w (outputs, columns) and b (outputs,); two classes have one output, the logit of the second."""

    w: np.ndarray
    b: np.ndarray

    def dot(self, other: Weights) -> float:
        return float(np.vdot(self.w, other.w) + np.vdot(self.b, other.b))

    def plus(self, factor: float, other: Weights) -> Weights:
        return Weights(self.w + factor * other.w, self.b + factor * other.b)


class Logistic:
    r"""The regression of labels on features \(r_j x_j\), x presence and r a scale of each column and output.

    \[ \min_{w,b}\ \sum_i -\log p(y_i \mid z_i) + \tfrac{\lambda}{2} \|w\|^2, \qquad z_i = b + \sum_j x_{ij} r_j w_j \]

    p is the logistic function for one output and the softmax for several; b is not penalised.

    Args:
        features: X (rows, columns).
        scale: r (outputs, columns).
        labels: classes (rows,), 0 or 1 with one output.

    Lin, Weng and Keerthi 2008, Trust region Newton method for large-scale logistic regression; here with a line search.
    """

    def __init__(self, features: Presence, scale: np.ndarray, labels: np.ndarray):
        self.features, self.scale = features, scale
        self.target = one_hot(labels, len(scale))

    def zeros(self) -> Weights:
        return Weights(np.zeros_like(self.scale), np.zeros(len(self.scale)))

    def logits(self, at: Weights) -> np.ndarray:
        """(outputs, rows)."""
        return self.features.times(self.scale * at.w) + at.b[:, None]

    def objective(self, at: Weights, z: np.ndarray, strength: float) -> float:
        return log_loss(z, self.target) + strength / 2 * float(np.vdot(at.w, at.w))

    def gradient(self, at: Weights, z: np.ndarray, strength: float) -> Weights:
        return self._back(probabilities(z) - self.target, strength, at)

    def _back(self, of_logits: np.ndarray, strength: float, at: Weights) -> Weights:
        w = self.features.transposed_times(of_logits)
        w *= self.scale
        w += strength * at.w
        return Weights(w, of_logits.sum(axis=1))

    def solve(self, strength: float, start: Weights | None = None, tolerance: float = TOLERANCE) -> Weights:
        """The weights at which the gradient's norm is `tolerance` of what it is at zero.

        Args:
            strength: λ.
            start: where to begin, such as the solution for another λ; None: zeros.
            tolerance: see above.
        """
        at = self.zeros() if start is None else start
        first = self.gradient(self.zeros(), np.zeros(self.target.shape), strength)
        goal = tolerance**2 * first.dot(first)
        z = self.logits(at)
        for _ in range(OUTER):
            gradient = self.gradient(at, z, strength)
            size = gradient.dot(gradient)
            if size <= goal:
                break
            accuracy = min(RESIDUAL, (size / first.dot(first)) ** 0.25)
            step, along = self._direction(gradient, probabilities(z), strength, accuracy)
            before, slope, length = self.objective(at, z, strength), gradient.dot(step), 1.0
            while True:
                after = at.plus(length, step)
                moved = z + length * along
                if self.objective(after, moved, strength) <= before + DESCENT * length * slope or length < 1e-8:
                    break
                length /= 2
            at, z = after, moved
        return at

    def _direction(
        self, gradient: Weights, p: np.ndarray, strength: float, accuracy: float
    ) -> tuple[Weights, np.ndarray]:
        """d with ‖H d + g‖ ≤ accuracy ‖g‖ by conjugate gradients, and what it adds to the logits."""
        d, along = self.zeros(), np.zeros_like(p)
        residual = self.zeros().plus(-1.0, gradient)
        search, size = residual, residual.dot(residual)
        goal = accuracy**2 * size
        for _ in range(INNER):
            u = self.logits(search)
            curved = self._back(curvature(p, u), strength, search)
            length = size / search.dot(curved)
            d, along = d.plus(length, search), along + length * u
            residual = residual.plus(-length, curved)
            size, last = residual.dot(residual), size
            if size <= goal:
                break
            search = residual.plus(size / last, search)
        return d, along


def one_hot(labels: np.ndarray, outputs: int) -> np.ndarray:
    """(outputs, rows); of two classes the second alone."""
    return np.asarray(labels)[None] == (np.ones((1, 1)) if outputs == 1 else np.arange(outputs)[:, None])


def probabilities(z: np.ndarray) -> np.ndarray:
    """Of logits (outputs, rows): of each class, or, with one output, of the second."""
    if len(z) == 1:
        return np.exp(-np.logaddexp(0, -z))
    e = np.exp(z - z.max(axis=0))
    return e / e.sum(axis=0)


def log_loss(z: np.ndarray, target: np.ndarray) -> float:
    """Nats, the sum over the rows."""
    total = np.logaddexp(0, z[0]) if len(z) == 1 else np.logaddexp.reduce(z, axis=0)
    return float(total.sum() - z[target].sum())


def curvature(p: np.ndarray, u: np.ndarray) -> np.ndarray:
    """The second derivative of the loss by the logits, at probabilities p, times u (outputs, rows)."""
    return p * (1 - p) * u if len(p) == 1 else p * (u - (p * u).sum(axis=0))
