"""The gradient by lag is the chain rule's, clipping is what training does, and the words fit the curves."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipelines.gradients import Clock, Probe, clipping, read
from seqlayers.model import SequenceModel

UNITS, TIME, HORIZON = 5, 12, 3


def single(kind="simple_rnn", loss="mse", **settings):
    """One recurrence, its last step, a linear head; without an embedding the encoder reads the input itself."""
    model = SequenceModel(
        encoder=[{"kind": kind, "units": UNITS, **settings}],
        pooling={"kind": "last"},
        head={"kind": "forecast", "horizon": HORIZON, "targets": 1, "loss": loss},
    )
    model(np.zeros((1, TIME, UNITS), np.float32))
    return model


def weights(model, *names):
    return [next(w for w in model.weights if w.path.endswith(name)) for name in names]


@pytest.mark.parametrize("eigenvalue", [0.005, 0.5, 1.0, 1.3, 1000.0])
def test_in_a_linear_recurrence_the_norm_is_the_eigenvalue_to_the_power_of_the_lag(eigenvalue):
    model, rng = single(), np.random.default_rng(0)
    kernel, recurrent = weights(model, "/kernel", "recurrent_kernel")
    for weight, scale in ((kernel, 1.0), (recurrent, eigenvalue)):
        orthogonal, _ = np.linalg.qr(rng.normal(size=(UNITS, UNITS)))
        weight.assign(scale * orthogonal)
    zeros, target = np.zeros((4, TIME, UNITS), np.float32), rng.normal(size=(4, HORIZON, 1)).astype(np.float32)
    by_lag, _, _ = Probe(model).by_lag(zeros, target)  # at h = 0 the slope of tanh is 1
    assert by_lag.shape == (4, TIME)
    np.testing.assert_allclose(by_lag / by_lag[:, :1], [eigenvalue ** np.arange(TIME)] * 4, rtol=2e-5)
    assert read(np.median(by_lag, 0), Clock(None))["a_step"] == pytest.approx(eigenvalue, rel=1e-5)


def test_it_is_the_chain_rule_written_out_for_inputs_states_and_all_weights():
    model, rng = single(), np.random.default_rng(1)
    x, target = rng.normal(size=(6, TIME, UNITS)), rng.normal(size=(6, HORIZON, 1))
    w, u, b, v, c = (
        keras.ops.convert_to_numpy(a).astype(np.float64)
        for a in weights(model, "/kernel", "recurrent_kernel", "rnn/simple_rnn_cell/bias", "outer/kernel", "outer/bias")
    )
    h = [np.zeros((6, UNITS))]
    for t in range(TIME):
        h.append(np.tanh(x[:, t] @ w + h[-1] @ u + b))
    error = 2 * (h[-1] @ v + c - target[..., 0]) / HORIZON  # of the mean square over the horizon
    delta, of_x, of_h = error @ v.T, [], []
    joint = [h[-1].T @ error, error.sum(0), np.zeros_like(w), np.zeros_like(u), np.zeros_like(b)]
    for t in reversed(range(TIME)):
        of_h.append(np.linalg.norm(delta, axis=1))
        inner = delta * (1 - h[t + 1] ** 2)
        of_x.append(np.linalg.norm(inner @ w.T, axis=1))
        for i, part in enumerate((x[:, t].T @ inner, h[t].T @ inner, inner.sum(0))):
            joint[2 + i] += part
        delta = inner @ u.T
    probe = Probe(model)
    x, target = x.astype(np.float32), target.astype(np.float32)
    by_lag, norm, loss = probe.by_lag(x, target)
    np.testing.assert_allclose(by_lag, np.stack(of_x, 1), rtol=1e-4)
    assert norm == pytest.approx(np.sqrt(sum(((part / 6) ** 2).sum() for part in joint)), rel=1e-4)
    assert loss == pytest.approx(float(keras.ops.mean(model.loss_function(target, model(x)))))
    states = probe.states((x, target), 4)
    np.testing.assert_allclose(states, [[np.median(n) for n in of_h[:5]]], rtol=1e-4)


def test_an_example_has_the_same_norms_alone_and_in_a_batch():
    model, rng = single("gru"), np.random.default_rng(2)
    x = rng.normal(size=(5, TIME, UNITS)).astype(np.float32)
    target = rng.normal(size=(5, HORIZON, 1)).astype(np.float32)
    probe = Probe(model)
    together, alone = probe.by_lag(x, target)[0], probe.by_lag(x[3:4], target[3:4])[0]
    np.testing.assert_allclose(together[3:4], alone, rtol=1e-4)


def test_a_cell_has_two_gradients_in_an_lstm():
    model, rng = single("lstm"), np.random.default_rng(3)
    batch = (
        rng.normal(size=(8, TIME, UNITS)).astype(np.float32),
        rng.normal(size=(8, HORIZON, 1)).astype(np.float32),
    )
    of_h, of_c = Probe(model).states(batch, 3)
    assert len(of_h) == len(of_c) == 4 and min(of_h + of_c) > 0
    assert of_c[3] / of_c[0] > of_h[3] / of_h[0], "what the forget gate keeps lasts longer"


def test_a_gate_that_is_half_open_halves_the_gradient_of_the_state():
    model, rng = single("min_gru"), np.random.default_rng(6)
    (kernel,) = weights(model, "projection/kernel")
    gate = np.arange(2 * UNITS) < UNITS
    kernel.assign(np.where(gate, 0.0, kernel.numpy()))  # z = σ(0), as long as its bias is nought
    batch = (
        rng.normal(size=(8, TIME, UNITS)).astype(np.float32),
        rng.normal(size=(8, HORIZON, 1)).astype(np.float32),
    )
    (of_h,) = Probe(model).states(batch, 4)
    np.testing.assert_allclose(np.array(of_h) / of_h[0], 0.5 ** np.arange(5), rtol=1e-5)


@pytest.mark.parametrize("limit", [1e-3, 0.1, 1e3])
def test_the_factor_is_that_of_training(limit):
    model, rng = single(), np.random.default_rng(4)
    x = rng.normal(size=(16, TIME, UNITS)).astype(np.float32)
    target = rng.normal(size=(16, HORIZON, 1)).astype(np.float32)
    found = Probe(model).measure([(x, target)], limit)
    (norm,), (factor,) = found["joint"], found["factors"]
    before = [w.numpy() for w in model.trainable_variables]
    model.compile(keras.optimizers.SGD(1.0, global_clipnorm=limit), loss=model.loss_function)
    model.train_on_batch(x, target)
    change = np.sqrt(sum(((w.numpy() - b) ** 2).sum() for w, b in zip(model.trainable_variables, before, strict=True)))
    assert change == pytest.approx(factor * norm, rel=1e-4) == pytest.approx(min(norm, limit), rel=1e-4)
    np.testing.assert_allclose(found["clipped"], np.array(found["median"]) * factor, rtol=1e-6)


def test_clipping_bounds_a_batch_and_leaves_a_short_gradient_alone():
    assert (clipping(0.5, 1.0), clipping(1.0, 1.0), clipping(4.0, 1.0), clipping(9.0, None)) == (1, 1, 0.25, 1)
    assert np.isnan(clipping(np.nan, 1.0)), "a gradient that is no number is not made one"
    for norm in (0.3, 7.0):
        gradients = [np.array([norm])]
        assert tf.clip_by_global_norm(gradients, 1.0)[0][0].numpy() == pytest.approx(norm * clipping(norm, 1.0))


def test_a_band_lies_around_the_median_and_batches_are_measured_apart():
    model, rng = single(), np.random.default_rng(5)
    batches = [
        (rng.normal(size=(8, TIME, UNITS)).astype(np.float32), rng.normal(size=(8, HORIZON, 1)).astype(np.float32))
        for _ in range(3)
    ]
    found = Probe(model).measure(batches, None)
    assert all(a <= b <= c for a, b, c in zip(found["low"], found["median"], found["high"], strict=True))
    assert len(found["joint"]) == 3 and found["factors"] == [1, 1, 1] and found["clipped"] == found["median"]


@pytest.mark.parametrize(
    ("curve", "word", "said"),
    [
        ([0.5**k for k in range(40)], "vanishes", "vanishes: 1 % after 7 steps (1 h 10 min)"),
        ([1e-3 * 1.5**k for k in range(40)], "explodes", "explodes: ×1.50 a step, ×100 after 12 steps (2 h)"),
        ([3.0] * 40, "reaches", "reaches: 50 % from beyond 20 steps (3 h 20 min)"),
        ([1.0] + [0.014] * 39, "reaches", "reaches: 18 % from beyond 20 steps (3 h 20 min)"),
        ([1.0] * 3 + [0.0] * 37, "ends", "ends: nothing beyond 2 steps (20 min)"),
        ([1e-3**k for k in range(15)] + [0.0] * 25, "vanishes", "vanishes: 1 % after 1 step (10 min)"),
        ([1.0, 1e30, None, None], "explodes", "explodes: more than float32 can hold after 2 steps (20 min)"),
        ([0.0] * 4, "ends", "ends: no gradient at all arrives"),
    ],
)
def test_a_curve_in_words(curve, word, said):
    found = read(curve, Clock("10min"))
    assert (found["word"], found["said"]) == (word, said)


def test_a_curve_in_numbers():
    found = read([0.5**k for k in range(40)], Clock(None))
    assert found["a_step"] == pytest.approx(0.5) and (found["fallen"], found["grown"]) == (7, None)
    assert found["beyond_half"] == pytest.approx(0.5**20, rel=1e-4)
    assert found["said"] == "vanishes: 1 % after 7 steps"


@pytest.mark.parametrize(
    ("clock", "lag", "axis"),
    [
        (Clock("1h"), "7 steps (7 h)", (1, "h")),
        (Clock("1d"), "7 steps (7 d)", (1, "d")),
        (Clock("10min"), "7 steps (1 h 10 min)", (1 / 6, "h")),
        (Clock("30s"), "7 steps (3 min 30 s)", (0.5, "min")),
        (Clock("1h", stride=6), "7 steps (42 h)", (6, "h")),
        (Clock(None), "7 steps", (1, "steps")),
    ],
)
def test_lags_in_time(clock, lag, axis):
    assert clock.lag(7) == lag
    assert clock.axis(72) == (pytest.approx(axis[0]), axis[1])
