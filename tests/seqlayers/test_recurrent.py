"""The recurrences are the equations of their papers, and exchange weights with Keras's layers."""

from __future__ import annotations

import functools

import keras
import numpy as np
import pytest
from keras import ops

from seqlayers import slots
from seqlayers.testing import equal, to_array
from tests.seqlayers import reference_recurrent as equations
from tests.seqlayers.cases import CASES
from tests.seqlayers.cases.recurrent import CASES as OWN
from tests.seqlayers.gradients import check_gradients

NAMES = [n for n, e in OWN.items() if e.configuration["kind"] in equations.STEPS]
OF_KERAS = {"simple_rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}

every_recurrence = pytest.mark.parametrize("name", NAMES)


def holed_mask(time: int = 24) -> np.ndarray:
    """For three sequences: padding on the right, on the left, and holes."""
    mask = np.ones((3, time), bool)
    mask[0, time // 2 :] = False
    mask[1, : time // 4] = False
    mask[2, [0, 2, 3, time // 2, time - 1]] = False
    return mask


def float64(layer):
    return [w.astype(np.float64) for w in layer.get_weights()]


@every_recurrence
def test_a_recurrence_is_its_equation(name):
    layer, x = CASES[name].layer(), CASES[name].input()
    expected = equations.recurrence(CASES[name].configuration, float64(layer), x.astype(np.float64))
    equal(layer(x), expected, name)


@every_recurrence
def test_masked_steps_leave_the_state_as_it_is_wherever_they_stand(name):
    layer, x, mask = CASES[name].layer(), CASES[name].input(), holed_mask()
    expected = equations.recurrence(CASES[name].configuration, float64(layer), x.astype(np.float64), mask)
    equal(to_array(layer(x, mask=ops.convert_to_tensor(mask)))[mask], expected[mask], name)


@every_recurrence
def test_the_gradients_are_those_of_the_equation(name):
    layer, x = CASES[name].layer(), CASES[name].input()[:2, :6]
    equation = functools.partial(equations.recurrence, CASES[name].configuration)
    check_gradients(layer, layer, lambda x, weights: equation(weights, x), x)


def test_the_other_gru_is_this_one_with_its_update_gate_negated():
    layer, x = CASES["gru reset before"].layer(), CASES["gru reset before"].input()
    rng, units = np.random.default_rng(3), 6
    w, u, b = ({gate: rng.normal(size=size) for gate in "zrh"} for size in ((4, units), (units, units), (units,)))
    expected = equations.run(
        functools.partial(equations.other_gru_step, w, u, b), x.astype(np.float64), [np.zeros((len(x), units))]
    )
    signs = {"z": -1, "r": 1, "h": 1}
    layer.set_weights([np.concatenate([signs[g] * of[g] for g in "zrh"], axis=-1) for of in (w, u, b)])
    equal(layer(x), expected, "the negated gate")


@pytest.mark.parametrize("masked", [False, True], ids=["", "masked"])
@pytest.mark.parametrize("name", ["simple_rnn", "lstm", "gru", "gru reset before"])
def test_weights_can_be_exchanged_with_the_keras_layer(name, masked):
    layer, x = CASES[name].layer(), CASES[name].input(time=8)
    mask = holed_mask(8) if masked else None
    settings = {"reset_after": False} if name == "gru reset before" else {}
    theirs = OF_KERAS[layer.kind](6, return_sequences=True, **settings)
    theirs.build(x.shape)
    real = np.ones(x.shape[:2], bool) if mask is None else mask
    for giver, taker in ((layer, theirs), (theirs, layer)):
        giver.set_weights([np.random.default_rng(4).normal(size=w.shape) for w in giver.get_weights()])
        taker.set_weights(giver.get_weights())
        given = None if mask is None else ops.convert_to_tensor(mask)
        equal(to_array(layer(x, mask=given))[real], to_array(theirs(x, mask=given))[real], name)


def one_step_of_gru(x, w, u, b):
    two = 2 * len(u)
    z, r = np.split(equations.sigmoid(x @ w[:, :two] + b[0, :two] + b[1, :two]), 2, axis=-1)
    return (1 - z) * np.tanh(x @ w[:, two:] + b[0, two:] + r * b[1, two:])


def one_step_of_gru_reset_before(x, w, u, b):
    z, _, n = np.split(x @ w + b, 3, axis=-1)
    return (1 - equations.sigmoid(z)) * np.tanh(n)


def one_step_of_lstm(x, w, u, b):
    i, _, g, o = np.split(x @ w + b, 4, axis=-1)
    return equations.sigmoid(o) * np.tanh(equations.sigmoid(i) * np.tanh(g))


def one_step_of_min_gru(x, w, b):
    z, n = np.split(x @ w + b, 2, axis=-1)
    return equations.sigmoid(z) * n


def one_step_of_min_lstm(x, w, b):
    f, i, n = np.split(x @ w + b, 3, axis=-1)
    f, i = equations.sigmoid(f), equations.sigmoid(i)
    return i / (f + i) * n


def one_step_of_gated_linear(x, w, decay, decay_bias, gate, gate_bias, output, output_bias):
    q, k, v = np.split(x @ w, [3, 6], axis=-1)  # one head, of half as many keys as units
    o = np.sum(q * k, axis=-1, keepdims=True) * v
    normed, r = o / np.sqrt(np.mean(o**2, axis=-1, keepdims=True) + 1e-5), x @ gate + gate_bias
    return (normed * r * equations.sigmoid(r)) @ output + output_bias


FEED_FORWARD = {
    "simple_rnn": lambda x, w, u, b: np.tanh(x @ w + b),
    "simple_rnn relu": lambda x, w, u, b: equations.relu(x @ w + b),
    "simple_rnn output": lambda x, w, u, b, v, c: equations.softmax(np.tanh(x @ w + b) @ v + c),
    "lstm": one_step_of_lstm,
    "gru": one_step_of_gru,
    "gru reset before": one_step_of_gru_reset_before,
    "min_gru": one_step_of_min_gru,
    "min_lstm": one_step_of_min_lstm,
    "gated_linear": one_step_of_gated_linear,
}


def test_every_recurrent_kind_has_its_feed_forward_map():
    recurrent_kinds = {kind for kind, cls in slots.catalogue()["encoder"].items() if cls.recurrent}
    assert {CASES[name].configuration["kind"] for name in FEED_FORWARD} == recurrent_kinds


@pytest.mark.parametrize("name", FEED_FORWARD)
def test_one_step_from_the_zero_state_is_a_feed_forward_map(name):
    """One to one: with h = 0, what is left of the equations is g(W x + b), without the recurrent weights U."""
    layer, x = CASES[name].layer(), CASES[name].input()[:, 0]
    expected = FEED_FORWARD[name](x.astype(np.float64), *float64(layer))
    equal(layer(x[:, None])[:, 0], expected, f"{name}, a sequence of one step")
    equal(layer.step(ops.convert_to_tensor(x), layer.initial_state(len(x)))[0], expected, f"{name}, a step")
    for weight in layer.weights:
        if weight.path.endswith("recurrent_kernel"):
            weight.assign(np.full(weight.shape, 7.0))
    equal(layer(x[:, None])[:, 0], expected, f"{name}, whatever U is")


def test_an_output_activation_without_outputs_is_refused():
    with pytest.raises(slots.ConfigurationError, match=r"encoder\.output_activation.*no `output_units`"):
        slots.build("encoder", {"kind": "simple_rnn", "output_activation": "softmax"})


def test_segment_gru_is_a_gru_over_projected_segments():
    layer, x = CASES["segment_gru"].layer(), CASES["segment_gru"].input().astype(np.float64)
    weight, bias, *of_gru = float64(layer)
    segments = np.stack([x[:, i : i + 4].reshape(len(x), -1) for i in range(0, 24, 4)], axis=1)
    expected = equations.recurrence({"kind": "gru", "units": 6}, of_gru, equations.relu(segments @ weight + bias))
    equal(layer(x.astype("float32")), expected, "segment_gru")


def test_a_segment_with_any_padding_is_padding():
    layer, mask = CASES["segment_gru"].layer(), np.ones((2, 8), bool)
    mask[0, 3] = mask[1, 4] = False
    found = to_array(layer.compute_mask(None, ops.convert_to_tensor(mask)))
    assert found.tolist() == [[False, True], [True, False]]


def test_segment_gru_says_which_lengths_it_takes():
    layer = slots.build("encoder", {"kind": "segment_gru", "units": 4, "segment": 5})
    with pytest.raises(ValueError, match=r"multiple of 5 steps, but was given 24.*look-back of 20 steps"):
        layer(np.zeros((1, 24, 2), "float32"))


@pytest.mark.parametrize("kind", ["simple_rnn", "lstm", "gru"])
def test_the_state_has_one_row_for_each_sequence(kind):
    state = CASES[kind].layer().initial_state(5)
    assert [tuple(s.shape) for s in state] == [(5, 6)] * (2 if kind == "lstm" else 1)
