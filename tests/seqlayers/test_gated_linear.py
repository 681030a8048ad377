"""Gated linear attention in chunks is its equation step by step."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqlayers import slots
from seqlayers.linear_attention import linear_attention
from seqlayers.testing import Example, equal
from tests.seqlayers.cases import CASES
from tests.seqlayers.gradients import check_gradients
from tests.seqlayers.reference import sigmoid

NAMES = [n for n, e in CASES.items() if e.configuration["kind"] == "gated_linear"]


def gated_linear(layer, x, weights):
    """Yang et al. 2024 with a decay for each head, step by step in float64."""
    kernel, decay, decay_bias, gate, gate_bias, output, output_bias = weights
    heads, keys = layer.heads, (layer.key_units or layer.units // 2) // layer.heads
    q, k, v = np.split((x @ kernel).reshape(*x.shape[:2], heads, -1), [keys, 2 * keys], axis=-1)
    o, _ = step_by_step(q, k, v, sigmoid(x @ decay + decay_bias))
    normed = o / np.sqrt(np.mean(o**2, axis=-1, keepdims=True) + 1e-5)
    r = x @ gate + gate_bias
    return (normed.reshape(r.shape) * r * sigmoid(r)) @ output + output_bias


def step_by_step(q, k, v, a):
    """o and the last S of S_t = a_t S_{t−1} + k_tᵀ v_t, o_t = q_t S_t; all (batch, time, heads, …)."""
    state, found = np.zeros((len(q), q.shape[2], q.shape[3], v.shape[3])), []
    for t in range(q.shape[1]):
        state = a[:, t, :, None, None] * state + k[:, t, :, :, None] * v[:, t, :, None, :]
        found.append(np.einsum("bhk,bhkv->bhv", q[:, t], state))
    return np.stack(found, axis=1), state


def in_double(layer):
    return [w.astype(np.float64) for w in layer.get_weights()]


@pytest.mark.parametrize("name", NAMES)
def test_gated_linear_is_its_equation(name):
    layer, x = CASES[name].layer(), CASES[name].input()
    equal(layer(x), gated_linear(layer, x.astype(np.float64), in_double(layer)), name)


@pytest.mark.parametrize("name", NAMES)
def test_its_gradients_are_those_of_the_equation(name):
    layer, x = CASES[name].layer(), CASES[name].input(time=11)
    check_gradients(layer, layer, lambda x, weights: gated_linear(layer, x, weights), x)


@pytest.mark.parametrize("name", NAMES)
def test_a_thousand_steps_with_decays_near_nought_and_one_stay_equal(name):
    layer, x = CASES[name].layer(), CASES[name].input(time=1000)
    layer.decay.kernel.assign(20 * layer.decay.kernel)
    expected = gated_linear(layer, x.astype(np.float64), in_double(layer))
    equal(layer(x), expected, name, tolerance=2e-5)
    equal(CASES[name].stepped(layer, x[:, :60]), expected[:, :60], f"steps of {name}")


def test_the_length_of_a_chunk_changes_nothing():
    settings = {"kind": "gated_linear", "units": 6, "heads": 1}
    expected = None
    for chunk in (1, 5, 24, 64):
        example = Example("encoder", {**settings, "chunk": chunk})
        found = example.layer()(example.input())
        expected = found if expected is None else expected
        equal(found, expected, f"chunks of {chunk}")


@pytest.mark.parametrize("forgets", [1e-3, 5.0, 400.0])
def test_what_was_forgotten_before_does_not_blur_the_decays_after(forgets):
    """Decays are differences of sums of logarithms, which lose digits where the sums are large."""
    rng = np.random.default_rng(0)
    qkv = rng.normal(size=(2, 130, 3, 12)).astype("float32")
    log_a = -rng.uniform(0, 0.01, (2, 130, 3)).astype("float32")
    log_a[:, ::3] -= forgets
    o, after = linear_attention(tf.constant(qkv), tf.constant(log_a), tf.zeros((2, 3, 4, 4)), 64)
    expected, last = step_by_step(*np.split(qkv.astype(np.float64), 3, axis=-1), np.exp(log_a.astype(np.float64)))
    equal(np.swapaxes(o, 1, 2), expected, "recalled")
    equal(after, last, "state")


def test_gradients_stay_finite_where_all_is_forgotten():
    log_a = tf.constant(np.where(np.arange(12) % 4 == 0, -1e4, 0.0)[None, :, None] * np.ones((1, 12, 2)), tf.float32)
    qkv = tf.ones((1, 12, 2, 9))
    with tf.GradientTape() as tape:
        tape.watch([log_a, qkv])
        o, after = linear_attention(qkv, log_a, tf.ones((1, 2, 3, 3)), 8)
        loss = tf.reduce_sum(o) + tf.reduce_sum(after)
    for gradient in tape.gradient(loss, [log_a, qkv]):
        assert np.isfinite(gradient).all()


def test_the_gradient_of_the_states_that_go_in_and_out_is_that_of_the_whole():
    """A sequence cut in two, the state handed on, has the gradient that it has in one piece."""
    layer, x = CASES["gated_linear chunks"].layer(), tf.constant(CASES["gated_linear chunks"].input())
    start = (tf.random.normal((3, 3, 2, 2), seed=0),)

    def gradient(*parts):
        with tf.GradientTape() as tape:
            tape.watch([start[0], x])
            state, loss = start, 0.0
            for part in parts:
                y, state = layer.stream(x[:, part], state)
                loss += tf.reduce_sum(y * y)
            loss += tf.reduce_sum(state[0] ** 3)
        return tape.gradient(loss, [start[0], x, *(w.value for w in layer.trainable_weights)])

    for cut, whole in zip(gradient(slice(0, 9), slice(9, 24)), gradient(slice(0, 24)), strict=True):
        equal(cut, whole, "gradient", tolerance=1e-4)


def test_it_knows_the_order_of_what_it_read():
    layer, x = CASES["gated_linear"].layer(), CASES["gated_linear"].input()
    swapped = x[:, [1, 0, *range(2, x.shape[1])]]
    assert np.abs(np.asarray(layer(x) - layer(swapped))[:, 2:]).max() > 1e-2


def test_a_state_is_a_matrix_for_each_head_and_is_kept_in_full_precision():
    layer = CASES["gated_linear chunks"].layer("mixed_bfloat16")
    (state,) = layer.initial_state(5)
    assert tuple(state.shape) == (5, 3, 2, 2) and keras.backend.standardize_dtype(state.dtype) == "float32"


@pytest.mark.parametrize("settings, wrong", [({"units": 10}, "units"), ({"units": 8, "key_units": 6}, "key_units")])
def test_heads_that_do_not_divide_are_refused(settings, wrong):
    with pytest.raises(slots.ConfigurationError, match=rf"{wrong}: 4 heads do not divide {wrong}.*a multiple of 4"):
        slots.build("encoder", {"kind": "gated_linear", "heads": 4, **settings})


def test_memory_is_how_long_the_heads_remember_before_training():
    layer = slots.build("encoder", {"kind": "gated_linear", "units": 6, "heads": 3, "key_units": 3, "memory": 11})
    layer.build((None, None, 2))
    _, (state,) = layer.step(np.zeros((1, 2), "float32"), (np.ones((1, 3, 1, 2), "float32"),))
    equal(np.asarray(state)[0, :, 0, 0], [1 / 2, 5.5 / 6.5, 10 / 11], "shares that stay")
