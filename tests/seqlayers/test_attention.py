"""Attention is its equation, with and without positions in it; its memory is as long as it says."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from seqlayers import slots
from seqlayers.testing import Example, equal
from tests.seqlayers import reference_attention as reference
from tests.seqlayers.gradients import check_gradients

KINDS = {
    "attention": ("encoder", {"kind": "attention", "units": 8, "heads": 2}),
    "transformer": ("encoder", {"kind": "transformer", "units": 8, "heads": 2, "feed_forward": 12}),
    "decoder": ("decoder", {"kind": "transformer", "units": 8, "heads": 2, "feed_forward": 12}),
}
POSITIONS = {
    "none": (None, reference.product),
    "rotary": ({"kind": "rotary", "period": 50.0}, reference.rotary(50.0)),
    "relative": ({"kind": "relative", "length": 3}, reference.relative),
    "alibi": ({"kind": "alibi"}, reference.alibi(2)),
}
BANDS = [{}, {"window": 3}, {"causal": False}, {"causal": False, "window": 2}]

every_kind = pytest.mark.parametrize("kind", KINDS)
every_position = pytest.mark.parametrize("position", POSITIONS)


def example(kind, position="none", time=9, **settings):
    slot, small = KINDS[kind]
    memory = 7 if slot == "decoder" else 0
    return Example(slot, small | settings, time=time, features=8, memory=memory, position=POSITIONS[position][0])


def stream(case, layer, x, cuts, state=None):
    """x in chunks; the outputs side by side, and the last state."""
    state = case.initial_state(layer, len(x)) if state is None else state
    found = []
    for chunk in np.split(x, cuts, axis=1):
        y, state = layer.stream(ops.convert_to_tensor(chunk), state)
        found.append(np.asarray(y))
    return np.concatenate(found, axis=1), state


@every_position
@pytest.mark.parametrize("band", BANDS, ids=str)
def test_outputs_and_gradients_are_those_of_the_equation(position, band):
    case = example("attention", position, time=6, **band)
    layer, x = case.layer(), case.input()[:2]
    score, allowed = POSITIONS[position][1], reference.banded(**band)

    def equation(x, values):
        return reference.self_attention(x, reference.named(layer, values), 2, allowed, score)

    equal(layer(x), equation(x.astype(np.float64), [np.asarray(w, np.float64) for w in layer.weights]), position)
    check_gradients(layer, layer, equation, x, directions=2)


@pytest.mark.parametrize("heads", [1, 4, 8])
def test_any_number_of_heads_and_any_width_of_input(heads):
    case = Example("encoder", {"kind": "attention", "units": 8, "heads": heads}, features=5, time=6)
    layer, x = case.layer(), case.input()
    w = reference.named(layer, [np.asarray(w, np.float64) for w in layer.weights])
    equal(layer(x), reference.self_attention(x.astype(np.float64), w, heads, reference.banded()), f"{heads} heads")


def to_keras(weights, units, heads):
    """Our kernels and biases, each for one or several of q, k and v, then the output's, as Keras keeps them."""
    *projections, out, out_bias = weights
    found = []
    for kernel, bias in zip(projections[::2], projections[1::2], strict=True):
        for i in range(0, kernel.shape[1], units):
            found += [kernel[:, i : i + units].reshape(-1, heads, units // heads)]
            found += [bias[i : i + units].reshape(heads, -1)]
    return [*found, out.reshape(heads, units // heads, units), out_bias]


@pytest.mark.parametrize("causal", [True, False])
def test_self_attention_is_that_of_keras_with_the_same_weights(causal):
    case = example("attention", causal=causal)
    layer, x = case.layer(), case.input()
    theirs = keras.layers.MultiHeadAttention(2, 4)
    theirs.build(x.shape, x.shape)
    theirs.set_weights(to_keras(layer.get_weights(), 8, 2))
    equal(layer(x), theirs(x, x, use_causal_mask=causal), "attention")


def test_cross_attention_is_that_of_keras_with_the_same_weights():
    case = example("decoder")
    cross, x = case.layer().cross, case.input()
    memory = np.random.default_rng(1).normal(size=(3, 7, 8)).astype("float32")
    mask = np.arange(7) < np.array([[7], [4], [1]])
    theirs = keras.layers.MultiHeadAttention(2, 4)
    theirs.build(x.shape, memory.shape)
    ours = [cross.query.kernel, cross.query.bias, *cross.projection.weights, *cross.output_projection.weights]
    theirs.set_weights(to_keras([np.asarray(w) for w in ours], 8, 2))
    equal(cross(x, memory), theirs(x, memory), "attention")
    found = cross(x, memory, memory_mask=mask)
    equal(found, theirs(x, memory, attention_mask=np.broadcast_to(mask[:, None], (3, 9, 7))), "attention with a mask")


@every_kind
def test_heads_must_divide_the_units_and_those_that_do_are_listed(kind):
    slot, small = KINDS[kind]
    with pytest.raises(slots.ConfigurationError, match=rf"model\.{slot}\.1\.heads: 5 heads do not.*1, 2, 4, 8"):
        slots.build(slot, small | {"heads": 5}, f"model.{slot}.1")


@pytest.mark.parametrize(
    "kind, settings, reason",
    [(kind, {"window": 4}, "window needs none") for kind in KINDS]
    + [(kind, {"causal": False}, "only causal") for kind in KINDS if kind != "decoder"],
)
def test_a_capacity_that_would_go_unused_is_refused(kind, settings, reason):
    slot, small = KINDS[kind]
    with pytest.raises(slots.ConfigurationError, match=rf"{slot}\.capacity: 16 given, but .*{reason}"):
        slots.build(slot, small | {"capacity": 16} | settings)


@every_kind
def test_it_says_why_it_does_not_stream(kind):
    case = example(kind)
    with pytest.raises(slots.Refused, match="set `window`, or `capacity`"):
        case.initial_state(case.layer(), 1)


@pytest.mark.parametrize("kind", ["attention", "transformer"])
def test_what_looks_both_ways_says_so_when_it_is_to_stream(kind):
    layer = example(kind, causal=False).layer()
    for stream in (lambda: layer.initial_state(1), lambda: layer.stream(np.zeros((1, 2, 8), "float32"), ())):
        with pytest.raises(slots.Refused, match="looks ahead"):
            stream()


@every_kind
def test_a_stream_beyond_its_capacity_is_refused(kind):
    case = example(kind, capacity=9)
    layer, x = case.layer(), case.input()
    _, state = stream(case, layer, x, [])
    with pytest.raises(ValueError, match=rf"{layer.slot} '{layer.kind}' has a capacity of 9 steps, but .* reached 10"):
        layer.step(x[:, 0], state)


@every_kind
def test_a_compiled_stream_beyond_its_capacity_is_nan_and_never_a_wrong_number(kind):
    tf = pytest.importorskip("tensorflow")
    case = example(kind, capacity=9)
    layer, x = case.layer(), case.input()
    _, state = stream(case, layer, x[:, :8], [])
    step = tf.function(layer.step)
    y, state = step(x[:, 8], state)
    assert np.isfinite(y).all()
    y, _ = step(x[:, 0], state)
    assert np.isnan(y).all()


@every_kind
@every_position
def test_a_window_has_no_end(kind, position):
    case = example(kind, position, time=50, window=4)
    layer, x = case.layer(), case.input()
    y, state = stream(case, layer, x, [1, 2, 3, 20, 33, 49])
    equal(y, case.call(layer, x), "the stream")
    *_, seen = state[0] if kind == "decoder" else state
    assert np.asarray(seen).tolist() == [4, 4, 4], "a counter that grows would overflow"


@every_kind
@every_position
def test_rows_of_a_stream_may_have_seen_different_lengths(kind, position):
    case = example(kind, position, window=4)
    layer, x = case.layer(), case.input()
    _, old = stream(case, layer, x[:, :5], [2])
    fresh = case.initial_state(layer, 3)
    mixed = keras.tree.map_structure(lambda a, b: ops.concatenate([a[:1], b[1:]], axis=0), old, fresh)
    y, _ = stream(case, layer, x[:, 5:], [3], mixed)
    equal(y[:1], case.call(layer, x)[:1, 5:], "the row that goes on")
    equal(y[1:], case.call(layer, x[:, 5:])[1:], "the rows that start anew")


@every_kind
def test_a_stream_in_training_has_dropout_and_none_other_has(kind):
    case = example(kind, window=4, dropout=0.5)
    layer, x = case.layer(), ops.convert_to_tensor(case.input())
    state = case.initial_state(layer, 3)
    inference, trained = layer.stream(x, state)[0], layer.stream(x, state, training=True)[0]
    equal(inference, layer.stream(x, state, training=False)[0], "inference")
    assert np.abs(np.asarray(trained) - np.asarray(inference)).max() > 1e-3
