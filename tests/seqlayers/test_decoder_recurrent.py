"""The recurrent decoder: its equation, its memory, and what it refuses."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from keras import ops

from seqlayers import slots
from seqlayers.testing import equal, to_array
from tests.seqlayers import reference_recurrent as equations
from tests.seqlayers.cases import CASES
from tests.seqlayers.gradients import check_gradients
from tests.seqlayers.test_recurrent import float64

NAMES = ["recurrent decoder", "recurrent decoder lstm", "recurrent decoder simple_rnn"]


def equation(name, **given):
    configuration = CASES[name].configuration
    return functools.partial(equations.decoder, configuration["layer"], configuration.get("heads", 1), **given)


def parts(name):
    return CASES[name].layer(), CASES[name].input(), CASES[name].beside(3)["memory"]


@pytest.mark.parametrize("masked", [False, True], ids=["", "masked"])
@pytest.mark.parametrize("name", NAMES)
def test_it_is_its_equation(name, masked):
    layer, x, memory = parts(name)
    mask = np.arange(7) < np.array([[7], [4], [1]]) if masked else None
    expected = equation(name, memory_mask=mask)(float64(layer), x.astype(np.float64), memory.astype(np.float64))
    found = layer(x, memory=memory, memory_mask=mask if mask is None else ops.convert_to_tensor(mask))
    equal(found, expected, name)


@pytest.mark.parametrize("name", NAMES)
def test_the_gradients_are_those_of_the_equation(name):
    layer, x, memory = parts(name)
    x, memory = x[:2, :4], memory[:2]
    check_gradients(
        layer, lambda x: layer(x, memory=memory), lambda x, w: equation(name)(w, x, memory.astype(np.float64)), x
    )
    check_gradients(
        layer,
        lambda m: layer(x, memory=m),
        lambda m, _: equation(name)(float64(layer), x.astype(np.float64), m),
        memory,
        weights=[],
    )


def test_padding_in_the_memory_is_as_if_it_were_not_there():
    layer, x, memory = parts("recurrent decoder")
    longer = np.concatenate([memory, np.full((3, 5, 4), 1e3, "float32")], axis=1)
    mask = ops.convert_to_tensor(np.arange(12) < np.full((3, 1), 7))
    expected = to_array(layer(x, memory=memory))
    equal(layer(x, memory=longer, memory_mask=mask), expected, "whole")
    y, _ = layer.stream(ops.convert_to_tensor(x), layer.initial_state(3, longer, mask))
    equal(y, expected, "streamed")


def test_a_stream_projects_its_memory_once():
    layer, x, memory = parts("recurrent decoder lstm")
    (own, keys, values, mask), calls = layer.initial_state(3, memory), []
    layer.cross.projection.call = lambda *given: calls.append(given)
    _, after = layer.step(ops.convert_to_tensor(x[:, 0]), (own, keys, values, mask))
    assert not calls
    assert after[1] is keys and after[2] is values and after[3] is mask
    assert tuple(keys.shape) == (3, 2, 7, 4) and len(own) == 2


def test_heads_that_do_not_divide_its_units_are_refused():
    with pytest.raises(slots.ConfigurationError, match=r"decoder\.heads: 3 heads do not divide 8 units.*1, 2, 4, 8"):
        slots.build("decoder", {"kind": "recurrent", "units": 8, "heads": 3})


def test_a_layer_that_is_not_recurrent_is_refused():
    with pytest.raises(
        slots.ConfigurationError, match=r"model\.decoder\.0\.layer\.kind: encoder 'mixer' is not recurrent"
    ):
        slots.build("decoder", {"kind": "recurrent", "layer": {"kind": "mixer"}}, "model.decoder.0")


@pytest.mark.parametrize("memory, problem", [(None, "was given none"), (np.zeros((3, 4), "float32"), "2 axes")])
def test_a_memory_that_is_none_or_no_sequence_is_refused(memory, problem):
    layer, x, _ = parts("recurrent decoder")
    for call in (lambda: layer(x, memory=memory), lambda: layer.initial_state(3, memory)):
        with pytest.raises(ValueError, match=rf"decoder 'recurrent' reads a memory.*{problem}"):
            call()


@pytest.mark.parametrize("mask", [np.ones((3, 6), bool), np.ones((3, 1), bool), np.ones((3, 7), "float32")])
def test_a_mask_that_does_not_fit_the_memory_is_refused(mask):
    layer, x, memory = parts("recurrent decoder")
    for call in (lambda: layer(x, memory=memory, memory_mask=mask), lambda: layer.initial_state(3, memory, mask)):
        with pytest.raises(ValueError, match=r"decoder 'recurrent' takes a mask .* each step of \(3, 7, 4\), but was"):
            call()


def test_no_state_before_it_is_built():
    layer = slots.build("decoder", {"kind": "recurrent"})
    with pytest.raises(ValueError, match="decoder 'recurrent' must be called once"):
        layer.initial_state(1, np.zeros((1, 3, 4), "float32"))
