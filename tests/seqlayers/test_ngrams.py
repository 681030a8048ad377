"""Hashed n-grams are their formula, the same whole numbers everywhere, and collide as those of a random hash."""

from __future__ import annotations

import numpy as np
import pytest

from seqlayers.embedding import ngram_buckets
from seqlayers.embedding.ngrams import MULTIPLIERS, PRIMES
from seqlayers.testing import Example, equal
from tests.seqlayers.gradients import gradients

VOCABULARY = 50
IDS = np.random.default_rng(0).integers(1, VOCABULARY, (3, 12)).astype("int32")


def bucket(gram, buckets):
    """Of one n-gram, in Python's whole numbers, which have no end; `gram` in the order of the text."""
    hashes = []
    for prime, multiplier in zip(PRIMES, MULTIPLIERS, strict=True):
        h = 1
        for n, word in enumerate(reversed([int(w) for w in gram]), 1):
            h = (multiplier * h + word + n) ** 3 % prime
        hashes.append(h)
    return (hashes[0] * PRIMES[1] + hashes[1]) % buckets


def grams(ids, real, longest, buckets):
    """(row, step, n, bucket) of each n-gram that lies within the sequence and holds no padding."""
    for row, step in np.ndindex(ids.shape):
        for n in range(1, longest + 1):
            part = slice(step - n + 1, step + 1)
            if step - n + 1 >= 0 and real[row, part].all():
                yield row, step, n, bucket(ids[row, part], buckets)


def layer_of(vocabulary=VOCABULARY, **settings):
    settings = {"kind": "ngrams", "vocabulary": vocabulary, "units": 4, "buckets": 97, **settings}
    return Example("embedding", settings, vocabulary=vocabulary).layer()


@pytest.mark.parametrize("longest", [1, 2, 3, 5])
def test_it_adds_up_the_rows_of_the_ngrams_that_end_at_a_step(longest):
    layer = layer_of(longest=longest)
    table, expected = np.asarray(layer.table, "float64"), np.zeros((*IDS.shape, 4))
    for row, step, _, b in grams(IDS, np.ones(IDS.shape, bool), longest, 97):
        expected[row, step] += table[b]
    equal(layer(IDS), expected, "it", tolerance=1e-6)


@pytest.mark.parametrize("how", ["zeros", "mask", "both"])
def test_ngrams_that_hold_padding_are_left_out_wherever_it_stands(how):
    ids, mask = IDS.copy(), np.ones(IDS.shape, bool)
    if how != "mask":
        ids[0, 8:] = ids[1, :2] = ids[2, 5] = 0
    if how != "zeros":
        mask[0, 3] = mask[1, 6:8] = False
    layer = layer_of(mask_zero=how != "mask")
    real = mask & (ids != 0)
    table, expected = np.asarray(layer.table, "float64"), np.zeros((*IDS.shape, 4))
    for row, step, _, b in grams(ids, real, 3, 97):
        expected[row, step] += table[b]
    equal(layer(ids, mask=None if how == "zeros" else mask), expected, "it", tolerance=1e-6)
    assert (expected[~real] == 0).all()


@pytest.mark.parametrize("longest", [1, 2, 4])
def test_the_bucket_numbers_are_the_same_in_numpy(longest):
    mask = np.random.default_rng(1).random(IDS.shape) < 0.8
    found = ngram_buckets(IDS, longest, 97, mask)
    expected = np.full((*IDS.shape, longest), -1)
    for row, step, n, b in grams(IDS, mask, longest, 97):
        expected[row, step, n - 1] = b
    assert found.dtype == np.int32 and (found == expected).all()
    layer = layer_of(longest=longest, units=97)
    layer.set_weights([np.eye(97, dtype="float32")])  # so that the output counts each bucket
    counts = np.zeros((*IDS.shape, 97))
    for row, step, n in np.argwhere(found >= 0):
        counts[row, step, found[row, step, n]] += 1
    equal(layer(IDS, mask=mask), counts, "the layer's", tolerance=0)
    assert (ngram_buckets(IDS[0], longest, 97, mask[0]) == found[0]).all()


