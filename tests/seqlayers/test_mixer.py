"""The mixer block is its two equations, and refuses what its weights along time cannot do."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from seqlayers import slots
from seqlayers.slots import Refused
from seqlayers.testing import Example, equal
from tests.seqlayers import reference


def norm(x, gain, offset):
    spread = np.sqrt(x.var(axis=-1, keepdims=True) + 1e-6)
    return (x - x.mean(axis=-1, keepdims=True)) / spread * gain + offset


@pytest.mark.parametrize("settings", [{}, {"time_units": 7, "feature_units": 9}])
def test_it_is_its_equations(settings):
    example = Example("encoder", {"kind": "mixer", **settings}, time=10, features=4)
    layer = example.layer()
    weights = {w.path.removeprefix(f"{layer.name}/"): np.asarray(w, np.float64) for w in layer.weights}
    dense = lambda x, name: x @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]  # noqa: E731
    x = example.input().astype(np.float64)
    h = norm(x, weights["norm_1/gamma"], weights["norm_1/beta"]).swapaxes(1, 2)
    u = x + dense(reference.relu(dense(h, "time_inner")), "time_outer").swapaxes(1, 2)
    h = norm(u, weights["norm_2/gamma"], weights["norm_2/beta"])
    equal(layer(example.input()), u + dense(reference.relu(dense(h, "feature_inner")), "feature_outer"), "it")
    assert weights["time_inner/kernel"].shape == (10, settings.get("time_units", 10))
    assert weights["feature_inner/kernel"].shape == (4, settings.get("feature_units", 4))


def test_every_step_sees_every_other():
    example = Example("encoder", {"kind": "mixer"}, time=6)
    layer, x = example.layer(), example.input()
    for t in range(6):
        moved = x.copy()
        moved[:, t] += np.array([1.0, -1.0, 2.0, 0.0], "float32")  # a shift of all features is normalised away
        assert (np.abs(np.asarray(layer(moved) - layer(x))).max(axis=(0, 2)) > 1e-4).all()


def test_dropout_drops_in_training_alone():
    layer = slots.build("encoder", {"kind": "mixer", "dropout": 0.5})
    x = np.random.default_rng(0).normal(size=(2, 8, 3)).astype("float32")
    equal(layer(x), layer(x), "without training it", tolerance=0)
    assert np.abs(np.asarray(layer(x, training=True) - layer(x))).max() > 1e-3


def test_a_mask_an_unknown_length_and_a_stream_are_refused():
    layer = slots.build("encoder", {"kind": "mixer"})
    x = np.zeros((1, 5, 3), "float32")
    layer(x)
    with pytest.raises(ValueError, match=r"'mixer' has a weight for each step and cannot leave padding out"):
        layer(x, mask=np.ones((1, 5), bool))
    with pytest.raises(Refused, match=r"'mixer' cannot do 'streams': every output depends on every step"):
        layer.initial_state(1)
    with pytest.raises(ValueError, match=r"'mixer' needs a known number of steps, but was given \(None, None, 3\)"):
        slots.build("encoder", {"kind": "mixer"})(keras.Input((None, 3)))
