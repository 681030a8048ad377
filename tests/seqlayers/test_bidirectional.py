"""A recurrence from both ends: its equation, Keras's weights, and masks on either side."""

from __future__ import annotations

import functools

import keras
import numpy as np
import pytest
from keras import ops

from seqlayers import slots
from seqlayers.slots import ConfigurationError, Refused
from seqlayers.testing import Example, equal, to_array
from tests.seqlayers import reference_recurrent as equations
from tests.seqlayers.cases import CASES
from tests.seqlayers.gradients import check_gradients
from tests.seqlayers.test_recurrent import OF_KERAS, float64, holed_mask

NAMES = ["bidirectional", "bidirectional lstm", "bidirectional simple_rnn", "bidirectional norm"]
RECURRENT = [name for name, cls in slots.catalogue()["encoder"].items() if cls.recurrent]
MERGES = {"concatenate": "concat", "sum": "sum", "mean": "ave", "product": "mul"}


def equation(name, mask=None):
    configuration = CASES[name].configuration
    merge = configuration.get("merge", "concatenate")
    return functools.partial(equations.bidirectional, configuration["layer"], mask=mask, merge=merge)


@pytest.mark.parametrize("masked", [False, True], ids=["", "masked"])
@pytest.mark.parametrize("name", NAMES)
def test_it_is_its_equation(name, masked):
    layer, x, mask = CASES[name].layer(), CASES[name].input(), holed_mask() if masked else np.ones((3, 24), bool)
    found = to_array(layer(x, mask=ops.convert_to_tensor(mask) if masked else None))
    equal(found[mask], equation(name, mask)(float64(layer), x.astype(np.float64))[mask], name)


@pytest.mark.parametrize("name", NAMES)
def test_the_gradients_are_those_of_the_equation(name):
    layer, x = CASES[name].layer(), CASES[name].input()[:2, :5]
    check_gradients(layer, layer, lambda x, weights: equation(name)(weights, x), x)


@pytest.mark.parametrize("kind, merge", [("gru", m) for m in MERGES] + [("lstm", "concatenate"), ("simple_rnn", "sum")])
def test_weights_can_be_exchanged_with_the_keras_layer(kind, merge):
    example = Example("encoder", {"kind": "bidirectional", "layer": {"kind": kind, "units": 6}, "merge": merge})
    layer, x, mask = example.layer(), example.input(time=8), holed_mask(8)
    theirs = keras.layers.Bidirectional(OF_KERAS[kind](6, return_sequences=True), merge_mode=MERGES[merge])
    theirs.build(x.shape)
    for giver, taker in ((layer, theirs), (theirs, layer)):
        giver.set_weights([np.random.default_rng(4).normal(size=w.shape) for w in giver.get_weights()])
        taker.set_weights(giver.get_weights())
        equal(layer(x), theirs(x), f"{kind} {merge}")
        of_both = [to_array(each(x, mask=ops.convert_to_tensor(mask)))[mask] for each in (layer, theirs)]
        equal(*of_both, f"{kind} {merge}, masked")


@pytest.mark.parametrize("kind", RECURRENT)
def test_every_recurrent_kind_can_stand_in_it_and_padding_is_as_if_it_were_not_there(kind):
    example = Example("encoder", {"kind": "bidirectional", "layer": {"kind": kind, "units": 8}})
    layer, x, mask = example.layer(), example.input(time=10), holed_mask(10)
    found = to_array(layer(x, mask=ops.convert_to_tensor(mask)))
    for i in range(len(x)):
        alone = to_array(layer(x[i : i + 1, mask[i]]))[0]
        equal(found[i, mask[i]], alone, f"{kind}, sequence {i}")


def test_the_two_directions_have_weights_of_their_own_and_see_both_ends():
    layer = slots.build("encoder", {"kind": "bidirectional", "layer": {"kind": "gru", "units": 6}})
    x = np.random.default_rng(0).normal(size=(1, 5, 3)).astype("float32")
    forward, backward = np.split(to_array(layer(x)), 2, axis=-1)
    changed = x.copy()
    changed[:, -1] += 1
    after = np.split(to_array(layer(changed)), 2, axis=-1)
    equal(after[0][:, :-1], forward[:, :-1], "forward sees the past alone")
    assert np.abs(after[1][:, 0] - backward[:, 0]).max() > 1e-4, "backward sees the end"
    assert len(layer.weights) == 6
    assert np.abs(layer.weights[0] - layer.weights[3]).max() > 1e-3


@pytest.mark.parametrize("kind", ["convolution", "mixer", "bidirectional", "segment_gru"])
def test_what_is_not_recurrent_is_refused_with_what_is(kind):
    with pytest.raises(
        ConfigurationError, match=rf"model\.encoder\.0\.layer\.kind: encoder '{kind}' is not recurrent"
    ) as error:
        slots.build("encoder", {"kind": "bidirectional", "layer": {"kind": kind}}, "model.encoder.0")
    assert set(RECURRENT) == set(error.value.accepted.split(", ")) >= {"simple_rnn", "lstm", "gru"}


def test_wrong_settings_of_the_layer_inside_are_refused_at_their_place():
    with pytest.raises(ConfigurationError, match=r"encoder\.layer\.units: 0 given for encoder 'gru'"):
        slots.build("encoder", {"kind": "bidirectional", "layer": {"kind": "gru", "units": 0}})


def test_it_refuses_to_stream_by_name():
    layer = CASES["bidirectional"].layer()
    for call in (lambda: layer.initial_state(1), lambda: layer.stream(np.zeros((1, 2, 4), "float32"), ())):
        with pytest.raises(Refused, match="encoder 'bidirectional' cannot do 'streams': its backward half"):
            call()
