"""Batches of tokens: every target is the token after the one read, in its own document, as often as is promised."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from data.errors import DataError
from data.streams import TokenStreams, parts
from seqlayers.carried import Carried
from seqlayers.model import SequenceModel

SHAPES = [([50], 4, 5), ([7, 3, 12, 1, 8], 2, 4), ([9], 3, 4), ([4, 4], 2, 3), ([200, 2, 90], 8, 6), ([30], 64, 4)]


def made(lengths, window, part="train"):
    """Token t of document d is the id 1000 d + t + 2."""
    ids = np.concatenate([1000 * d + np.arange(n) + 2 for d, n in enumerate(lengths)])
    return TokenStreams({part: ids}, {part: lengths}, window)


def wanted(lengths):
    """The targets there are: all tokens but the first of each document."""
    return sorted(1000 * d + t + 2 for d, n in enumerate(lengths) for t in range(1, n))


def numpy(dataset):
    found = [(x, y) for x, y in dataset.as_numpy_iterator()]
    assert len(found) == len(dataset), "the cardinality is known"
    return found


def past(x):
    return x["past"] if isinstance(x, dict) else x


def one_step_on(batches):
    for x, y in batches:
        assert past(x).shape == y.shape and past(x).dtype == y.dtype == np.int32
        assert (y[y >= 0] == past(x)[y >= 0] + 1).all(), "one step on, in the same document"
    return sorted(np.concatenate([y[y >= 0] for _, y in batches]).tolist())


@pytest.mark.parametrize("lengths, rows, window", SHAPES)
def test_streams_hold_every_target_once_and_rows_go_on_where_they_ended(lengths, rows, window):
    data = made(lengths, window)
    batches = numpy(data.streams_of("train", rows))
    assert len(batches) == data.stream_steps(rows)
    assert one_step_on(batches) == wanted(lengths)
    for row in range(rows):
        last = None
        for x, y in batches:
            assert x["past"].shape == (rows, window) and x["reset"].dtype == bool
            real = y[row] >= 0
            if not real.any():
                assert x["reset"][row]
                continue
            assert real[: real.sum()].all(), "padding stands at the end"
            if not x["reset"][row]:
                assert x["past"][row, 0] == last, "the row goes on"
            last = y[row][real][-1] if real.all() else None


def test_a_row_is_reset_where_a_document_begins_and_there_alone():
    batches = numpy(made([5, 9, 9, 5], 4).streams_of("train", 2))
    assert [x["reset"].tolist() for x, _ in batches] == [[True, True], [True, False], [False, True]]


def test_what_fills_a_row_repeats_its_last_id_and_has_no_target():
    ((x, y),) = numpy(made([7], 4).streams_of("train", 2))
    assert x["past"].tolist() == [[2, 3, 4, 5], [6, 7, 7, 7]] and y.tolist() == [[3, 4, 5, 6], [7, 8, -1, -1]]


@pytest.mark.parametrize("lengths, rows, window", SHAPES)
def test_the_rows_of_a_stream_have_like_work(lengths, rows, window):
    batches = numpy(made(lengths, window, "test").streams_of("test", rows))
    busy = np.array([(y >= 0).any(axis=1) for _, y in batches])
    assert np.ptp(busy.sum(axis=0)) <= 1 and busy[:-1].all()


def test_epochs_of_a_stream_differ_are_as_long_and_depend_on_seed_and_number_alone():
    data = made([400, 9, 30], 8)
    steps = data.stream_steps(4)
    both = numpy(data.streams(4, seed=1, epochs=2))
    again = numpy(data.streams(4, seed=1, first_epoch=1, epochs=2))
    other = numpy(data.streams(4, seed=2, epochs=1))
    assert len(both) == 2 * steps and len(again) == len(other) == steps

    def same(one, two):
        return all((a["past"] == b["past"]).all() and (y == z).all() for (a, y), (b, z) in zip(one, two, strict=True))

    assert same(both[steps:], again) and not same(both[:steps], again) and not same(both[:steps], other)
    for epoch in (both[:steps], again):
        found = one_step_on(epoch)
        assert len(set(found)) == len(found), "no target twice"
        assert len(wanted([400, 9, 30])) - len(found) < 8, "less than a window is left out"
        assert set(wanted([9, 30])) <= {t % 1000 if t < 1000 else t - 1000 for t in found}, "of none but the long one"


def test_borders_of_chunks_move_from_epoch_to_epoch():
    data = made([1000], 16)
    steps = data.stream_steps(4)
    epochs = numpy(data.streams(4, seed=0, epochs=6))
    begins = {tuple(epochs[e * steps][0]["past"][:, 0] % 16) for e in range(6)}
    assert len(begins) > 3


def test_windows_are_stretches_of_one_document_and_come_from_everywhere():
    lengths = [300, 5, 60, 1]
    data = made(lengths, 16)
    batches = numpy(data.windows(8, seed=3, epochs=40))
    assert data.window_steps(8) == (299 + 4 + 59) // (8 * 16)
    assert len(batches) == 40 * data.window_steps(8)
    found = one_step_on(batches)
    assert set(found) == set(wanted(lengths)), "40 epochs reach every target"
    for x, y in batches:
        assert x.shape == y.shape == (8, 16)
        short = (y < 0).any(axis=1)
        assert (x[short] // 1000 == 1).all() and ((y[short] >= 0).sum(axis=1) == 4).all(), "but for a short document"
    share = np.mean([t >= 2000 for t in found])
    assert abs(share - 59 / 362) < 0.05, "a document comes as often as it is long"


def test_windows_depend_on_seed_and_epoch_alone():
    data = made([300], 16)
    steps = data.window_steps(2)
    both, second = numpy(data.windows(2, seed=3, epochs=2)), numpy(data.windows(2, seed=3, first_epoch=1, epochs=2))
    assert all((a == b).all() for (a, _), (b, _) in zip(both[steps:], second, strict=True))
    assert not all((a == b).all() for (a, _), (b, _) in zip(both[:steps], second, strict=True))


@pytest.mark.parametrize("lengths, batch, window", SHAPES)
def test_ordered_windows_hold_every_target_once_in_order(lengths, batch, window):
    data = made(lengths, 99, "test")
    batches = numpy(data.ordered("test", batch, window))
    assert all(x.shape == (batch, window) for x, _ in batches)
    one_step_on(batches)
    rows = np.concatenate([y for _, y in batches])
    assert rows[rows >= 0].tolist() == wanted(lengths)
    assert numpy(data.ordered("test", 2))[0][0].shape == (2, 99), "the run's own window where none is given"


@pytest.mark.parametrize("lengths, rows, window", SHAPES)
@pytest.mark.parametrize("warm", [0, 3, 11])
def test_carried_rows_hold_every_target_once_after_what_warms_them(lengths, rows, window, warm):
    data = made(lengths, window, "test")
    chunks = numpy(data.carried("test", rows, warm))
    assert one_step_on(chunks) == wanted(lengths)
    ids, targets = (np.concatenate(c, axis=1) for c in zip(*chunks, strict=True))
    where = {token: place for place, token in enumerate(data.ids("test").tolist())}
    for row in range(len(ids)):
        said = np.flatnonzero(targets[row] >= 0)
        places = np.array([where[i] for i in ids[row, : said[-1] + 1].tolist()])
        assert (np.diff(places) == 1).all(), "as they stand in the part"
        assert said[0] <= warm or lengths != [sum(lengths)]
        assert said[0] >= min(warm, places[said[0]]), "warmed by all there is, up to `warm`"


def test_one_long_sequence_is_cut_into_contiguous_rows():
    assert parts(10, 3) == [4, 3, 3]
    with pytest.raises(DataError, match="2 steps cannot be cut into 3 rows"):
        parts(2, 3)


@pytest.mark.slow
def test_a_model_that_carries_its_state_along_streams_reads_each_document_whole_and_learns_by_fit():
    keras.utils.set_random_seed(0)
    lengths, rows, window = [7, 3, 9, 5], 2, 4
    ids = np.concatenate([np.arange(start, start + n) % 5 for start, n in enumerate(lengths)])
    data = TokenStreams({"train": ids}, {"train": lengths}, window)
    row = {"embedding": {"kind": "one_hot"}, "encoder": [{"kind": "gru", "units": 6}], "head": {"kind": "tokens"}}
    model = SequenceModel.for_task(row, vocabulary=5)
    carried = Carried(model, rows)
    read, said = [[] for _ in range(rows)], [[] for _ in range(rows)]
    for x, y in numpy(data.streams_of("train", rows)):
        logits = np.asarray(carried(x))
        for i in range(rows):
            if x["reset"][i]:
                read[i].append([])
                said[i].append([])
            read[i][-1].extend(x["past"][i][y[i] >= 0])
            said[i][-1].extend(logits[i][y[i] >= 0])
    pairs = [pair for i in range(rows) for pair in zip(read[i], said[i], strict=True)]
    assert sorted(len(document) for document, _ in pairs) == sorted(n - 1 for n in lengths), "the last id is not read"
    for document, logits in pairs:
        np.testing.assert_allclose(logits, np.asarray(model(np.array([document])))[0], atol=1e-5)
    carried.compile(keras.optimizers.Adam(0.05), model.loss_function)
    losses = carried.fit(data.streams(rows, seed=1), epochs=8, shuffle=False, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 2


def test_a_dataset_can_be_read_again():
    data = made([60], 8)
    for dataset in (
        data.streams(2, seed=0),
        data.windows(2, seed=0),
        data.ordered("train", 2),
        data.carried("train", 2, 4),
    ):
        one, two = numpy(dataset), numpy(dataset)
        assert all((a[1] == b[1]).all() for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize(
    "act, message",
    [
        (lambda: TokenStreams({"train": np.zeros(5)}, {"train": [4]}, 2), "5 ids of train, and documents of 4"),
        (lambda: made([5], 0), "A window of 0 steps"),
        (lambda: made([5], 2).streams(0, seed=0), "A batch of 0 rows"),
        (lambda: made([1, 1], 2).streams(1, seed=0), "No document of train has two tokens"),
        (lambda: made([1], 2, "test").carried("test", 1, 0), "No document of test has two tokens"),
    ],
)
def test_what_cannot_be_streamed_is_refused(act, message):
    with pytest.raises(DataError, match=message):
        act()
