"""Poolings are their equations over the steps that are real, and as much in a stream."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from seqlayers import slots
from seqlayers.testing import Example, equal
from tests.seqlayers.gradients import check_gradients, gradients

MASK = np.random.default_rng(1).random((3, 10)) < 0.7

every_pooling = pytest.mark.parametrize("kind", slots.catalogue()["pooling"])


def example(kind, **sizes):
    return Example("pooling", {"kind": kind, "units": 6} if kind == "attention" else {"kind": kind}, time=10, **sizes)


def attention(x, weights, mask=None):
    """One row at a time, over its real steps alone."""
    kernel, bias, v = weights
    y = np.zeros((len(x), x.shape[2]))
    for row, steps in enumerate(x):
        if mask is not None:
            steps = steps[mask[row]]
        if len(steps):
            scores = np.tanh(steps @ kernel + bias) @ v[:, 0]
            a = np.exp(scores - scores.max())
            y[row] = (a / a.sum()) @ steps
    return y


def maximum(x, weights, mask=None):
    return np.stack([steps[mask[row]].max(0) if mask is not None else steps.max(0) for row, steps in enumerate(x)])


EQUATIONS = {"attention": attention, "max": maximum}


@pytest.mark.parametrize("kind", EQUATIONS)
@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "padded"])
def test_it_and_its_gradients_are_the_equation(kind, mask):
    layer, x = example(kind).layer(), example(kind).input()
    weights = [w.astype("float64") for w in layer.get_weights()]
    equal(layer(x, mask=mask), EQUATIONS[kind](x.astype("float64"), weights, mask), "it", tolerance=1e-6)
    check_gradients(layer, lambda v: layer(v, mask=mask), lambda v, w: EQUATIONS[kind](v, w, mask), x)


@every_pooling
def test_where_everything_is_padding_it_is_zero_and_so_are_the_gradients(kind):
    layer, x = example(kind).layer(), example(kind).input()
    mask = np.array([[False] * 10, [True] * 10, [True] * 4 + [False] * 6])
    y = np.asarray(layer(x, mask=mask))
    assert (y[0] == 0).all() and (y[1:] != 0).all()
    dx, dws = gradients(lambda v: layer(v, mask=mask), x, layer.trainable_weights, np.ones((3, 4), "float32"))
    assert (dx[~mask] == 0).all() and all(np.isfinite(d).all() for d in [dx, *dws])


@every_pooling
def test_nothing_in_the_padding_matters(kind):
    layer, x = example(kind).layer(), example(kind).input()
    mask = np.arange(10) < np.array([[10], [4], [7]])
    spoilt = np.where(mask[..., None], x, np.nan).astype("float32")
    equal(layer(spoilt, mask=mask), layer(x, mask=mask), "it", tolerance=0)
    if kind == "attention":
        _, dws = gradients(lambda v: layer(v, mask=mask), spoilt, layer.trainable_weights, np.ones((3, 4), "float32"))
        assert all(np.isfinite(d).all() for d in dws)


def test_attention_follows_a_score_far_above_the_others_and_far_below_zero():
    layer, x = example("attention").layer(), example("attention").input()
    for factor in (-3e3, 3e3):
        layer.set_weights([*layer.get_weights()[:2], np.full((6, 1), factor, "float32")])
        weights = [w.astype("float64") for w in layer.get_weights()]
        stream, _ = layer.stream(ops.convert_to_tensor(x), layer.initial_state(3))
        steps = example("attention").stepped(layer, x)
        for t in range(10):
            expected = attention(x[:, : t + 1].astype("float64"), weights)
            for found in (layer(x[:, : t + 1]), stream[:, t], steps[:, t]):
                equal(found, expected, f"to step {t}", tolerance=2e-3)  # of scores of some thousand in float32


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@every_pooling
def test_large_values_over_long_times_stay_finite_in_half_precision(kind, policy):
    layer = example(kind).layer(policy)
    x = ops.cast(np.full((2, 3000, 4), 3e4, "float32"), layer.compute_dtype)
    stream, _ = layer.stream(x, layer.initial_state(2))
    for y in (layer(x), layer(x, mask=ops.ones((2, 3000), "bool")), stream[:, -1], stream[:, 1000]):
        equal(ops.cast(y, "float32"), np.full((2, 4), 3e4), "it", tolerance=1e-2)


@pytest.mark.slow
@every_pooling
def test_a_stream_may_be_of_any_length_and_carry_gradients(kind):
    tf = pytest.importorskip("tensorflow")
    layer, x = example(kind).layer(), example(kind).input()
    shape = tf.TensorSpec((None, None, 4), tf.float32)

    @tf.function(input_signature=[shape])
    def streamed(x):
        _, state = layer.stream(x[:, :1], layer.initial_state(ops.shape(x)[0]))
        return layer.stream(x[:, 1:], state)[0][:, -1]

    for time in (2, 3, 10):
        equal(streamed(x[:, :time]), layer(x[:, :time]), f"{time} steps")
    ones = np.ones((3, 4), "float32")
    of_stream, of_whole = (gradients(call, x, layer.trainable_weights, ones) for call in (streamed, layer))
    for found, expected in zip([of_stream[0], *of_stream[1]], [of_whole[0], *of_whole[1]], strict=True):
        equal(found, expected, "the gradient")


@every_pooling
def test_a_state_begins_with_zeros_row_by_row(kind):
    layer, x = example(kind).layer(), example(kind).input() - 3  # so that a zero would be the largest
    _, state = layer.stream(ops.convert_to_tensor(x[:, :4]), layer.initial_state(3))
    fresh = tuple(ops.concatenate([s[:1] * 0, s[1:]], axis=0) for s in state)
    y, _ = layer.stream(ops.convert_to_tensor(x[:, 4:]), fresh)
    equal(y[0, -1], layer(x[:1, 4:])[0], "the row that begins anew")
    equal(y[1:, -1], layer(x[1:]), "the rows that go on")
