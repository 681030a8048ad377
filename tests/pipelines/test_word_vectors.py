"""Vectors of words: the equation, and what it is for."""

from __future__ import annotations

import numpy as np

from pipelines.tasks.word_vectors import word_vectors


def texts(seed: int = 0, count: int = 400) -> list[np.ndarray]:
    """Ids 2 and 3 stand before 6, 7 or 8; ids 4 and 5 before 9, 10 or 11."""
    draw = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        kind = draw.integers(2)
        pairs = [(2 + 2 * kind + draw.integers(2), 6 + 3 * kind + draw.integers(3)) for _ in range(4)]
        found.append(np.array(pairs, "int32").ravel())
    return found


def by_the_equation(given: list[np.ndarray], size: int, units: int, window: int) -> np.ndarray:
    """E of the docstring in float64, word by word."""
    n = np.zeros((size, size))
    for ids in given:
        for i, word in enumerate(ids):
            for j, context in enumerate(ids):
                if i != j and abs(i - j) <= window and min(word, context) >= 2:
                    n[word, context] += 1 / abs(i - j)
    of_context = n.sum(0) ** 0.75
    of_context *= n.sum() / of_context.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        m = np.log(n * n.sum() / (n.sum(1, keepdims=True) * of_context))
    m = np.where(n > 0, np.maximum(m, 0), 0)
    u, s, _ = np.linalg.svd(m)
    e = u[:, :units] * np.sqrt(s[:units])
    return 0.05 * e / np.sqrt(np.mean(e[2:] ** 2))


def test_they_are_the_equation():
    given = [*texts(), np.array([1, 2, 0, 9], "int32"), np.array([], "int32")]
    found, expected = word_vectors(given, 12, 4, window=3), by_the_equation(given, 12, 4, 3)
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-5)  # the signs of U are anybody's
    assert found.shape == (12, 4) and found.dtype == np.float32


def test_words_of_like_company_lie_near_each_other():
    found = word_vectors(texts(), 12, 3)
    directions = found[2:] / np.linalg.norm(found[2:], axis=1, keepdims=True)
    alike = directions @ directions.T
    assert alike[0, 1] > alike[0, 2] + 0.3 and alike[2, 3] > alike[1, 2] + 0.3


def test_what_is_no_word_has_no_vector_and_the_same_seed_gives_the_same():
    given = [*texts(), np.array([1, 0, 1, 0], "int32")]
    found = word_vectors(given, 12, 3)
    assert not found[:2].any()
    np.testing.assert_array_equal(found, word_vectors(given, 12, 3))
