"""The Transformer block is its equation; its memory is as long as it says."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from seqlayers import slots
from seqlayers.testing import Example, equal
from tests.seqlayers import reference

SMALL = {"kind": "transformer", "units": 8, "heads": 2, "feed_forward": 12}


def example(**settings):
    return Example("encoder", SMALL | settings, features=8, time=9)


def block(layer, x, allowed, activation=reference.gelu):
    w = reference.weights(layer)
    attend = lambda h: reference.attention(h, w, layer.heads, allowed)  # noqa: E731
    inner = lambda h: activation(h @ w["inner/kernel"] + w["inner/bias"])  # noqa: E731
    forward = lambda h: inner(h) @ w["outer/kernel"] + w["outer/bias"]  # noqa: E731
    for part, i in ((attend, 1), (forward, 2)):
        norm = lambda h, i=i: reference.layer_norm(h, w[f"norm_{i}/gamma"], w[f"norm_{i}/beta"])  # noqa: E731
        x = x + part(norm(x)) if layer.norm == "pre" else norm(x + part(x))
    return x


@pytest.mark.parametrize(
    "settings, allowed",
    [
        ({}, lambda i, j: j <= i),
        ({"window": 3}, lambda i, j: i - 3 < j <= i),
        ({"causal": False}, lambda i, j: True),
        ({"causal": False, "window": 2}, lambda i, j: abs(i - j) < 2),
        ({"norm": "post", "heads": 4}, lambda i, j: j <= i),
        ({"activation": "relu", "heads": 8}, lambda i, j: j <= i),
    ],
)
def test_the_block_is_its_equation(settings, allowed):
    case = example(**settings)
    layer, x = case.layer(), case.input()
    activation = reference.relu if settings.get("activation") == "relu" else reference.gelu
    equal(layer(x), block(layer, x.astype(np.float64), allowed, activation), "the block")


def test_attention_is_that_of_keras_with_the_same_weights():
    case = example(causal=False)
    attention, x = case.layer().attention, case.input()
    theirs = keras.layers.MultiHeadAttention(2, 4)
    theirs.build(x.shape, x.shape)
    kernel, bias, out, out_bias = attention.get_weights()
    of = [slice(i, i + 8) for i in (0, 8, 16)]  # query, key, value
    parts = [p for s in of for p in (kernel[:, s].reshape(8, 2, 4), bias[s].reshape(2, 4))]
    theirs.set_weights([*parts, out.reshape(2, 4, 8), out_bias])
    equal(attention(x), theirs(x, x), "attention")


def test_heads_must_divide_the_units_and_those_that_do_are_listed():
    with pytest.raises(slots.ConfigurationError, match=r"model\.encoder\.1\.heads: 5 heads do not.*1, 2, 4, 8"):
        slots.build("encoder", SMALL | {"heads": 5}, "model.encoder.1")


def test_another_width_is_refused_with_the_embedding_that_would_help():
    with pytest.raises(ValueError, match=r"8 units, but its input has 5 features.*kind: value, units: 8"):
        slots.build("encoder", SMALL)(np.zeros((1, 4, 5), "float32"))


@pytest.mark.parametrize("settings, reason", [({"window": 4}, "window needs none"), ({"causal": False}, "only causal")])
def test_a_capacity_that_would_go_unused_is_refused(settings, reason):
    with pytest.raises(slots.ConfigurationError, match=rf"encoder\.capacity: 16 given, but .*{reason}"):
        slots.build("encoder", SMALL | {"capacity": 16} | settings)


@pytest.mark.parametrize("settings, reason", [({}, "set `window`, or `capacity`"), ({"causal": False}, "looks ahead")])
def test_it_says_why_it_does_not_stream(settings, reason):
    with pytest.raises(slots.Refused, match=reason):
        example(**settings).layer().initial_state(1)


def test_a_stream_beyond_its_capacity_is_refused():
    layer, x = example(capacity=9).layer(), example().input()
    _, state = layer.stream(x, layer.initial_state(3))
    with pytest.raises(ValueError, match="capacity of 9 steps, but the stream has reached 10"):
        layer.step(x[:, 0], state)


def test_a_compiled_stream_beyond_its_capacity_is_nan_and_never_a_wrong_number():
    tf = pytest.importorskip("tensorflow")
    layer, x = example(capacity=9).layer(), example().input()
    _, state = layer.stream(x[:, :8], layer.initial_state(3))
    step = tf.function(layer.step)
    y, state = step(x[:, 8], state)
    assert np.isfinite(y).all()
    y, _ = step(x[:, 0], state)
    assert np.isnan(y).all()


def test_a_window_has_no_end():
    layer = example(window=4).layer()
    x = np.random.default_rng(0).normal(size=(1, 50, 8)).astype("float32")
    state = layer.initial_state(1)
    for start in range(0, 50, 10):
        y, state = layer.stream(ops.convert_to_tensor(x[:, start : start + 10]), state)
    equal(y[:, -1], layer(x)[:, -1], "the stream")
    assert int(state[2][0]) == 4


def test_rows_of_a_stream_may_have_seen_different_lengths():
    layer, x = example(window=4).layer(), example().input()
    _, state = layer.stream(x[:, :5], layer.initial_state(3))
    fresh = layer.initial_state(3)
    mixed = tuple(ops.concatenate([old[:1], new[1:]], axis=0) for old, new in zip(state, fresh, strict=True))
    y, _ = layer.stream(x[:, 5:], mixed)
    equal(y[:1], layer(x)[:1, 5:], "the row that goes on")
    equal(y[1:], layer(x[1:, 5:]), "the rows that start anew")
