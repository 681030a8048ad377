"""Ridge regression from sums alone: one pass over the windows, whatever their number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

#: Above this many inputs, and more inputs than outputs, a decomposition into eigenvectors takes longer than solving for
#: each strength.
WIDE = 1024

#: Sums of squares and products about the training means: zz (inputs, inputs) and zy (inputs, outputs).
Scatter = tuple[np.ndarray, np.ndarray]


class Sums:
    """What a ridge needs to know of its rows, for several regressions (groups) side by side, in float64.

    Args:
        groups, inputs, outputs: regressions, and the inputs and outputs of each.
    """

    def __init__(self, groups: int, inputs: int, outputs: int):
        self.rows = 0
        self.z, self.y = np.zeros((groups, inputs)), np.zeros((groups, outputs))
        self.zz, self.zy = np.zeros((groups, inputs, inputs)), np.zeros((groups, inputs, outputs))

    def add(self, z: np.ndarray, y: np.ndarray) -> None:
        """Rows z (groups, rows, inputs) and y (groups, rows, outputs); float32 a product, float64 in the sums."""
        self.rows += z.shape[1]
        ones = np.ones(z.shape[1], z.dtype)
        for g, (inputs, outputs) in enumerate(zip(z, y, strict=True)):
            self.z[g] += ones @ inputs
            self.y[g] += ones @ outputs
            self.zz[g] += inputs.T @ inputs  # BLAS sees the symmetry, and does half the work
            self.zy[g] += inputs.T @ outputs

    def about(self, g: int, z0: np.ndarray, y0: np.ndarray) -> Scatter:
        """The scatter of group g, with its inputs counted from z0 and its outputs from y0."""
        n, z, y = self.rows, self.z[g], self.y[g]
        zz = self.zz[g] - np.outer(z, z0) - np.outer(z0, z) + n * np.outer(z0, z0)
        return zz, self.zy[g] - np.outer(z, y0) - np.outer(z0, y) + n * np.outer(z0, y0)


def solvable(sums: Sums | None, kind: str, part: str) -> Sums:
    """The sums over the windows of a part, if a head can be solved from them.

    Raises:
        ValueError: there were no windows, or some held NaN or infinity.
    """
    if sums is None or not sums.rows:
        raise ValueError(f"head '{kind}' cannot be solved: there are no {part} windows.")
    if not (np.isfinite(sums.zy).all() and np.isfinite(sums.zz).all()):
        raise ValueError(f"head '{kind}' cannot be solved: the {part} windows hold NaN or infinity.")
    return sums


def solve(
    train: Sums,
    validation: Sums,
    strengths: Sequence[float],
    bias: bool = True,
    metric: Callable[[np.ndarray], np.ndarray] | None = None,
    targets: int | None = None,
) -> tuple[np.ndarray, np.ndarray, list[Any]]:
    r"""Each group's \(W = (Z^\top Z + \lambda I)^{-1} Z^\top Y\), with λ chosen on validation.

    With a bias, inputs and outputs are counted from their training means.

    Args:
        train, validation: sums of the training and of the validation rows.
        strengths: the λ to choose from, as multiples of the mean of the diagonal of \(Z^\top Z\).
        bias: whether there is one; it is not penalised.
        metric: K as a function of the rows of a matrix, symmetric: the penalty is then \(\|K^{-1} W\|^2\).
        targets: the outputs are steps × so many targets, each of which has a strength of its own; None: one for all.

    Returns:
        W (groups, inputs, outputs), the bias (groups, outputs), and the strength chosen for each group (with `targets`
        a list for each).
    """
    weights: list[np.ndarray] = []
    biases: list[np.ndarray] = []
    chosen: list[Any] = []
    for g in range(len(train.z)):
        z0, y0 = (train.z[g] / train.rows * bias, train.y[g] / train.rows * bias)
        fitted, checked = train.about(g, z0, y0), validation.about(g, z0, y0)
        if metric is not None:
            fitted, checked = ((metric(metric(zz).T), metric(zy)) for zz, zy in (fitted, checked))
        # inputs that never move have no scale: their weights are zero at any strength
        scale = np.trace(fitted[0]) / len(z0) or 1.0
        search = _by_eigenvectors if len(z0) <= max(WIDE, len(y0)) else _one_by_one
        w, best = search(fitted, checked, [s * scale for s in strengths], targets or 1)
        w = w if metric is None else metric(w)
        weights.append(w)
        biases.append(y0 - z0 @ w)
        found = [strengths[i] for i in best]
        chosen.append(found[0] if targets is None else found)
    return np.stack(weights), np.stack(biases), chosen


def _by_eigenvectors(
    fitted: Scatter, checked: Scatter, penalties: Sequence[float], targets: int
) -> tuple[np.ndarray, list[int]]:
    """Every penalty from one decomposition; in its basis the validation error is a quadratic form of the shrinkage."""
    (zz, zy), (checked_zz, checked_zy) = fitted, checked
    values, vectors = np.linalg.eigh(zz)
    values = np.maximum(values, 0)
    shrinkages = [1 / (values + p) for p in penalties]
    u, v = vectors.T @ zy, vectors.T @ checked_zy
    turned = vectors.T @ checked_zz @ vectors
    best = []
    for t in range(targets):
        mine = u[:, t::targets]
        linear = np.einsum("io,io->i", mine, v[:, t::targets])
        square = turned * (mine @ mine.T)
        best.append(int(np.argmin([d @ square @ d - 2 * linear @ d for d in shrinkages])))
        mine *= shrinkages[best[-1]][:, None]
    return vectors @ u, best


def _one_by_one(
    fitted: Scatter, checked: Scatter, penalties: Sequence[float], targets: int
) -> tuple[np.ndarray, list[int]]:
    """A solution for each penalty."""
    (zz, zy), (checked_zz, checked_zy) = fitted, checked
    diagonal = zz.diagonal().copy()
    best, lowest, weights = [0] * targets, np.full(targets, np.inf), np.zeros_like(zy)
    for i, p in enumerate(penalties):
        np.fill_diagonal(zz, diagonal + p)
        w = np.linalg.solve(zz, zy)
        errors = np.einsum("io,io->o", w, checked_zz @ w - 2 * checked_zy).reshape(-1, targets).sum(0)
        for t in np.flatnonzero(errors < lowest):
            best[t], lowest[t], weights[:, t::targets] = i, errors[t], w[:, t::targets]
    return weights, best
