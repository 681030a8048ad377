"""Uniform numbers are Threefry's: the published words, counted by seed, step and place, the same when compiled."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from seqlayers.uniforms import threefry, uniforms

#: counter, key, words: from kat_vectors of Random123 (Salmon et al. 2011).
PUBLISHED = [
    ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
    ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
    ((0x243F6A88, 0x85A308D3), (0x13198A2E, 0x03707344), (0xC4923A9C, 0x483DF7A0)),
]


def reference(seed, step, i):
    """The number of one seed, step and place in Python's whole numbers."""
    keys = [seed % 2**32, 0, (seed % 2**32) ^ 0x1BD11BDA]
    x, y = (step + keys[0]) % 2**32, (i + keys[1]) % 2**32
    for block in range(5):
        for bits in ((13, 15, 26, 6), (17, 29, 16, 24))[block % 2]:
            x = (x + y) % 2**32
            y = ((y << bits) % 2**32 | y >> (32 - bits)) ^ x
        x = (x + keys[(block + 1) % 3]) % 2**32
        y = (y + keys[(block + 2) % 3] + block + 1) % 2**32
    return (x >> 8) / 2**24


@pytest.mark.parametrize(("counter", "key", "words"), PUBLISHED)
def test_the_published_words_come_out(counter, key, words):
    found = threefry(*([np.array([word], "uint32") for word in pair] for pair in (key, counter)))
    assert tuple(int(np.asarray(word)[0]) for word in found) == words


def test_each_number_depends_on_its_seed_step_and_place_alone():
    seeds = [0, 1, -1, 2**31 - 1, -(2**31)]
    for step in (0, 1, 99_999):
        found = np.asarray(uniforms(seeds, step, 5))
        assert found.dtype == "float32" and found.shape == (5, 5)
        assert found.tolist() == [[reference(seed, step, i) for i in range(5)] for seed in seeds]
    of_rows = np.asarray(uniforms(seeds, [0, 1, 2, 3, 4], 1))
    assert of_rows.tolist() == [[reference(seed, step, 0)] for step, seed in enumerate(seeds)]


def test_numbers_are_even_between_zero_and_one():
    count = 40_000
    found = np.asarray(uniforms(np.arange(4), 3, count // 4)).ravel()
    assert found.min() >= 0 and found.max() < 1 and len(np.unique(found)) > 0.99 * count
    per_bin = np.histogram(found, 50, (0, 1))[0]
    assert ((per_bin - count / 50) ** 2 / (count / 50)).sum() < 95  # chi-squared of 49 degrees, p = 0.0001


def test_compiled_numbers_are_the_same_for_any_batch():
    compiled = tf.function(lambda s, t: uniforms(s, t, 3), [tf.TensorSpec([None], "int32"), tf.TensorSpec([], "int32")])
    for seeds in ([5], [5, -6, 7]):
        assert (np.asarray(compiled(seeds, 11)) == np.asarray(uniforms(seeds, 11, 3))).all()
