"""What is random in training: dropout held over a sequence, and zoneout; and that a stream in training has them too."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tensorflow as tf

from seqlayers import slots
from seqlayers.testing import equal
from tests.seqlayers import reference_recurrent as equations

KINDS = ("simple_rnn", "lstm", "gru")
UNITS, FEATURES, TIME, BATCH = 8, 20, 7, 16

#: Keras's own layer, and the cell of ours, which any zoneout brings in.
both_cells = pytest.mark.parametrize("zoneout", [0.0, 1e-9], ids=["keras", "own"])
every_kind = pytest.mark.parametrize("kind", KINDS)


def build(kind, **settings):
    layer = slots.build("encoder", {"kind": kind, "units": UNITS, **settings})
    layer.build((None, None, FEATURES))
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(scale=0.5, size=w.shape) for w in layer.get_weights()])
    return layer


def inputs(batch=BATCH, time=TIME, seed=0):
    return tf.constant(np.random.default_rng(seed).normal(size=(batch, time, FEATURES)), "float32")


def dropped_inputs(call, x):
    """(batch, time, features): where the output does not move with the input at all."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(call(x))
    return np.asarray(tape.gradient(total, x)) == 0


@both_cells
@every_kind
def test_inputs_are_dropped_for_a_whole_sequence_anew_for_each_and_each_call(kind, zoneout):
    layer, x = build(kind, dropout=0.4, zoneout=zoneout), inputs()
    state = layer.initial_state(BATCH)
    calls = [lambda x: layer(x, training=True)] * 2 + [lambda x: layer.stream(x, state, training=True)[0]]
    found = [dropped_inputs(call, x) for call in calls]
    for dropped in found:
        assert (dropped == dropped[:, :1]).all(), "the same features at every step"
        assert len(np.unique(dropped[:, 0], axis=0)) == BATCH, "others for each sequence"
        assert abs(dropped[:, 0].mean() - 0.4) < 0.1
    assert all((a != b).any() for a, b in itertools.pairwise(found)), "others in each call"
    assert not dropped_inputs(lambda x: layer.stream(x, state)[0], x).any(), "none in inference"


def set_simple_state(layer, bias):
    """Weights with which h_t = squash(h_{t-1} / 2 + bias) for each unit alone, whatever the input is."""
    shapes = [w.shape for w in layer.get_weights()]
    kernel, recurrent, offset = (np.zeros(shape, "float32") for shape in shapes)
    proposal = {"simple_rnn": 0, "lstm": 2, "gru": 2}[layer.kind]
    recurrent[:, proposal * UNITS : (proposal + 1) * UNITS] = 0.5 * np.eye(UNITS)
    gates = {"simple_rnn": [bias], "lstm": [30, -30, bias, 30], "gru": [-30, 30, bias]}[layer.kind]
    offset.reshape(-1, *offset.shape[-1:])[0] = np.repeat(gates, UNITS)
    layer.set_weights([kernel, recurrent, offset])


@both_cells
@every_kind
def test_the_state_is_dropped_for_a_whole_sequence_anew_for_each_and_each_call(kind, zoneout):
    layer, bias = build(kind, recurrent_dropout=0.3, zoneout=zoneout), 0.2
    set_simple_state(layer, bias)
    kept = []
    for _ in range(2):
        h = np.asarray(layer(inputs(), training=True), np.float64)
        summed = np.arctanh(np.arctanh(h) if kind == "lstm" else h)
        factor = (summed[:, 1:] - bias) / (0.5 * h[:, :-1])  # what h was multiplied with before each step
        equal(factor, np.broadcast_to(factor[:, :1], factor.shape), "the same units at every step", tolerance=1e-4)
        kept.append(factor[:, 0] > 0.5)
        equal(factor[:, 0], kept[-1] / 0.7, "what is kept makes up for the rest", tolerance=1e-4)
        assert len(np.unique(kept[-1], axis=0)) > BATCH // 2, "others for each sequence"
        assert abs(kept[-1].mean() - 0.7) < 0.15
    assert (kept[0] != kept[1]).any(), "others in each call"


@pytest.mark.parametrize("norm", [False, True], ids=["", "norm"])
@every_kind
def test_zoneout_keeps_each_units_last_value_with_its_probability(kind, norm):
    layer, batch = build(kind, zoneout=0.3, layer_norm=norm), 200
    x, rng = inputs(batch, 1), np.random.default_rng(2)
    state = tuple(tf.constant(rng.uniform(-1, 1, s.shape), "float32") for s in layer.initial_state(batch))
    weights = [w.astype(np.float64) for w in layer.get_weights()]
    fresh = equations.STEPS[kind](weights, np.asarray(x[:, 0], np.float64), *(np.asarray(s, np.float64) for s in state))
    shares = []
    for _ in range(2):
        _, after = layer.stream(x, state, training=True)
        for old, new, found in zip(state, fresh, after, strict=True):
            kept = np.asarray(found) == np.asarray(old)
            equal(np.asarray(found)[~kept], new[~kept], "what is not kept is the step's")
            assert abs(kept.mean() - 0.3) < 0.06
            shares.append(kept)
    assert all((a != b).any() for i, a in enumerate(shares) for b in shares[:i]), "h, c and each call draw their own"


@every_kind
def test_zoneout_draws_anew_at_each_step(kind):
    layer = build(kind, zoneout=0.5)
    set_simple_state(layer, 0.2)
    h = np.asarray(layer(inputs(), training=True))
    kept = h[:, 1:] == h[:, :-1]
    assert 0.3 < kept[:, 0].mean() < 0.7
    assert (kept[:, 0] != kept[:, 1]).any()


@pytest.mark.parametrize("jit", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["plain", "xla"])
@every_kind
def test_all_of_it_trains_in_a_compiled_function(kind, jit):
    layer = build(kind, dropout=0.1, recurrent_dropout=0.1, zoneout=0.1, layer_norm=True)

    @tf.function(jit_compile=jit)
    def gradients(x):
        with tf.GradientTape() as tape:
            y = layer(x, training=True)
            loss = tf.reduce_mean(y**2)
        return y, tape.gradient(loss, [w.value for w in layer.trainable_weights])

    (first, found), (second, _) = gradients(inputs()), gradients(inputs())
    assert np.abs(np.asarray(first) - np.asarray(second)).max() > 1e-3, "each call draws anew"
    assert all(np.isfinite(g).all() and np.abs(g).max() > 0 for g in map(np.asarray, found))
