"""N-gram counts: the probabilities of the equations, whole and streamed, from texts that come in pieces."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import tree

from seqlayers import slots
from seqlayers.carried import Carried
from seqlayers.errors import ConfigurationError
from seqlayers.head.ngram import NGram
from seqlayers.model import SequenceModel
from seqlayers.testing import equal
from tests.data.tables import real
from tests.seqlayers.reference_ngram import Reference

WORDS = 6
BOTH = ["witten_bell", "kneser_ney"]
GRU = [{"kind": "gru", "units": 6}]
TOKENS = {"embedding": {"kind": "token", "units": 6}, "encoder": GRU, "head": {"kind": "tokens"}}
COUNTED = {"head": {"kind": "ngram", "context": 2, "nodes": 300}}


def text(seed, rows=3, time=60):
    """Ids in which the next often depends on the last two; none is padding."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(1, WORDS, (rows, time + 1))
    for t in range(2, time + 1):
        told = rng.random(rows) < 0.7
        ids[:, t] = np.where(told, 1 + (ids[:, t - 1] * 2 + ids[:, t - 2]) % 4, ids[:, t])
    return ids[:, :-1].astype("int32"), ids[:, 1:].astype("int32")


def padded():
    """A text with padding at the end, in the middle of one row, and targets left out."""
    ids, targets = text(0)
    ids[0, 50:], targets[0, 50:] = 0, -1
    ids[1, 20:23], targets[1, 19:23] = 0, -1
    targets[2, :10] = -1
    return ids, targets


def head_of(batches, **settings):
    head = NGram(**{"vocabulary": WORDS, "context": 3, "nodes": 500} | settings)
    head.adapt(batches, [])
    return head


def weights(head):
    return [np.asarray(w) for w in head.weights]


@pytest.mark.parametrize("context", [0, 1, 3])
@pytest.mark.parametrize("smoothing", BOTH)
def test_probabilities_are_those_of_the_equations(smoothing, context):
    ids, targets = padded()
    head = head_of([(ids, targets)], context=context, smoothing=smoothing)
    reference = Reference(ids, targets, WORDS, context, smoothing)
    new = text(1, rows=2, time=20)[0]
    new[1, 7] = 0
    found = np.exp(np.asarray(head(new), np.float64))
    for i, row in enumerate(new):
        for t in range(len(row)):
            begins = max([0, *np.flatnonzero(row[: t + 1] == 0) + 1])
            context_of = tuple(int(v) for v in row[begins : t + 1])
            equal(found[i, t], np.array([reference.p(c, context_of) for c in range(WORDS)]), f"row {i}, step {t}")
    equal(found.sum(-1), np.ones(new.shape), "the sums")


def test_a_text_in_chunks_counts_as_the_whole_and_rows_that_begin_do_not_go_on():
    ids, targets = text(0)
    chunks = [slice(0, 25), slice(25, 26), slice(26, 60)]
    carried = [({"past": ids[:, c], "reset": np.full(3, i == 0)}, targets[:, c]) for i, c in enumerate(chunks)]
    for found, expected in zip(weights(head_of(carried)), weights(head_of([(ids, targets)])), strict=True):
        equal(found, expected, "carried on", tolerance=0)
    fresh = [(ids[:, c], targets[:, c]) for c in chunks]
    rows = [(ids[i : i + 1, c], targets[i : i + 1, c]) for c in chunks for i in range(3)]
    apart = weights(head_of(fresh))
    for found, expected in zip(apart, weights(head_of(rows)), strict=True):
        equal(found, expected, "fresh windows", tolerance=0)
    assert not np.array_equal(apart[0], weights(head_of(carried))[0])


