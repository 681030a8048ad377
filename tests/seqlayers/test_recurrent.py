"""The recurrences are the equations of their papers, and exchange weights with Keras's layers."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from seqlayers import slots
from seqlayers.testing import equal
from tests.seqlayers import reference
from tests.seqlayers.cases import CASES


def layer_and_weights(name):
    layer = CASES[name].layer()
    return layer, [w.astype(np.float64) for w in layer.get_weights()]


@pytest.mark.parametrize("name", ["simple_rnn", "lstm"])
def test_a_recurrence_is_its_equation(name):
    layer, (kernel, recurrent, bias) = layer_and_weights(name)
    x = CASES[name].input()
    equal(layer(x), getattr(reference, name)(x.astype(np.float64), kernel, recurrent, bias), name)


@pytest.mark.parametrize("name", ["gru", "gru reset before"])
def test_the_gru_is_its_equation_with_the_reset_gate_on_either_side(name):
    layer, (kernel, recurrent, bias) = layer_and_weights(name)
    x = CASES[name].input()
    expected = reference.gru(x.astype(np.float64), kernel, recurrent, bias, reset_after=layer.reset_after)
    equal(layer(x), expected, name)


@pytest.mark.parametrize("kind", ["simple_rnn", "lstm", "gru"])
def test_weights_can_be_exchanged_with_the_keras_layer(kind):
    layer, x = CASES[kind].layer(), CASES[kind].input()
    of_keras = {"simple_rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[kind]
    theirs = of_keras(6, return_sequences=True)
    theirs.build(x.shape)
    theirs.set_weights(layer.get_weights())
    equal(layer(x), theirs(x), kind)


def test_segment_gru_is_a_gru_over_projected_segments():
    layer, x = CASES["segment_gru"].layer(), CASES["segment_gru"].input().astype(np.float64)
    weight, bias, *of_gru = (w.astype(np.float64) for w in layer.get_weights())
    segments = np.stack([x[:, i : i + 4].reshape(len(x), -1) for i in range(0, 24, 4)], axis=1)
    equal(layer(x.astype("float32")), reference.gru(reference.relu(segments @ weight + bias), *of_gru), "segment_gru")


def test_segment_gru_says_which_lengths_it_takes():
    layer = slots.build("encoder", {"kind": "segment_gru", "units": 4, "segment": 5})
    with pytest.raises(ValueError, match=r"multiple of 5 steps, but was given 24.*look-back of 20 steps"):
        layer(np.zeros((1, 24, 2), "float32"))


@pytest.mark.parametrize("kind", ["simple_rnn", "lstm", "gru"])
def test_the_state_has_one_row_for_each_sequence(kind):
    state = CASES[kind].layer().initial_state(5)
    assert [tuple(s.shape) for s in state] == [(5, 6)] * (2 if kind == "lstm" else 1)
