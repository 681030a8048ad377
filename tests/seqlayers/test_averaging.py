"""Rows that are averaged are trained each alone, and weighed by what is likeliest on validation."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from seqlayers import averaging
from seqlayers.averaging import likeliest_weights
from seqlayers.errors import ConfigurationError
from seqlayers.head.naive_bayes import NaiveBayes
from seqlayers.model import SequenceModel
from seqlayers.testing import equal
from tests.seqlayers.test_naive_bayes import batches, texts

TASK = {"classes": 3, "vocabulary": 30}
COUNTED = {"head": {"kind": "naive_bayes", "buckets": 211}}
AVERAGE = {"embedding": {"kind": "token", "units": 4}, "pooling": {"kind": "mean"}, "head": {"kind": "classify"}}
LARGEST = {**AVERAGE, "pooling": {"kind": "max"}, "head": {"kind": "classify", "hidden": 5}}
ALL = {"join": "average", "branches": [COUNTED, AVERAGE, LARGEST]}


def made(configuration=ALL):
    """Built, with random weights; what is solved has not been."""
    model = SequenceModel.for_task(configuration, **TASK)
    model(texts(0, classes=3)[0])
    rng = np.random.default_rng(1)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(scale=0.3, size=weight.shape))
    return model


def log_probabilities(seed, examples=400, classes=3):
    """What two models say, of which the second errs more, and a third that knows nothing."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, examples)
    truth = 2.0 * (labels[:, None] == np.arange(classes))
    z = np.stack([truth + rng.normal(scale=s, size=truth.shape) for s in (1, 2)] + [rng.normal(size=truth.shape)])
    return z - np.logaddexp.reduce(z, axis=2, keepdims=True), labels


def likelihood(weights, given, labels):
    z = np.tensordot(weights, given, 1)
    return (z - np.logaddexp.reduce(z, axis=1, keepdims=True))[np.arange(len(labels)), labels].sum()


def test_the_weights_are_those_of_the_highest_likelihood():
    given, labels = log_probabilities(0)
    found = likeliest_weights(given, labels)
    penalised = lambda w: likelihood(w, given, labels) - 0.5 * np.square(w - 1 / 3).sum()  # noqa: E731
    assert (found >= 0).all() and found[0] > found[1] > found[2]
    best = penalised(found)
    for scale in (1e-3, 0.1, 1):
        for other in np.abs(found + scale * np.random.default_rng(2).normal(size=(200, 3))):
            assert penalised(other) <= best
    assert likelihood(found, given, labels) > likelihood(np.full(3, 1 / 3), given, labels) + 10


def test_what_says_the_opposite_of_the_truth_gets_no_weight():
    given, labels = log_probabilities(0)
    wrong = np.log((1 - np.exp(given[0])) / 2)
    found = likeliest_weights([given[0], wrong], labels)
    assert found[1] == 0 and found[0] > 0


def test_weights_stay_finite_where_all_are_told_right():
    labels = np.arange(50) % 2
    sure = np.where(labels[:, None] == np.arange(2), -0.01, -4.6)
    found = likeliest_weights([sure, sure], labels)
    equal(found[0], found[1], "the same twice")
    assert 0.5 < found[0] < 10


@pytest.mark.parametrize("beside", [False, True])
def test_the_output_is_the_weighted_mean_of_log_probabilities(beside):
    configuration = {**AVERAGE, "join": "average", "branches": [LARGEST]} if beside else ALL
    model, (ids, labels), new = made(configuration), texts(0, classes=3), texts(1, 40, 3)
    model.adapt(batches(ids, labels), batches(*new))
    model.settle(batches(*new))
    weights = np.asarray(model.mixture, np.float64)
    outputs = [np.asarray(row(ids), np.float64) for row in model.rows]
    expected = sum(
        w * (y - np.logaddexp.reduce(y, axis=1, keepdims=True)) for w, y in zip(weights, outputs, strict=True)
    )
    equal(model(ids), expected, "it")
    outputs = np.stack([np.asarray(row(new[0]), np.float64) for row in model.rows])
    apart = outputs - np.logaddexp.reduce(outputs, axis=2, keepdims=True)
    equal(weights, likeliest_weights(apart, new[1]), "the weights", tolerance=1e-4)


def test_each_row_is_trained_as_if_it_were_alone():
    tf = pytest.importorskip("tensorflow")
    model, (ids, labels) = made(), texts(0, classes=3)
    with tf.GradientTape(persistent=True) as tape:
        together = tf.reduce_mean(model.loss_function(labels, model(ids, training=True)))
        alone = [tf.reduce_mean(row.head.loss(labels, row(ids, training=True))) for row in model.rows[1:]]
    for row, loss in zip(model.rows[1:], alone, strict=True):
        weights = [w.value for w in row.trainable_weights]
        pairs = zip(tape.gradient(together, weights), tape.gradient(loss, weights), strict=True)
        for found, expected in pairs:
            equal(2 * tf.convert_to_tensor(found), tf.convert_to_tensor(expected), "the gradient of half the loss")
    equal(together, sum(alone) / 2, "the loss")


