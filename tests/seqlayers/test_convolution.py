"""The convolution is its sum, whatever kernel, dilation, padding and pooling."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from seqlayers import slots
from seqlayers.testing import Example, equal
from tests.seqlayers import reference
from tests.seqlayers.gradients import check_gradients


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


@pytest.mark.parametrize("kernel_size", [3, 5])
def test_same_is_the_sum_of_textbooks_counted_from_the_middle(kernel_size):
    """y[t] = Σ w[i] x[t + i], and with i from 0 it is what the causal one gives later."""
    (layer, x, w, bias), half = case(kernel=kernel_size, padding="same", activation="linear"), kernel_size // 2
    y = np.asarray(layer(x)) - bias
    for t in range(half, 24 - half):
        equal(y[:, t], sum(x[:, t + i] @ w[i + half] for i in range(-half, half + 1)), f"step {t}")
    causal, x, w, bias = case(kernel=kernel_size, activation="linear")
    y = np.asarray(causal(x)) - bias
    for t in range(24 - kernel_size + 1):
        equal(y[:, t + kernel_size - 1], sum(x[:, t + i] @ w[i] for i in range(kernel_size)), f"step {t}")


@pytest.mark.parametrize("kernel_size, dilation", [(3, 1), (4, 1), (2, 3)])
@pytest.mark.parametrize("padding", ["causal", "same"])
def test_weights_can_be_exchanged_with_the_keras_layer(kernel_size, dilation, padding):
    layer, x, *_ = case(kernel=kernel_size, dilation=dilation, padding=padding)
    theirs = keras.layers.Conv1D(5, kernel_size, padding=padding, dilation_rate=dilation, activation="relu")
    theirs.build(x.shape)
    theirs.set_weights(layer.get_weights())
    equal(layer(x), theirs(x), padding)


@pytest.mark.parametrize(
    "settings",
    [{"dilation": 2}, {"kernel": 4, "padding": "same"}, {"pool": 3, "activation": "tanh"}],
    ids=["causal", "same", "pooled"],
)
def test_its_gradients_are_those_of_the_sum(settings):
    layer, x, *_ = case(**settings)
    reach = (layer.kernel - 1) * layer.dilation
    f = np.tanh if layer.activation == "tanh" else reference.relu

    def equation(x, weights):
        y = f(reference.convolution(x, *weights, layer.dilation, 0 if layer.causal else reach - reach // 2))
        return y.reshape(len(y), -1, layer.pool, 5).max(axis=2)

    check_gradients(layer, layer, equation, x)


def test_padding_anywhere_is_as_the_zeros_outside():
    layer, x, kernel, bias = case(kernel=3, padding="same")
    real = np.random.default_rng(2).random((3, 24)) < 0.7
    y = layer(np.where(real[..., None], x, 1e3).astype("float32"), mask=real)
    expected = reference.relu(reference.convolution(x * real[..., None], kernel, bias, 1, 1))
    equal(np.asarray(y)[real], expected[real], "real steps")


def test_an_output_joined_with_padding_is_padding():
    layer, *_ = case(pool=3)
    real = np.ones((2, 11), "bool")
    real[0, 0], real[1, 5:] = False, False
    assert np.asarray(layer.compute_mask(None, real)).tolist() == [[False, True, True], [True, False, False]]


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


@pytest.mark.parametrize("argument", ["units", "kernel", "dilation", "pool"])
def test_counts_of_zero_are_refused(argument):
    with pytest.raises(slots.ConfigurationError, match=rf"encoder\.{argument}: 0 given for encoder 'convolution'"):
        slots.build("encoder", {"kind": "convolution", argument: 0})


def test_fewer_steps_than_one_pool_are_refused():
    layer, *_ = case(pool=4)
    with pytest.raises(ValueError, match="joins 4 steps into one, but was given 3"):
        layer(np.zeros((1, 3, 4), "float32"))
