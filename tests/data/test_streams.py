"""Streams hold every step once, in order, and say where a sequence begins."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from data import streams
from data.errors import DataError
from seqlayers.carried import Carried
from seqlayers.model import SequenceModel


def collected(lengths, rows, time, **settings):
    """The batches of sequences whose step t of sequence s is the id 100 s + t, and whose target is one more."""
    inputs = np.concatenate([100 * s + np.arange(n) for s, n in enumerate(lengths)]).astype("int32")
    found = streams.stream_dataset(inputs, inputs + 1, lengths, rows, time, **settings)
    return [({k: v.numpy() for k, v in x.items()}, y.numpy()) for x, y in found], len(found)


def rows_of(batches):
    """Each row's real steps over all batches, cut where it was reset."""
    found = []
    for row in range(len(batches[0][1])):
        for x, y in batches:
            if x["reset"][row] or not found:
                found.append([])
            found[-1].extend(x["past"][row][y[row] >= 0].tolist())
    return [f for f in found if f]


@pytest.mark.parametrize("lengths, rows, time", [([7, 3, 12, 1, 8], 2, 4), ([9], 1, 4), ([4, 4], 2, 4), ([5], 3, 2)])
def test_every_sequence_is_in_one_row_whole_and_in_order(lengths, rows, time):
    batches, count = collected(lengths, rows, time)
    assert len(batches) == count
    expected = [[100 * s + t for t in range(n)] for s, n in enumerate(lengths)]
    assert sorted(rows_of(batches)) == sorted(expected)
    for x, y in batches:
        assert x["past"].shape == y.shape == (rows, time) and x["reset"].shape == (rows,)
        assert np.array_equal(y[y >= 0], x["past"][y >= 0] + 1)


def test_a_row_that_ends_is_reset_alone():
    batches, _ = collected([8, 3, 5], 2, 4)
    assert [x["reset"].tolist() for x, _ in batches] == [[True, True], [False, True], [True, False]]


def test_what_fills_a_chunk_is_marked():
    batches, _ = collected([6], 2, 4)
    assert (batches[1][1][0] == [5, 6, -1, -1]).all()
    assert all((y[1] == -1).all() and x["reset"][1] for x, y in batches), "a row with nothing to do"


def test_one_long_sequence_is_cut_into_contiguous_rows():
    assert streams.parts(10, 3) == [4, 3, 3]
    with pytest.raises(DataError, match="2 steps cannot be cut into 3 rows"):
        streams.parts(2, 3)


def test_epochs_differ_and_depend_on_seed_and_number_alone():
    lengths = [5, 9, 2, 7, 4, 8]
    both, count = collected(lengths, 2, 3, seed=1, epochs=2)
    assert count == len(both) and count % 2 == 0
    first, second = both[: count // 2], both[count // 2 :]
    assert sorted(rows_of(first)) == sorted(rows_of(second))
    assert not all(np.array_equal(a[1], b[1]) for a, b in zip(first, second, strict=True))
    resumed, _ = collected(lengths, 2, 3, seed=1, epochs=2, first_epoch=1)
    for (x, y), (u, v) in zip(second, resumed, strict=True):
        assert np.array_equal(y, v) and np.array_equal(x["past"], u["past"]) and np.array_equal(x["reset"], u["reset"])


def test_targets_may_have_axes_of_their_own():
    notes = np.arange(12).reshape(6, 2)
    (_, y), *_ = streams.stream_dataset(np.ones((6, 3), "float32"), notes, [6], 1, 4)
    assert (y.numpy()[0] == notes[:4]).all()


@pytest.mark.slow
def test_a_model_that_carries_its_state_along_streams_reads_each_sequence_whole_and_learns_by_fit():
    keras.utils.set_random_seed(0)
    lengths, rows, time = [7, 3, 9, 5], 2, 4
    ids = np.concatenate([np.arange(start, start + n) % 5 for start, n in enumerate(lengths)]).astype("int32")
    row = {"embedding": {"kind": "one_hot"}, "encoder": [{"kind": "gru", "units": 6}], "head": {"kind": "tokens"}}
    model = SequenceModel.for_task(row, vocabulary=5)
    carried = Carried(model, rows)
    batches = streams.stream_dataset(ids, (ids + 1) % 5, lengths, rows, time, seed=1)
    read, said = [[] for _ in range(rows)], [[] for _ in range(rows)]
    for x, y in batches:
        logits = np.asarray(carried(x))
        for i in range(rows):
            if x["reset"][i]:
                read[i].append([])
                said[i].append([])
            read[i][-1].extend(x["past"][i][y[i] >= 0].numpy())
            said[i][-1].extend(logits[i][y[i] >= 0])
    pairs = [pair for i in range(rows) for pair in zip(read[i], said[i], strict=True) if pair[0]]
    assert sorted(len(sequence) for sequence, _ in pairs) == sorted(lengths)
    for sequence, logits in pairs:
        np.testing.assert_allclose(logits, np.asarray(model(np.array([sequence])))[0], atol=1e-5)
    carried.compile(keras.optimizers.Adam(0.05), model.loss_function)
    losses = carried.fit(batches, epochs=8, shuffle=False, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 2


@pytest.mark.parametrize("rows, time", [(0, 4), (2, 0)])
def test_chunks_of_nothing_are_refused(rows, time):
    with pytest.raises(DataError, match="one or more of each"):
        streams.plan([3], rows, time)


@pytest.mark.parametrize(
    "lengths, targets, message",
    [
        ([], np.zeros(0, int), "no sequences"),
        ([3, 0], np.zeros(3, int), "number 2 is empty"),
        ([2], np.zeros(3, int), "2 steps in all"),
        ([3], np.zeros(3), "whole numbers with a sign"),
        ([3], np.zeros(3, "uint8"), "such as int32.*uint8 given"),
    ],
)
def test_what_cannot_be_streamed_is_refused(lengths, targets, message):
    with pytest.raises(DataError, match=message):
        streams.stream_dataset(np.zeros(len(targets)), targets, lengths, 1, 2)