def test_what_is_solved_takes_no_part_in_training(monkeypatch):
    model, (ids, labels) = made(), texts(0, classes=3)
    assert model.head is model.rows[1].head
    real, called = NaiveBayes.call, []

    def watched(self, ids, training=None, **given):
        called.extend([self] if training else [])
        return real(self, ids, training=training, **given)

    monkeypatch.setattr(NaiveBayes, "call", watched)
    model.compile(keras.optimizers.Adam(0.01), model.loss_function)
    losses = model.fit(ids, labels, epochs=6, verbose=0).history["loss"]
    assert not called and np.isfinite(losses).all() and losses[-1] < losses[0]


def test_where_all_is_solved_there_is_nothing_to_fit():
    words = {"head": {**COUNTED["head"], "longest": 1}}
    model = SequenceModel.for_task({"join": "average", "branches": [COUNTED, words]}, **TASK)
    train, new = texts(0, 60, 3), texts(1, 40, 3)
    model(train[0])
    assert not model.needs_fit
    model.adapt(batches(*train), batches(*new))
    model.settle(batches(*new))
    equal(model(new[0], training=True), model(new[0]), "in training")


def test_heads_of_each_step_leave_out_their_padding():
    row = {"embedding": {"kind": "token", "units": 4}, "head": {"kind": "tag"}}
    model = made({"join": "average", "branches": [row, row]})
    ids = texts(0)[0]
    labels = np.where(ids == 0, -1, ids % 3)
    model.compile("adam", model.loss_function)
    model.fit(ids, labels, verbose=0)
    model.settle(batches(ids, labels))
    outputs = np.stack([np.asarray(row(ids), np.float64) for row in model.rows])[:, ids != 0]
    apart = outputs - np.logaddexp.reduce(outputs, axis=2, keepdims=True)
    equal(model.mixture, likeliest_weights(apart, labels[ids != 0]), "the weights", tolerance=1e-4)


def test_settled_weights_survive_a_configuration_and_a_file(tmp_path):
    model, train, new = made(), texts(0, classes=3), texts(1, 40, 3)
    model.adapt(batches(*train), batches(*new))
    model.settle(batches(*new))
    assert np.ptp(np.asarray(model.mixture)) > 0.01
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    equal(loaded(new[0]), model(new[0]), "loaded", tolerance=0)
    assert loaded.to_configuration() == model.to_configuration() and loaded.join == "average"
    assert model.summary_tag() == "naive_bayes & token>mean>classify & token>max>classify"


def test_other_joins_have_nothing_to_settle():
    model = made({**ALL, "join": "sum", "branches": [AVERAGE, LARGEST]})
    before = [np.asarray(w) for w in model.weights]
    model.settle(batches(*texts(1, 40, 3)))
    assert all((np.asarray(w) == b).all() for w, b in zip(model.weights, before, strict=True))


def test_heads_without_probabilities_are_not_averaged():
    row = {"pooling": {"kind": "last"}, "head": {"kind": "forecast"}}
    with pytest.raises(ConfigurationError, match=r"branches\.0\.head: head 'forecast' gives no probabilities"):
        SequenceModel.for_task({"join": "average", "branches": [row, row]}, horizon=2, targets=1)


def test_of_many_log_probabilities_examples_that_lie_evenly_apart_are_taken(monkeypatch):
    row = {"embedding": {"kind": "token", "units": 4}, "head": {"kind": "tag"}}
    model = made({"join": "average", "branches": [row, row]})
    ids = np.stack([texts(i)[0] for i in range(3)]).reshape(-1, texts(0)[0].shape[1])
    labels = np.where(ids == 0, -1, ids % 3)
    taken = []
    monkeypatch.setattr(averaging, "likeliest_weights", lambda given, of: taken.append((given, of)) or np.ones(2))
    split = [len(ids) // 4, len(ids) // 2]
    data = list(zip(np.split(ids, split), np.split(labels, split), strict=True))
    model.settle(data)
    monkeypatch.setattr(averaging, "MOST", 2 * 3 * 50)
    model.settle([({"past": x, "reset": np.ones(len(x), bool)}, y) for x, y in data])
    (every, of_every), (some, of_some) = taken
    assert (of_every == labels[labels >= 0]).all() and of_some.shape == (50,)
    at = (np.arange(1, 51) * len(of_every) + 49) // 50 - 1
    assert (of_some == of_every[at]).all()
    equal(some, every[:, at], "their log-probabilities")
