"""The convolution is its sum, whatever kernel, dilation, padding and pooling."""

from __future__ import annotations

import numpy as np
import pytest

from seqlayers import slots
from seqlayers.testing import Example, equal
from tests.seqlayers import reference


def case(**settings):
    example = Example("encoder", {"kind": "convolution", "units": 5, **settings})
    layer = example.layer()
    kernel, bias = (w.astype(np.float64) for w in layer.get_weights())
    return layer, example.input(), kernel, bias


@pytest.mark.parametrize("kernel_size, dilation", [(1, 1), (2, 1), (3, 1), (3, 4), (5, 2)])
@pytest.mark.parametrize("padding", ["causal", "same"])
def test_it_is_its_sum(kernel_size, dilation, padding):
    layer, x, kernel, bias = case(kernel=kernel_size, dilation=dilation, padding=padding)
    reach = (kernel_size - 1) * dilation
    ahead = 0 if padding == "causal" else reach - reach // 2
    equal(layer(x), reference.relu(reference.convolution(x.astype(np.float64), kernel, bias, dilation, ahead)), "it")


def test_pooling_keeps_the_largest_of_each_group_and_leaves_out_the_remainder():
    layer, x, kernel, bias = case(pool=3, activation="tanh")
    y = np.tanh(reference.convolution(x[:, :23].astype(np.float64), kernel, bias))
    equal(layer(x[:, :23]), y[:, :21].reshape(3, 7, 3, 5).max(axis=2), "it")


def test_a_stream_remembers_as_many_inputs_as_it_reaches_back():
    layer, *_ = case(kernel=3, dilation=4)
    assert [tuple(s.shape) for s in layer.initial_state(2)] == [(2, 8, 4)]
    layer, *_ = case(kernel=1)
    assert layer.initial_state(2) == ()


def test_a_state_cannot_be_made_before_the_width_is_known():
    layer = slots.build("encoder", {"kind": "convolution"})
    with pytest.raises(ValueError, match=r"'convolution' must be called once"):
        layer.initial_state(1)


@pytest.mark.parametrize("settings, reason", [({"padding": "same"}, "padding: causal"), ({"pool": 2}, "pool: 1")])
def test_it_says_why_it_does_not_stream_and_what_would(settings, reason):
    layer, *_ = case(**settings)
    with pytest.raises(slots.Refused, match=f"'convolution' cannot do 'streams'.*{reason}"):
        layer.initial_state(1)


def test_fewer_steps_than_one_pool_are_refused():
    layer, *_ = case(pool=4)
    with pytest.raises(ValueError, match="joins 4 steps into one, but was given 3"):
        layer(np.zeros((1, 3, 4), "float32"))
