"""Truncated BPTT: the state crosses the cut, the gradient does not, and a short sequence is trained on as ever."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqlayers import slots
from seqlayers.carried import Carried
from seqlayers.model import SequenceModel
from seqlayers.testing import equal

WORDS, UNITS, ROWS, TIME = 7, 8, 3, 6
ENCODERS = {
    "gru": {"kind": "gru", "units": UNITS},
    "lstm": {"kind": "lstm", "units": UNITS},
    "simple_rnn": {"kind": "simple_rnn", "units": UNITS},
    "min_gru": {"kind": "min_gru", "units": UNITS},
    "gated_linear": {"kind": "gated_linear", "units": UNITS, "heads": 2},
    "convolution": {"kind": "convolution", "units": UNITS},
    "transformer": {"kind": "transformer", "units": UNITS, "heads": 2, "feed_forward": 8, "window": 9},
}


def language_model(encoder="gru", **settings):
    keras.utils.set_random_seed(0)
    return SequenceModel.for_task(
        {
            "embedding": {"kind": "token", "units": UNITS},
            "encoder": [ENCODERS[encoder] | settings],
            "head": {"kind": "tokens"},
        },
        vocabulary=WORDS,
    )


def chunks(count=4, seed=0):
    """`count` chunks that continue one another, with their targets."""
    ids = np.random.default_rng(seed).integers(0, WORDS, (ROWS, count * TIME + 1)).astype("int32")
    return [(ids[:, i * TIME : (i + 1) * TIME], ids[:, i * TIME + 1 : (i + 1) * TIME + 1]) for i in range(count)]


def inputs(x, reset):
    return {"past": tf.constant(x), "reset": tf.constant(np.broadcast_to(reset, ROWS))}


@pytest.mark.parametrize("encoder", ENCODERS)
def test_chunks_one_after_the_other_are_the_whole(encoder):
    model = language_model(encoder)
    carried, data = Carried(model, ROWS), chunks()
    found = [carried(inputs(x, i == 0)) for i, (x, _) in enumerate(data)]
    whole = model(np.concatenate([x for x, _ in data], axis=1))
    equal(np.concatenate(found, axis=1), whole, "the chunks")


def test_a_row_that_is_reset_forgets_and_the_others_do_not():
    model = language_model()
    carried, ((first, _), (second, _), *_) = Carried(model, ROWS), chunks()
    carried(inputs(first, True))
    found = carried(inputs(second, [True, False, False]))
    equal(found[:1], model(second[:1]), "the row that begins anew")
    equal(found[1:], model(np.concatenate([first, second], 1))[1:, TIME:], "the rows that go on")


def test_the_state_crosses_the_cut_and_the_gradient_stops_there():
    model = language_model()
    carried, ((first, _), (second, _), *_) = Carried(model, ROWS), chunks()
    row = model.rows[0]
    carried(inputs(first, True))
    before = row.embedding.table
    # of the second chunk's output, by the embedding of an id that stands in the first chunk alone
    only_first = sorted(set(first.ravel()) - set(second.ravel()))
    if not only_first:
        first = np.where(first == 0, 1, first)
        first[:, -1], second = 0, np.where(second == 0, 1, second)
        only_first = [0]
        carried(inputs(first, True))
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(carried(inputs(second, False), training=False))
    by_carried = np.asarray(tf.convert_to_tensor(tape.gradient(y, before.value)))
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(model(np.concatenate([first, second], 1))[:, TIME:])
    by_whole = np.asarray(tf.convert_to_tensor(tape.gradient(y, before.value)))
    assert np.abs(by_whole[only_first]).max() > 1e-4, "through the whole, the first chunk is felt"
    assert np.abs(by_carried[only_first]).max() == 0, "through the cut, it is not"
    moved = carried(inputs(np.roll(first, 1, axis=1), True)), carried(inputs(second, False))
    assert np.abs(np.asarray(moved[1]) - np.asarray(model(np.concatenate([first, second], 1))[:, TIME:])).max() > 1e-4


def test_for_a_sequence_within_the_cut_it_is_full_bptt():
    (x, y), *_ = chunks()
    trained = []
    for wrap in (False, True):
        model = language_model()
        trainer = Carried(model, ROWS) if wrap else model
        trainer.compile(keras.optimizers.SGD(0.5), model.loss_function)
        for _ in range(3):
            trainer.train_on_batch(inputs(x, True) if wrap else x, y)
        trained.append(model.get_weights())
    for plain, carried in zip(*trained, strict=True):
        equal(carried, plain, "a weight")


@pytest.mark.slow
def test_plain_fit_learns_what_lies_before_the_cut_from_the_state_alone():
    """Period 2 · TIME: which half a chunk is in can be told from the chunk before it alone."""
    pattern = np.tile(np.concatenate([np.zeros(TIME, int), np.ones(TIME, int)]), 60)
    ids = np.tile(pattern, (ROWS, 1)).astype("int32")
    data = [(ids[:, i : i + TIME], ids[:, i + 1 : i + TIME + 1]) for i in range(0, ids.shape[1] - TIME, TIME)]
    x = {
        "past": np.concatenate([d[0] for d in data]),
        "reset": np.concatenate([np.full(ROWS, i == 0) for i in range(len(data))]),
    }
    y = np.concatenate([d[1] for d in data])
    model = language_model("gru", units=16)
    carried = Carried(model, ROWS)
    carried.compile(keras.optimizers.Adam(0.01), model.loss_function)
    history = carried.fit(x, y, batch_size=ROWS, epochs=12, shuffle=False, verbose=0).history["loss"]
    assert history[-1] < 0.5 * history[0]


def test_validation_in_mid_training_changes_nothing():
    carried, ((first, target), (second, _), *_) = Carried(language_model(), ROWS), chunks()
    carried.compile("sgd", carried.loss_function)
    carried.train_on_batch(inputs(first, True), target)
    kept = [np.asarray(v) for v in carried.kept["training"]]
    carried.evaluate(inputs(second, True), target, verbose=0, batch_size=ROWS)
    assert all(np.array_equal(k, v) for k, v in zip(kept, carried.kept["training"], strict=True))


@pytest.mark.slow
def test_a_training_step_compiles_under_xla():
    losses = []
    for jit in (False, True):
        carried = Carried(language_model("lstm"), ROWS)
        carried.compile(keras.optimizers.SGD(0.1), carried.loss_function, jit_compile=jit)
        losses.append([float(carried.train_on_batch(inputs(x, i == 0), y)) for i, (x, y) in enumerate(chunks(3))])
    equal(losses[1], losses[0], "the losses", tolerance=1e-4)


def test_the_rest_refuses_by_name():
    model = SequenceModel.for_task(
        {
            "embedding": {"kind": "token", "units": 4},
            "encoder": [{"kind": "bidirectional", "layer": {"kind": "gru", "units": 4}}],
            "head": {"kind": "tokens"},
        },
        vocabulary=WORDS,
    )
    with pytest.raises(slots.Refused, match="encoder 'bidirectional' cannot do 'streams'"):
        Carried(model, ROWS)(inputs(chunks()[0][0], True))


def test_a_batch_with_other_rows_than_states_is_refused():
    carried, ((x, _), *_) = Carried(language_model(), ROWS), chunks()
    carried(inputs(x, True))
    with pytest.raises(ValueError, match=rf"a state for each of {ROWS} rows, but was given a batch of 1\."):
        carried({"past": tf.constant(x[:1]), "reset": tf.constant([True])})


def test_padding_at_a_rows_end_trains_nothing():
    (x, y), *_ = chunks()
    half = y.copy()
    half[:, TIME // 2 :] = -1
    other = x.copy()
    other[:, TIME // 2 :] = 0
    trained = []
    for given in (x, other):
        model = language_model()
        carried = Carried(model, ROWS)
        carried.compile(keras.optimizers.SGD(0.5), model.loss_function)
        carried.train_on_batch(inputs(given, True), half)
        trained.append(model.get_weights())
    for a, b in zip(*trained, strict=True):
        equal(a, b, "a weight")
