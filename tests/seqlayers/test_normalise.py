"""Reversible normalisation is its equation, and gives back what it took."""

from __future__ import annotations

import numpy as np
import pytest

from seqlayers import slots
from seqlayers.testing import Example, equal


def expected(x, subtract, scale, eps, gain, offset):
    x = x.astype(np.float64)
    level = x.mean(axis=1, keepdims=True) if subtract == "mean" else x[:, -1:]
    spread = np.sqrt(x.var(axis=1, keepdims=True) + eps) if scale else 1.0
    return (x - level) / spread * np.exp(gain) + offset


@pytest.mark.parametrize("subtract", ["mean", "last"])
@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("affine, eps", [(True, 1e-5), (False, 0.5)])
def test_it_is_its_equation_and_undoes_itself(subtract, scale, affine, eps):
    settings = {"kind": "reversible", "subtract": subtract, "scale": scale, "affine": affine, "eps": eps}
    example = Example("normalise", settings)
    layer, x = example.layer(), example.input() * 3 + 5
    gain, offset = layer.get_weights() if affine else (0.0, 0.0)
    y, statistics = layer(x)
    equal(y, expected(x, subtract, scale, eps, gain, offset), "it")
    equal(layer.undo(y, statistics), x, "undone")
    equal(layer.undo(y[:, :7, :2], statistics), x[:, :7, :2], "the first channels undone")


def test_quantiles_are_undone_each_by_itself():
    example = Example("normalise", {"kind": "reversible", "affine": True})
    layer, x = example.layer(), example.input()
    y, statistics = layer(x)
    both = np.stack([np.asarray(y)[..., :2], np.asarray(y)[..., :2] + 1], axis=-1)
    undone = np.asarray(layer.undo(both, statistics))
    assert undone.shape == (3, 24, 2, 2)
    equal(undone[..., 0], x[..., :2], "the first quantile")
    equal(undone[..., 1], layer.undo(both[..., 1], statistics), "the second quantile")


def test_quantiles_keep_their_order_whatever_is_learned():
    layer = Example("normalise", {"kind": "reversible", "affine": True}).layer()
    layer.set_weights([np.array([-3.0, 2.0, 0.0, 1.0]), np.zeros(4)])
    _, statistics = layer(np.random.default_rng(0).normal(size=(5, 24, 4)).astype("float32"))
    quantiles = np.broadcast_to(np.array([-1.0, 0.0, 1.0], "float32"), (5, 6, 4, 3))
    assert (np.diff(np.asarray(layer.undo(quantiles, statistics)), axis=-1) > 0).all()


def test_a_constant_window_is_normalised_to_zero():
    layer = slots.build("normalise", {"kind": "reversible"})
    y, statistics = layer(np.full((1, 10, 1), 7.0, "float32"))
    equal(y, np.zeros((1, 10, 1)), "it")
    equal(layer.undo(np.zeros((1, 4, 1), "float32"), statistics), np.full((1, 4, 1), 7.0), "undone")


def test_a_window_of_one_step_is_refused():
    with pytest.raises(slots.ConfigurationError, match=r"normalise\.kind: 'reversible' .* one step .*zeros.*`none`"):
        slots.build("normalise", {"kind": "reversible"})(np.ones((2, 1, 3), "float32"))


def test_a_forecast_of_more_targets_than_there_were_channels_is_refused():
    layer = slots.build("normalise", {"kind": "reversible"})
    _, statistics = layer(np.ones((2, 5, 1), "float32"))
    with pytest.raises(ValueError, match=r"'reversible' knows the level of the 1 channels .* 2 targets"):
        layer.undo(np.zeros((2, 3, 2), "float32"), statistics)


def test_the_whole_window_is_needed():
    with pytest.raises(slots.Refused, match=r"normalise 'reversible' cannot do 'streams'.*whole window"):
        slots.build("normalise", {"kind": "reversible"}).initial_state(1)


def test_none_leaves_everything_as_it_is():
    layer = slots.build("normalise", {"kind": "none"})
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    y, statistics = layer(x)
    equal(y, x, "it", tolerance=0)
    assert statistics == ()
    equal(layer.undo(y, statistics), x, "undone", tolerance=0)
    ids = np.array([[1, 2, 3]])
    equal(layer(ids)[0], ids, "ids", tolerance=0)