def test_no_number_on_the_way_grows_beyond_32_bits():
    largest = 2**31 - 1
    ids = np.array([[largest - 1, 0, largest - 2, 46336, 46337, 46306, 2**30, 1, largest - 1]], "int32")
    layer = layer_of(vocabulary=largest, longest=4, units=211, buckets=211)
    layer.set_weights([np.eye(211, dtype="float32")])
    counts = np.zeros((*ids.shape, 211))
    for row, step, _, b in grams(ids, np.ones(ids.shape, bool), 4, 211):
        counts[row, step, b] += 1
    equal(layer(ids), counts, "it", tolerance=0)
    worst = max(p - 1 for p in PRIMES) * (max(p - 1 for p in PRIMES) + 1) + 100
    assert worst < 2**31 and PRIMES[0] * PRIMES[1] < 2**31


def test_length_and_order_tell_ngrams_apart():
    found = {bucket(gram, 2**31) for gram in [(7,), (7, 7), (7, 7, 7), (7, 8), (8, 7), (8,), (7, 8, 7), (8, 7, 7)]}
    assert len(found) == 8
    one, two = ngram_buckets(np.array([[7, 7, 8]]), 3, 2**30), ngram_buckets(np.array([[7, 8, 7]]), 3, 2**30)
    assert len({*one[0, :, 0]}) == 2 and one[0, 1, 1] != one[0, 1, 0] and one[0, 2, 2] != two[0, 2, 2]


@pytest.mark.parametrize("buckets", [2**12, 10_000, 2**16, 2**18])
def test_collisions_are_those_of_a_random_hash(buckets):
    rng = np.random.default_rng(2)
    ids = np.minimum(rng.zipf(1.2, 40_000), 30_000)
    found = ngram_buckets(ids, 3, buckets)
    distinct = {}
    for n in (1, 2, 3):
        for step in range(n - 1, len(ids)):
            distinct[tuple(ids[step - n + 1 : step + 1])] = found[step, n - 1]
    counts, expected = np.bincount(list(distinct.values()), minlength=buckets), len(distinct) / buckets
    spread = np.square(counts - expected).sum() / expected / (buckets - 1)  # χ² over its degrees of freedom
    assert abs(spread - 1) < 5 * np.sqrt(2 / buckets)
    collisions = len(distinct) - np.count_nonzero(counts)
    by_chance = len(distinct) - buckets * (1 - (1 - 1 / buckets) ** len(distinct))
    assert abs(collisions / by_chance - 1) < 0.03


def test_the_gradient_of_a_row_is_the_sum_over_where_it_was_used():
    layer = layer_of()
    cotangent = np.random.default_rng(3).normal(size=(*IDS.shape, 4)).astype("float32")
    expected = np.zeros((97, 4))
    for row, step, _, b in grams(IDS, np.ones(IDS.shape, bool), 3, 97):
        expected[b] += cotangent[row, step].astype("float64")
    equal(gradients(layer, IDS, [layer.table], cotangent)[1][0], expected, "it")


def test_a_state_holds_the_last_ids_and_says_how_many_there_have_been():
    layer = layer_of(longest=4)
    _, (ids, count) = layer.stream(IDS[:, :2], layer.initial_state(3))
    assert (np.asarray(ids)[:, 1:] == IDS[:, :2]).all() and np.asarray(count).tolist() == [2, 2, 2]
    count = np.array([2, 0, 1], "int32")  # as if the second row had begun anew, and the third a step later
    y, (ids, count) = layer.stream(IDS[:, 2:7], (ids, count))
    assert (np.asarray(ids) == IDS[:, 4:7]).all() and np.asarray(count).tolist() == [3, 3, 3]
    whole = np.asarray(layer(IDS[:, :7]))
    equal(y[0], whole[0, 2:], "a row that goes on")
    equal(y[1], np.asarray(layer(IDS[1:2, 2:7]))[0], "a row that begins anew")
    equal(y[2], np.asarray(layer(IDS[2:, 1:7]))[0, 1:], "a row that began a step later")


def test_an_unknown_id_spoils_the_ngrams_that_hold_it_and_no_others():
    tf = pytest.importorskip("tensorflow")
    layer, ids = layer_of(longest=3), IDS.copy()
    ids[1, 4] = VOCABULARY
    spoilt = np.zeros(IDS.shape, bool)
    spoilt[1, 4:7] = True
    y = tf.function(layer)(tf.constant(ids)).numpy()
    assert (np.isnan(y).all(-1) == spoilt).all() and (np.isnan(y).any(-1) == spoilt).all()
    step, state, steps = tf.function(layer.step), layer.initial_state(3), []
    for t in range(12):
        y_t, state = step(tf.constant(ids[:, t]), state)
        steps.append(y_t.numpy())
    equal(np.nan_to_num(np.stack(steps, 1), nan=9), np.nan_to_num(y, nan=9), "step by step")