@pytest.mark.parametrize("smoothing", BOTH)
def test_of_too_many_ngrams_the_rarest_of_the_longest_are_left_out(smoothing):
    batches = [text(0)]
    longest, shorter = (head_of(batches, context=n, smoothing=smoothing) for n in (2, 1))
    of_two, of_three = (int(np.asarray(h.first)[-1]) - 1 for h in (shorter, longest))
    new = text(1)[0]
    equal(head_of(batches, nodes=of_two, smoothing=smoothing)(new), shorter(new), "none of three")
    fewer = head_of(batches, context=3, nodes=of_three - 4, smoothing=smoothing)
    y = np.asarray(fewer(new), np.float64)
    equal(np.exp(y).sum(-1), np.ones(new.shape), "the sums")
    moved = np.abs(y - np.asarray(longest(new))).max(-1) > 1e-6
    assert 0 < moved.mean() < 0.2, "what is not left out stays as it is"


@pytest.mark.parametrize("context", [0, 3])
def test_it_streams_as_a_row_by_the_last_ids(context):
    model = SequenceModel.for_task({"head": {"kind": "ngram", "context": context, "nodes": 300}}, vocabulary=WORDS)
    model.adapt([text(0)], [])
    new = text(1)[0][:, :16]
    state = model.initial_state(3)
    assert [tuple(s.shape) for s in tree.flatten(state)] == ([(3, context)] if context else [])
    first, state = model.stream(new[:, :7], state)
    found = [*np.split(np.asarray(first), 7, axis=1)]
    for t in range(7, 16):
        y, state = model.step(new[:, t], state)
        found.append(np.asarray(y)[:, None])
    equal(np.concatenate(found, axis=1), model(new), "streamed")
    for kept in tree.flatten(state):
        assert kept.dtype == "int32" and (np.asarray(kept) == new[:, -context:]).all()


def test_padding_is_as_a_start():
    head, new = head_of([text(0)]), text(1)[0]
    expected = head(new[:, 30:])
    for mask in (None, np.arange(60) >= 30):
        given = new.copy()
        if mask is None:
            given[:, :30] = 0
        y = head(given, mask=None if mask is None else np.broadcast_to(mask, new.shape))
        equal(y[:, 30:], expected, "after padding")


def test_before_it_is_adapted_it_says_nothing_and_without_a_token_it_cannot_be():
    ids, targets = text(0)
    head = NGram(vocabulary=WORDS, nodes=50)
    assert np.isnan(np.asarray(head(ids))).all()
    with pytest.raises(ValueError, match="head 'ngram' cannot be solved: there is no token in training"):
        head.adapt([(ids, np.full_like(targets, -1))], [])
    with pytest.raises(ValueError, match="there is no token in training"):
        head.adapt([], [])


def test_ids_outside_the_vocabulary_are_refused():
    ids, targets = text(0)
    head, wrong = head_of([(ids, targets)]), ids.copy()
    wrong[1, 5] = WORDS
    for what, call in {"ids": lambda: head(wrong), "adapt": lambda: head.adapt([(wrong, targets)], [])}.items():
        with pytest.raises(ValueError, match=r"head 'ngram' has a vocabulary of 6.*given the id 6"):
            pytest.fail(f"{what}: {call()}")
    with pytest.raises(ValueError, match=r"head 'ngram' takes as targets the ids 0 … 5 .*given 6"):
        head.adapt([(ids, wrong)], [])
    compiled = np.isnan(np.asarray(tf.function(lambda x: head(x))(tf.constant(wrong)))).all(-1)
    assert compiled[1, 5] and compiled.sum() == 1


def test_nothing_stands_before_it_in_its_row():
    with pytest.raises(
        ConfigurationError, match=r"'ngram' is counted from the ids.*embedding 'token', encoder 'gru' stands"
    ):
        SequenceModel.for_task({**TOKENS, **COUNTED}, vocabulary=WORDS)


