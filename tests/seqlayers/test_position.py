"""Positions are where they say, from any start."""

from __future__ import annotations

import numpy as np
import pytest

from seqlayers import slots
from seqlayers.testing import equal


def waves(positions, features, period=10000.0):
    found = np.zeros((len(positions), features))
    for row, t in enumerate(positions):
        for j in range(features):
            angle = t / period ** (2 * (j // 2) / features)
            found[row, j] = np.cos(angle) if j % 2 else np.sin(angle)
    return found


@pytest.mark.parametrize("features, period", [(8, 10000.0), (7, 10000.0), (6, 50.0)])
def test_sinusoidal_is_the_waves_of_the_paper(features, period):
    layer = slots.build("position", {"kind": "sinusoidal", "period": period})
    x = np.random.default_rng(0).normal(size=(2, 64, features)).astype("float32")
    equal(layer(x), x + waves(range(64), features, period), "it")
    equal(layer.add(x, 30), x + waves(range(30, 94), features, period), "from 30 on")


def test_each_row_may_start_at_a_position_of_its_own():
    layer = slots.build("position", {"kind": "sinusoidal"})
    x = np.zeros((2, 5, 6), "float32")
    y = layer.add(x, np.array([3, 40], "int32"))
    equal(y, np.stack([waves(range(3, 8), 6), waves(range(40, 45), 6)]), "it")


def test_learned_adds_the_row_of_the_position():
    layer = slots.build("position", {"kind": "learned", "length": 10})
    x = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    layer(x)
    table = np.arange(30).reshape(10, 3).astype("float32")
    layer.set_weights([table])
    equal(layer(x), x + table[:4], "it")
    equal(layer.add(x, 6), x + table[6:], "from 6 on")
    equal(layer.add(x, np.array([0, 5])), x + np.stack([table[:4], table[5:9]]), "by row")


def test_a_position_beyond_the_learned_ones_is_refused():
    layer = slots.build("position", {"kind": "learned", "length": 10})
    layer(np.zeros((1, 10, 2), "float32"))
    for call in (lambda: layer(np.zeros((1, 11, 2), "float32")), lambda: layer.add(np.zeros((1, 4, 2), "float32"), 7)):
        with pytest.raises(ValueError, match=r"has 10 positions, but 11 are needed.*`length: 11`.*sinusoidal"):
            call()


def test_a_compiled_position_beyond_the_learned_ones_is_nan_and_never_a_wrong_number():
    tf = pytest.importorskip("tensorflow")
    layer = slots.build("position", {"kind": "learned", "length": 10})
    layer(np.zeros((1, 10, 2), "float32"))
    y = tf.function(layer.add)(tf.zeros((1, 4, 2)), tf.constant([8]))
    assert np.isfinite(y[:, :2]).all() and np.isnan(y[:, 2:]).all()


def test_a_stream_counts_each_row_by_itself():
    layer = slots.build("position", {"kind": "sinusoidal"})
    y, state = layer.stream(np.zeros((2, 3, 4), "float32"), np.array([0, 7], "int32"))
    assert np.asarray(state).tolist() == [3, 10]
    equal(y[1], waves(range(7, 10), 4), "the second row")
