"""Logistic regression ends where its gradient is zero, which is where scikit-learn's ends."""

from __future__ import annotations

import numpy as np
import pytest

from seqlayers.head import presence
from seqlayers.head.logistic import Logistic, Weights, probabilities
from seqlayers.head.presence import Presence, Stretches
from seqlayers.testing import equal

ROWS, WIDTH = 80, 30


def problem(outputs, seed=0):
    """A dense matrix of zeros and ones with an empty row, the same as a `Presence`, scales and labels."""
    rng = np.random.default_rng(seed)
    x = (rng.random((ROWS, WIDTH)) < rng.random(WIDTH)).astype(float)
    x[3] = 0
    scale = rng.normal(size=(outputs, WIDTH))
    labels = rng.integers(0, max(2, outputs), ROWS)
    return x, as_presence(x), scale, labels


def as_presence(x):
    return Presence(np.nonzero(x)[1].astype(np.int32), x.sum(axis=1).astype(int), x.shape[1])


def objective(x, scale, labels, strength, w, b):
    """By its equation, in float64."""
    z = x @ (scale * w).T + b
    if z.shape[1] == 1:
        z = np.concatenate([np.zeros_like(z), z], axis=1)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(labels)), labels]).sum() + strength / 2 * np.square(w).sum()


@pytest.mark.parametrize("cut", [3, 2**18])
def test_products_are_those_of_the_dense_matrix(monkeypatch, cut):
    monkeypatch.setattr(presence, "SLICE", cut)
    x, _, scale, _ = problem(3)
    sparse, values = as_presence(x), np.random.default_rng(1).normal(size=(2, ROWS))
    equal(sparse.times(scale), scale @ x.T, "X w", tolerance=1e-12)
    equal(sparse.transposed_times(values), values @ x, "Xᵀ v", tolerance=1e-12)


def test_stretches_may_be_empty():
    found = Stretches(np.array([2, 0, 2]), np.array([0, 2, 0, 1, 0])).sums(np.array([1.0, 10.0, 100.0]))
    assert found.tolist() == [0, 101, 0, 100, 0]
    assert Stretches(np.zeros(0, int), np.zeros(4, int)).sums(np.ones(1)).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("strength", [0.01, 1.0, 100.0])
def test_at_the_solution_the_gradient_of_the_objective_is_zero(outputs, strength):
    x, sparse, scale, labels = problem(outputs)
    w, b = Logistic(sparse, scale, labels).solve(strength, tolerance=1e-9)
    value, step = objective(x, scale, labels, strength, w, b), 1e-4
    for _ in range(30):
        rng = np.random.default_rng(_)
        d, e = rng.normal(size=w.shape), rng.normal(size=b.shape)
        up, down = (objective(x, scale, labels, strength, w + s * d, b + s * e) for s in (step, -step))
        assert abs(up - down) / (2 * step) < 1e-5, "a direction with a slope"
        assert min(up, down) > value - 1e-9, "a direction downwards"


@pytest.mark.parametrize("outputs", [1, 3])
def test_the_gradient_is_that_of_the_objective(outputs):
    x, sparse, scale, labels = problem(outputs)
    rng = np.random.default_rng(5)
    at = Weights(rng.normal(size=(outputs, WIDTH)), rng.normal(size=outputs))
    solver = Logistic(sparse, scale, labels)
    z = solver.logits(at)
    equal(solver.objective(at, z, 0.5), objective(x, scale, labels, 0.5, *at), "the objective", tolerance=1e-12)
    gradient = solver.gradient(at, z, 0.5)
    for _ in range(10):
        d, e = rng.normal(size=at.w.shape), rng.normal(size=outputs)
        up, down = (objective(x, scale, labels, 0.5, at.w + s * d, at.b + s * e) for s in (1e-5, -1e-5))
        equal((up - down) / 2e-5, gradient.dot(Weights(d, e)), "a slope", tolerance=1e-6)


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("strength", [0.1, 10.0])
def test_the_solution_is_scikit_learns(outputs, strength):
    linear = pytest.importorskip("sklearn.linear_model")
    x, sparse, scale, labels = problem(outputs)
    scale = np.broadcast_to(scale[:1], scale.shape)  # which scikit-learn has one of for all classes
    z = (at := Logistic(sparse, scale, labels)).logits(at.solve(strength, tolerance=1e-9))
    model = linear.LogisticRegression(C=1 / strength, tol=1e-10, max_iter=5000).fit(x * scale[0], labels)
    expected = model.predict_proba(x * scale[0])
    found = probabilities(z)
    equal(np.concatenate([1 - found, found]).T if outputs == 1 else found.T, expected, "it", tolerance=1e-5)


def test_a_start_near_the_solution_changes_the_way_and_not_the_end():
    _, sparse, scale, labels = problem(1)
    solver = Logistic(sparse, scale, labels)
    near = solver.solve(1.5)
    equal(solver.solve(1.0, near, tolerance=1e-9).w, solver.solve(1.0, tolerance=1e-9).w, "the end", tolerance=1e-6)


def test_labels_that_a_line_parts_are_solved_as_well():
    x = np.eye(4)
    w, _ = Logistic(as_presence(x), np.ones((1, 4)), np.array([0, 0, 1, 1])).solve(1e-3, tolerance=1e-9)
    assert (w[0, :2] < -3).all() and (w[0, 2:] > 3).all()