@pytest.mark.slow
def test_it_is_averaged_with_a_trained_row_that_carries_its_state():
    model = SequenceModel.for_task({"join": "average", "branches": [TOKENS, COUNTED]}, vocabulary=WORDS)
    ids, targets = text(0, rows=8, time=96)
    chunks = [slice(i, i + 12) for i in range(0, 96, 12)]
    batches = [({"past": ids[:, c], "reset": np.full(8, not i)}, targets[:, c]) for i, c in enumerate(chunks)]
    data = tf.data.Dataset.from_generator(
        lambda: iter(batches),
        output_signature=(
            {"past": tf.TensorSpec((8, 12), "int32"), "reset": tf.TensorSpec((8,), "bool")},
            tf.TensorSpec((8, 12), "int32"),
        ),
    )
    model.adapt(data, data)
    carried = Carried(model, 8)
    carried.compile(keras.optimizers.Adam(0.02), carried.loss_function)
    losses = carried.fit(data, epochs=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0] - 0.1
    held_out = [text(7, rows=8, time=40)]
    model.settle(held_out)
    together = float(np.mean(model.loss_function(held_out[0][1], model(held_out[0][0]))))
    alone = [float(np.mean(row.head.loss(held_out[0][1], row(held_out[0][0])))) for row in model.rows]
    assert together < min(alone) + 1e-6 and (np.asarray(model.mixture) >= 0).all()
    found, state = [], model.initial_state(8)
    for c in chunks:
        y, state = model.stream(ids[:, c], state)
        found.append(np.asarray(y))
    equal(np.concatenate(found, axis=1), model(ids), "streamed")


def test_a_stream_in_training_gives_the_trained_rows_apart_and_all_states():
    model = SequenceModel.for_task({"join": "average", "branches": [COUNTED, TOKENS, TOKENS]}, vocabulary=WORDS)
    ids, targets = text(0)
    model(ids)
    model.adapt([(ids, targets)], [])
    y, state = model.stream(ids, model.initial_state(3), training=True)
    equal(y, model(ids, training=True), "as the call")
    assert y.shape == (3, 2, 60, WORDS)
    _, expected = model.stream(ids, model.initial_state(3))
    for found, other in zip(tree.flatten(state), tree.flatten(expected), strict=True):
        equal(found, other, "the state")


def test_the_loss_is_that_of_head_tokens():
    ids, targets = padded()
    head = head_of([(ids, targets)])
    y = np.asarray(head(ids), np.float64)
    expected = -np.take_along_axis(y, np.maximum(targets, 0)[..., None], -1)[..., 0][targets >= 0].mean()
    equal(np.mean(head.loss(targets, head(ids))), expected, "nats a token")
    tokens = slots.build("head", {"kind": "tokens", "vocabulary": WORDS})
    assert head.output_kind == tokens.output_kind


@pytest.mark.slow
def test_tiny_shakespeare_is_told_as_published_counts_tell_it():
    """The first 90 % of the characters counted, the last 10 % told, the state carried from start to end."""
    characters = real("text/tinyshakespeare/input.txt").read_text(encoding="utf-8")
    known = {c: i for i, c in enumerate(sorted(set(characters)), 1)}
    ids = np.array([known[c] for c in characters], "int32")
    cut = len(ids) * 9 // 10
    losses = {}
    for smoothing in BOTH:
        head = head_of(
            [(ids[None, : cut - 1], ids[None, 1:cut])], vocabulary=66, context=4, nodes=2**18, smoothing=smoothing
        )
        tell, state, found = tf.function(head.stream), head.initial_state(1), []
        for start in range(cut, len(ids) - 1, 4096):
            x, target = (ids[None, start + i : min(start + 4096, len(ids) - 1) + i] for i in (0, 1))
            y, state = tell(tf.constant(x), state)
            found.append((x.size, float(np.mean(head.loss(target, y)))))
        sizes, each = zip(*found, strict=True)
        losses[smoothing] = np.average(each, weights=sizes)
    assert abs(losses["witten_bell"] - 1.669) < 0.002
    assert losses["kneser_ney"] < losses["witten_bell"] - 0.1
