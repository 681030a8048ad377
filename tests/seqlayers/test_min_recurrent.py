"""The minimal recurrences, and the linear recurrence that they are solved by, are their equations at every length."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqlayers import slots
from seqlayers.recurrence import linear_recurrence
from seqlayers.testing import Example, equal
from tests.seqlayers.cases import CASES
from tests.seqlayers.gradients import check_gradients
from tests.seqlayers.reference import sigmoid

NAMES = [n for n, e in CASES.items() if e.configuration["kind"] in ("min_gru", "min_lstm")]
KINDS = ("min_gru", "min_lstm")

PROPOSALS = {
    "linear": lambda n: n,
    "tanh": np.tanh,
    "positive": lambda n: np.where(n >= 0, n + 0.5, sigmoid(n)),
}


def min_recurrent(example, x, weights):
    """Feng et al. 2024, step by step in float64."""
    kernel, bias = weights
    *gates, n = np.split(x @ kernel + bias, 2 if example.configuration["kind"] == "min_gru" else 3, axis=-1)
    n = PROPOSALS[example.configuration.get("proposal", "linear")](n)
    h, found = np.zeros(n[:, 0].shape), []
    for t in range(x.shape[1]):
        if len(gates) == 1:
            z = sigmoid(gates[0][:, t])
            h = (1 - z) * h + z * n[:, t]
        else:
            f, i = (sigmoid(gate[:, t]) for gate in gates)
            h = f / (f + i) * h + i / (f + i) * n[:, t]
        found.append(h)
    return np.stack(found, axis=1)


def in_double(layer):
    return [w.astype(np.float64) for w in layer.get_weights()]


@pytest.mark.parametrize("name", NAMES)
def test_a_minimal_recurrence_is_its_equation(name):
    layer, x = CASES[name].layer(), CASES[name].input()
    equal(layer(x), min_recurrent(CASES[name], x.astype(np.float64), in_double(layer)), name)


@pytest.mark.parametrize("name", NAMES)
def test_its_gradients_are_those_of_the_equation(name):
    example = CASES[name]
    layer, x = example.layer(), example.input(time=11)
    check_gradients(layer, layer, lambda x, weights: min_recurrent(example, x, weights), x)


@pytest.mark.parametrize("name", NAMES)
def test_a_thousand_steps_with_gates_near_nought_and_one_stay_equal(name):
    example = CASES[name]
    layer = example.layer()
    x = 8 * example.input(time=1000)
    expected = min_recurrent(example, x.astype(np.float64), in_double(layer))
    equal(layer(x), expected, name)
    equal(example.stepped(layer, x[:, :60]), expected[:, :60], f"steps of {name}")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_gates_that_are_quite_shut_divide_nothing_by_nought(kind, dtype):
    example = Example("encoder", {"kind": kind, "units": 3}, features=3)
    layer = example.layer(dtype)
    gates = 1 if kind == "min_gru" else 2
    kernel = np.concatenate([np.eye(3)] * gates + [np.zeros((3, 3))], axis=1)
    layer.set_weights([kernel, np.repeat([0.0, 1.0], [3 * gates, 3])])
    x = tf.constant([[[-300, 0, 300]] * 4], tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.cast(layer(x), tf.float32)
    assert np.isfinite(tape.gradient(y, x)).all()
    share = [0, 0.5, 1] if kind == "min_gru" else [0.5] * 3  # of the proposal, 1: both gates alike in the LSTM
    equal(y, 1 - (1 - np.array([share])) ** np.arange(1, 5)[:, None][None], kind, tolerance=1e-2)


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_does_not_round_a_long_memory_to_an_endless_one(dtype):
    """1 − 1/5000 is 1 in both."""
    layer = Example("encoder", {"kind": "min_gru", "units": 1}, features=1).layer(dtype)
    layer.set_weights([np.zeros((1, 2)), np.array([-np.log(4999), 1])])
    y = tf.cast(layer(np.zeros((1, 2000, 1), "float32")), tf.float32)
    equal(y[0, -1], [1 - (1 - 1 / 5000) ** 2000], dtype, tolerance=1e-2)


@pytest.mark.parametrize("name", [n for n, e in CASES.items() if e.configuration["kind"] in (*KINDS, "gated_linear")])
def test_masked_steps_leave_the_state_wherever_they_stand(name):
    layer, x = CASES[name].layer(), CASES[name].input()
    mask = np.random.default_rng(1).random(x.shape[:2]) < 0.6
    mask[0, :5] = False
    y = np.asarray(layer(x, mask=mask))
    for row, real in enumerate(mask):
        equal(y[row, real], layer(x[row : row + 1, real])[0], f"{name}, row {row}")


@pytest.mark.parametrize("kind", KINDS)
def test_memory_is_how_long_the_units_remember_before_training(kind):
    for memory, expected in ((None, [0.5] * 3), (11, [1 / 2, 5.5 / 6.5, 10 / 11])):
        layer = slots.build("encoder", {"kind": kind, "units": 3, "memory": memory})
        layer.build((None, None, 2))
        equal(layer.step(np.zeros((1, 2), "float32"), (np.ones((1, 3), "float32"),))[0], [expected], kind)
    with pytest.raises(slots.ConfigurationError, match=r"memory: 1 given.*int ≥ 2, or none"):
        slots.build("encoder", {"kind": kind, "memory": 1})


# ---- the recurrence by itself


def loop(a, b, h):
    found = []
    for t in range(b.shape[1]):
        h = a[:, t] * h + b[:, t]
        found.append(h)
    return np.stack(found, axis=1)


def parts(time, shared, seed=0):
    """a of both signs with noughts and ones in it, b and the state before, float32."""
    rng = np.random.default_rng(seed)
    a = rng.uniform(-1, 1, (2, time, 1 if shared else 3))
    a[rng.random(a.shape) < 0.1] = 0
    a[rng.random(a.shape) < 0.2] = 1
    return [v.astype("float32") for v in (a, rng.normal(size=(2, time, 3)), rng.normal(size=(2, 3)))]


def value_and_gradients(a, b, initial, cotangent):
    with tf.GradientTape() as tape:
        tape.watch([a, b, initial])
        h = linear_recurrence(a, b, initial)
        loss = tf.reduce_sum(h * cotangent)
    return h, tape.gradient(loss, [a, b, initial])


OPEN = [tf.TensorSpec((None, None, w)) for w in (None, 3)] + [tf.TensorSpec((None, 3)), tf.TensorSpec((None, None, 3))]


@pytest.mark.parametrize("shared", [False, True], ids=["own", "shared"])
def test_the_linear_recurrence_and_its_gradient_are_those_of_a_loop(shared):
    signature = [tf.TensorSpec((None, None, 1 if shared else 3)), *OPEN[1:]]
    of_open_length = tf.function(value_and_gradients, input_signature=signature)
    for time in (1, 2, 8, 9, 64, 65, 200, 1000):
        given = parts(time, shared)
        cotangent = np.random.default_rng(1).normal(size=given[1].shape).astype("float32")
        double = [v.astype(np.float64) for v in given]
        expected = loop(*double)
        for how, compute in (("known", value_and_gradients), ("unknown", of_open_length)):
            h, found = compute(*map(tf.constant, (*given, cotangent)))
            equal(h, expected, f"{time} steps, {how}")
            for i, gradient in enumerate(found):
                direction = np.random.default_rng(2).normal(size=gradient.shape)
                ends = [loop(*double[:i], double[i] + s * direction, *double[i + 1 :]) for s in (1e-6, -1e-6)]
                slope = np.sum((ends[0] - ends[1]) * cotangent) / 2e-6
                equal(np.sum(gradient * direction), slope, f"gradient {i}, {time} steps, {how}", tolerance=1e-4)


@pytest.mark.parametrize("open_length", [False, True])
def test_it_compiles_with_xla_at_known_and_at_unknown_length(open_length):
    given = [*parts(70, False), np.ones((2, 70, 3), "float32")]
    signature = [tf.TensorSpec((None, None, 3)), *OPEN[1:]] if open_length else None
    h, found = tf.function(value_and_gradients, input_signature=signature, jit_compile=True)(*map(tf.constant, given))
    plain, expected = value_and_gradients(*map(tf.constant, given))
    equal(h, plain, "h")
    for compiled, gradient in zip(found, expected, strict=True):
        equal(compiled, gradient, "a gradient")


def test_its_gradient_has_a_gradient():
    a, b, initial = map(tf.constant, parts(9, False))
    direction = tf.constant(np.random.default_rng(3).normal(size=a.shape), tf.float32)

    def slope(a):
        return value_and_gradients(a, b, initial, tf.ones_like(b))[1][0]

    with tf.GradientTape() as tape:
        tape.watch(a)
        found = tape.gradient(slope(a), a)
    ends = [np.sum(slope(a + sign * 1e-2 * direction), dtype=np.float64) for sign in (1, -1)]
    equal(np.sum(found * direction), (ends[0] - ends[1]) / 2e-2, "second gradient", tolerance=1e-2)


def test_chunks_of_a_stream_are_the_whole_however_they_are_cut():
    layer = CASES["min_lstm"].layer()
    x = CASES["min_lstm"].input(time=300)
    state, found = layer.initial_state(len(x)), []
    for chunk in np.split(x, [1, 9, 73, 200], axis=1):
        y, state = layer.stream(keras.ops.convert_to_tensor(chunk), state)
        found.append(y)
    equal(np.concatenate(found, axis=1), layer(x), "chunks")
