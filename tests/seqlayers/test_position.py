"""Positions are where they say, from any start."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from seqlayers import slots
from seqlayers.testing import equal
from tests.seqlayers import reference_attention as reference


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


def vectors(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def scores(layer, q, k, start):
    """q k of one head's size, through a position kind: what attention makes of them before the softmax."""
    q = ops.convert_to_tensor(q / np.float32(np.sqrt(q.shape[3])))
    bias = layer.bias(q, k.shape[2], start)
    turned, keys = layer.rotate(q, ops.convert_to_tensor(k), start)
    found = ops.matmul(turned, ops.swapaxes(keys, 2, 3))
    return np.asarray(found if bias is None else found + bias)


def expected(score, q, k, start, w=None):
    found = np.zeros((*q.shape[:3], k.shape[2]))
    for b, h, s, t in np.ndindex(found.shape):
        found[b, h, s, t] = score(q[b, h, s].astype(float), k[b, h, t].astype(float), h, start + s, t, w)
    return found


@pytest.mark.parametrize("queries, start", [(6, 0), (1, 0), (1, 9), (4, 5)])
@pytest.mark.parametrize("kind", ["rotary", "relative", "alibi"])
@pytest.mark.parametrize("length", [1, 3, 12])
def test_positions_in_attention_are_their_equations(kind, queries, start, length):
    layer = slots.build("position", {"kind": kind} | ({"length": length} if kind == "relative" else {}))
    layer.for_heads(2, 4, False)
    w = {v.name: np.asarray(v, np.float64) for v in layer.weights}
    score = {"rotary": reference.rotary(), "relative": reference.relative, "alibi": reference.alibi(2)}[kind]
    q, k = vectors(3, 2, queries, 4), vectors(3, 2, start + queries, 4, seed=1)
    equal(scores(layer, q, k, start), expected(score, q, k, start, w), kind)


@pytest.mark.parametrize("queries, start", [(6, 0), (1, 9), (4, 5)])
@pytest.mark.parametrize("length", [1, 3, 12])
def test_relative_vectors_of_causal_attention_are_for_the_past_alone(queries, start, length):
    layer = slots.build("position", {"kind": "relative", "length": length})
    layer.for_heads(2, 4, True)
    assert [tuple(v.shape) for v in layer.weights] == [(2, length, 4)]
    w = {"back": np.asarray(layer.back, np.float64), "ahead": np.zeros((2, 1, 4))}
    q, k = vectors(3, 2, queries, 4), vectors(3, 2, start + queries, 4, seed=1)
    past = np.arange(start + queries) <= start + np.arange(queries)[:, None]
    found, wanted = scores(layer, q, k, start), expected(reference.relative, q, k, start, w)
    equal(np.where(past, found, 0), np.where(past, wanted, 0), "the scores")


@pytest.mark.parametrize("kind", ["rotary", "relative", "alibi"])
def test_only_the_distance_matters(kind):
    layer = slots.build("position", {"kind": kind})
    layer.for_heads(2, 4, False)
    q, k = vectors(1, 2, 3, 4), vectors(1, 2, 5, 4, seed=1)
    more = np.concatenate([vectors(1, 2, 40, 4, seed=2), k], axis=2)
    equal(scores(layer, q, more, 42)[..., 40:], scores(layer, q, k, 2), "the scores further on")


def test_rotary_has_its_digits_at_positions_far_on():
    layer, start = slots.build("position", {"kind": "rotary"}), 60000
    q, k = vectors(1, 1, 2, 8), vectors(1, 1, start + 2, 8, seed=1)
    near = scores(layer, q, k[:, :, start:], 0)
    equal(scores(layer, q, k, start)[..., start:], near, "the scores of neighbours")
    far = [[reference.rotary()(q[0, 0, 0].astype(float), k[0, 0, 0].astype(float), 0, start, 0, None)]]
    equal(scores(layer, q, k, start)[0, 0, :1, :1], far, "the score of the farthest")


def test_a_head_of_odd_size_cannot_be_turned():
    layer = slots.build("position", {"kind": "rotary"})
    with pytest.raises(slots.ConfigurationError, match=r"'rotary' turns.*4 heads share 12 units.*: 1, 2, 3, 6 heads"):
        layer.for_heads(4, 3, True)
    with pytest.raises(slots.ConfigurationError, match="Accepted: an even number of units"):
        layer.for_heads(3, 3, True)


@pytest.mark.parametrize("other", [{"heads": 4}, {"units": 16}])
def test_attentions_that_share_relative_vectors_have_heads_alike(other):
    layer = slots.build("position", {"kind": "relative"})
    encoder = {"kind": "transformer", "units": 8, "heads": 2}
    slots.build("encoder", encoder).use_position(layer)
    slots.build("encoder", encoder | {"causal": False}).use_position(layer)  # the same heads, another direction
    assert len(layer.weights) == 2
    with pytest.raises(slots.ConfigurationError, match=r"vectors for 2 heads of 4 .* another attention .* same"):
        slots.build("encoder", encoder | other).use_position(layer)


@pytest.mark.parametrize("heads", [1, 2, 6, 8])
def test_slopes_of_alibi_are_the_geometric_sequence_for_any_number_of_heads(heads):
    bias = np.asarray(slots.build("position", {"kind": "alibi"}).bias(np.zeros((1, heads, 1, 4)), 2, 1))
    slopes = -bias[:, 0, 0]
    assert bias.shape == (heads, 1, 2) and not bias[:, 0, 1].any()
    equal(slopes, [2 ** (-8 * h / heads) for h in range(1, heads + 1)], "they")


@pytest.mark.parametrize("kind", ["rotary", "relative", "alibi"])
def test_positions_in_attention_leave_the_features_as_they_are(kind):
    layer, x = slots.build("position", {"kind": kind}), vectors(2, 5, 3)
    assert layer.in_attention
    equal(layer(x), x, "the features", tolerance=0)
