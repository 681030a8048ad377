"""Notes are distributions over chords: what they say sums to one, and what is drawn from them agrees with it."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqlayers import slots
from seqlayers.testing import Example, equal
from tests.seqlayers.cases import CASES
from tests.seqlayers.gradients import check_gradients
from tests.seqlayers.reference import sigmoid
from tests.seqlayers.reference_labels import chords, independent, nade, shares

BOTH = ["notes", "notes independent"]


def case(name):
    layer, x = CASES[name].layer(), CASES[name].input()
    target = np.random.default_rng(8).integers(0, 2, (3, 24, 7)).astype("int32")
    target[0, 20:], target[1, :2], target[2, 5, 3] = -1, -1, -1
    return layer, x, target, (target != -1).all(-1)


def small(conditioned):
    """Four pitches after one step of three features: every chord can be looked at."""
    head = slots.build("head", {"kind": "notes", "pitches": 4, "hidden": 3, "conditioned": conditioned})
    head.build((None, 3))
    rng = np.random.default_rng(9)
    for weight in head.weights:
        weight.assign(rng.normal(size=weight.shape))
    return head, np.asarray(head(rng.normal(size=(1, 3)).astype("float32")))[0]


def log_p(layer, chord, output, w=None, v=None):
    if not layer.conditioned:
        return independent(chord, output)
    w, v = (np.asarray(a, np.float64) for a in (layer.w if w is None else w, layer.v if v is None else v))
    return nade(chord, output[: layer.pitches], output[layer.pitches :], w, v)


@pytest.mark.parametrize("name", BOTH)
def test_the_output_is_what_the_features_say(name):
    layer, x, *_ = case(name)
    kernel, bias = layer.biases.get_weights()
    assert kernel.shape == (4, 12 if layer.conditioned else 7)
    equal(layer(x), x @ kernel + bias, name)


@pytest.mark.parametrize("conditioned", [True, False])
def test_the_probabilities_of_all_chords_sum_to_one(conditioned):
    head, output = small(conditioned)
    all_chords = chords(4)
    found = np.asarray(head.log_likelihood(all_chords, np.tile(output, (16, 1))), np.float64)
    equal(found, np.array([log_p(head, c, output.astype("float64")) for c in all_chords]), "log p")
    assert abs(np.exp(found).sum() - 1) < 1e-6
    assert (np.ptp(np.exp(found)) > 0.1) and len(np.unique(found.round(4))) == 16


@pytest.mark.parametrize("name", BOTH)
def test_the_mean_of_the_loss_is_that_over_real_steps(name):
    layer, x, target, real = case(name)
    output = np.asarray(layer(x))
    expected = np.zeros(real.shape)
    for i, t in zip(*np.nonzero(real), strict=True):
        expected[i, t] = log_p(layer, target[i, t], output[i, t].astype("float64"))
    equal(layer.log_likelihood(target, output), expected, "each step")
    for given in (target, target.astype("float32")):
        equal(layer.loss(given, output), -shares(expected, real), "the loss")
    equal(np.mean(layer.loss(target, output)), -expected[real].mean(), "its mean")
    equal(layer.log_likelihood(target[:, 9], output[:, 9]), expected[:, 9], "a step by itself")


@pytest.mark.parametrize("name", BOTH)
def test_gradients_of_the_loss_are_those_of_the_equation(name):
    layer, x, target, real = case(name)
    x, target, real = x[:, 2:8], target[:, 2:8], real[:, 2:8]

    def equation(x, weights):
        kernel, bias, *of_nade = weights if not layer.conditioned else (*weights[2:], *weights[:2])
        output = x @ kernel + bias
        found = np.zeros(real.shape)
        for i, t in zip(*np.nonzero(real), strict=True):
            found[i, t] = log_p(layer, target[i, t], output[i, t], *of_nade)
        return -shares(found, real)

    check_gradients(layer, lambda x: layer.loss(target, layer(x)), equation, x, directions=2)


@pytest.mark.parametrize("name", BOTH)
def test_padding_has_no_loss_and_no_gradient(name):
    layer, x, target, real = case(name)
    output = tf.Variable(layer(x))
    with tf.GradientTape() as tape:
        loss = layer.loss(target, output)
    gradient = np.asarray(tape.gradient(loss, output))
    assert not gradient[~real].any() and gradient[real].all()
    with tf.GradientTape() as tape:
        loss = layer.loss(np.full_like(target, -1), output)
    assert not np.asarray(loss).any() and not np.asarray(tape.gradient(loss, output)).any()


@pytest.mark.parametrize("conditioned", [True, False])
def test_chords_are_drawn_as_often_as_they_are_likely(conditioned):
    head, output = small(conditioned)
    draws = 40_000
    uniforms = np.random.default_rng(10).random((draws, 4), "float32")
    drawn = np.asarray(head.sample(np.tile(output, (draws, 1)), uniforms))
    counts = np.bincount(drawn @ (8, 4, 2, 1), minlength=16)
    p = np.exp([log_p(head, c, output.astype("float64")) for c in chords(4)])
    assert (np.abs(counts - draws * p) < 4.5 * np.sqrt(draws * p * (1 - p)) + 1).all()


@pytest.mark.parametrize("name", BOTH)
def test_what_is_certain_sounds_and_what_is_impossible_never_does(name):
    layer, *_ = case(name)
    output = np.zeros((2, layer.width), "float32")
    output[0, :7], output[1, :7] = -300, 300
    for u in (0.0, 0.5, np.nextafter(np.float32(1), np.float32(0))):
        drawn = np.asarray(layer.sample(output, np.full((2, 7), u, "float32")))
        assert drawn.dtype == "int32" and drawn.tolist() == [[0] * 7, [1] * 7]


def test_a_note_sounds_below_its_probability_and_not_at_it():
    layer, *_ = case("notes independent")
    below, at = np.nextafter(np.float32(0.5), np.float32(0)), 0.5
    drawn = layer.sample(np.zeros((2, 7), "float32"), np.stack([np.full(7, u, "float32") for u in (below, at)]))
    assert np.asarray(drawn).tolist() == [[1] * 7, [0] * 7]


def test_each_probability_is_given_the_likelier_notes_below():
    head, output = small(conditioned=True)
    p, w, v = np.asarray(head.predict(output)), np.asarray(head.w), np.asarray(head.v)
    played = np.zeros(4)
    for i in range(4):
        expected = sigmoid(output[i] + v[i] @ sigmoid(output[4:] + played[:i] @ w[:i]))
        assert abs(p[i] - expected) < 1e-6
        played[i] = expected > 0.5
    independent_head, output = small(conditioned=False)
    equal(independent_head.predict(output), sigmoid(output), "independent notes")


@pytest.mark.parametrize("odd", [2, -3, 0.5])
def test_targets_that_are_no_notes_are_refused(odd):
    layer, x, target, _ = case("notes")
    target = target.astype("float32")
    target[0, 0, 0] = odd
    with pytest.raises(ValueError, match=rf"head 'notes' takes as targets 0, 1 and −1.*given {odd}"):
        layer.loss(target, layer(x))
    for jit in (False, True):
        found = tf.function(layer.loss, jit_compile=jit)(target, layer(x))
        assert np.isnan(found).tolist() == [True, False, False]


def test_shapes_that_do_not_fit_are_refused():
    layer, x, target, _ = case("notes")
    with pytest.raises(ValueError, match=r"'notes' takes targets of shape \(3, 24, 7\) here.*\(3, 24, 6\)"):
        layer.loss(target[..., :6], layer(x))
    with pytest.raises(ValueError, match=r"'notes' takes uniform numbers of shape \(3, 24, 7\).*given \(3, 24, 12\)"):
        layer.sample(layer(x), np.zeros((3, 24, 12), "float32"))


def test_conditioned_notes_blend_with_nothing_but_independent_ones_do():
    first, second = (CASES["notes"].layer().output_kind for _ in range(2))
    assert first != second
    assert CASES["notes independent"].layer().output_kind == ("notes", 7)


def test_it_learns_that_notes_go_together():
    """Two pitches that always sound together, or neither: half the time one of two chords, ln 2 nats."""
    rng = np.random.default_rng(11)
    together = np.repeat(rng.integers(0, 2, (64 * 60, 8, 1)), 2, axis=-1).astype("int32")
    x = np.ones((64 * 60, 8, 3), "float32")
    found = {}
    for conditioned in (True, False):
        head = slots.build("head", {"kind": "notes", "pitches": 2, "hidden": 8, "conditioned": conditioned})
        model = keras.Sequential([keras.Input((8, 3)), head])
        model.compile(keras.optimizers.Adam(0.05), head.loss)
        model.fit(x, together, batch_size=64, verbose=0)
        found[conditioned] = float(np.mean(head.loss(together, head(x))))
    assert abs(found[True] - np.log(2)) < 0.03, "of the second note nothing is left to know"
    assert abs(found[False] - 2 * np.log(2)) < 0.03, "two notes, each by itself"


def test_88_pitches_are_drawn_in_a_loop_and_not_in_a_long_program():
    head = Example("head", {"kind": "notes", "pitches": 88}).layer()
    output, uniforms = np.zeros((2, head.width), "float32"), np.zeros((2, 88), "float32")
    program = tf.function(head.sample).get_concrete_function(output, uniforms).graph.as_graph_def()
    nodes = len(program.node) + sum(len(f.node_def) for f in program.library.function)
    assert nodes < 250


@pytest.mark.parametrize("conditioned", [True, False])
def test_a_temperature_divides_the_log_odds_of_each_note_beside_those_below(conditioned):
    head, output = small(conditioned)
    draws, temperatures = 20_000, np.array([0.5, 2.0], "float32")
    uniforms = np.random.default_rng(12).random((2, draws, 4), "float32")
    drawn = np.asarray(head.sample(np.tile(output, (2, draws, 1)), uniforms, temperatures))
    for rows, u, t in zip(drawn, uniforms, temperatures, strict=True):
        same = head.sample(np.tile(output, (draws, 1)), u, float(t))
        assert (np.asarray(same) == rows).all(), "a number for all, or one a row"
        counts = np.bincount(rows @ (8, 4, 2, 1), minlength=16)
        expected = np.zeros(16)
        for i, chord in enumerate(chords(4)):
            expected[i] = np.prod([chance(head, output, chord, k, t) for k in range(4)])
        assert (np.abs(counts - draws * expected) < 4.5 * np.sqrt(draws * expected * (1 - expected)) + 1).all()


def chance(head, output, chord, k, temperature):
    """Of what note k of a chord is, given those below it."""
    logit = output[k]
    if head.conditioned:
        logit = logit + np.asarray(head.v)[k] @ sigmoid(output[4:] + chord[:k] @ np.asarray(head.w)[:k])
    p = sigmoid(logit / temperature)
    return p if chord[k] else 1 - p
