"""Draws are an inverse cumulative distribution: exact at its borders, and the same on every backend."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from seqlayers.head.logits import draw
from seqlayers.testing import equal
from tests.seqlayers import draws, litert
from tests.seqlayers.cases import CASES
from tests.seqlayers.reference_labels import softmax

BEFORE_ONE = np.nextafter(np.float32(1), np.float32(0))


def before(u):
    return np.nextafter(np.float32(u), np.float32(0))


def test_a_border_belongs_to_what_is_above_it():
    logits = np.zeros((7, 4), "float32")
    uniforms = np.array([0, before(0.25), 0.25, before(0.5), 0.5, 0.75, BEFORE_ONE], "float32")
    assert np.asarray(draw(logits, uniforms)).tolist() == [0, 0, 1, 1, 2, 3, 3]


@pytest.mark.parametrize("ruled_out", [-np.inf, -1e9, -200.0])
def test_what_has_probability_zero_never_comes(ruled_out):
    logits = np.full((5, 6), ruled_out, "float32")
    logits[:, [2, 4]] = 0.3
    uniforms = np.array([0, before(0.5), 0.5, 0.7, BEFORE_ONE], "float32")
    assert np.asarray(draw(logits, uniforms)).tolist() == [2, 2, 4, 4, 4]


def test_of_very_many_ids_the_last_possible_one_is_the_end():
    """Where sums of floats would end below one, and below the largest uniform number."""
    logits = np.random.default_rng(13).normal(size=(50, 5000)).astype("float32")
    logits[:, 4000:] = -np.inf
    found = np.asarray(draw(logits, np.full(50, BEFORE_ONE, "float32")))
    assert (found < 4000).all() and (found > 3900).all()


def test_ids_are_drawn_as_often_as_they_are_likely():
    logits = np.random.default_rng(14).normal(scale=2, size=9).astype("float32")
    count = 200_000
    found = np.asarray(draw(np.tile(logits, (count, 1)), np.random.default_rng(15).random(count, "float32")))
    p = softmax(logits.astype("float64"))
    assert (np.abs(np.bincount(found, minlength=9) - count * p) < 4.5 * np.sqrt(count * p)).all()


def test_a_draw_is_the_first_id_whose_cumulative_probability_lies_above():
    layer, x = CASES["tokens"].layer(), CASES["tokens"].input()
    uniforms = draws.uniforms("tokens")
    ends = softmax(np.asarray(layer(x), np.float64)).cumsum(-1)
    drawn = layer.sample(layer(x), uniforms)
    assert drawn.dtype == "int32"
    assert (np.asarray(drawn) == (ends <= uniforms[..., None]).sum(-1)).all()


@pytest.mark.parametrize("name", draws.NAMES)
def test_uniform_numbers_must_fit_and_lie_between_zero_and_one(name):
    layer, output = CASES[name].layer(), CASES[name].layer()(CASES[name].input())
    good = draws.uniforms(name)
    with pytest.raises(ValueError, match=rf"'{layer.kind}' takes uniform numbers of shape"):
        layer.sample(output, good[:, :-1])
    for wrong in (1.0, -0.1):
        with pytest.raises(ValueError, match=rf"'{layer.kind}' takes uniform numbers in \[0, 1\), but was given"):
            layer.sample(output, np.full_like(good, wrong))


@pytest.mark.parametrize("name", draws.NAMES)
def test_compiled_draws_are_the_same(name):
    layer, uniforms = CASES[name].layer(), draws.uniforms(name)
    output = np.asarray(layer(CASES[name].input()))
    expected = np.asarray(layer.sample(output, uniforms))
    for jit in (False, True):
        shapes = [tf.TensorSpec(output.shape), tf.TensorSpec(uniforms.shape)]
        if not jit:  # any batch, any length
            shapes = [tf.TensorSpec([None, None, *s.shape[2:]]) for s in shapes]
        compiled = tf.function(layer.sample, shapes, jit_compile=jit)
        assert (np.asarray(compiled(output, uniforms)) == expected).all(), f"jit_compile={jit}"


@pytest.mark.parametrize("name", draws.NAMES)
def test_draws_in_litert_are_the_same(name):
    layer, uniforms = CASES[name].layer(), draws.uniforms(name)
    output = np.asarray(layer(CASES[name].input()))
    expected = np.asarray(layer.sample(output, uniforms))
    inputs = output[:1], uniforms[:1]
    (found,) = litert.run(litert.convert(layer.sample, layer, *inputs), *inputs)
    assert (found == expected[:1]).all()


def test_borders_in_litert_are_where_they_are():
    inputs = np.zeros((4, 4), "float32"), np.array([0, before(0.25), 0.25, BEFORE_ONE], "float32")
    (found,) = litert.run(litert.convert(draw, CASES["tokens"].layer(), *inputs), *inputs)
    assert found.tolist() == [0, 0, 1, 3]


@pytest.mark.slow
def test_draws_and_training_steps_on_jax_are_the_same(tmp_path):
    here, there = draws.of_this_backend(), draws.on_backend("jax", tmp_path)
    assert len(here) == len(there)
    for (name, value), other in zip(here.items(), there.values(), strict=True):
        if name.endswith("draws"):
            assert (value == other).all(), name
        else:
            equal(other, value, name)
