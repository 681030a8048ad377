"""Notes to events and back: nothing is lost of real notes, and whatever a model writes can be read."""

from __future__ import annotations

import numpy as np
import pytest

from data.errors import DataError
from data.events import START, EventTransform
from data.midi import read_midi
from data.music_events import EventData
from data.pieces import held
from tests.data.music_pieces import LOWEST, SOURCE, options, tunes, write

TRANSFORM = EventTransform(lowest=60, pitches=12, shift_steps=4, steps_a_quarter=4)
EVENTS = {"representation": "events", "frames_a_quarter": 1, "steps_a_quarter": 1}


def test_the_order_of_events():
    notes = np.array([[64, 0, 2], [60, 0, 6], [64, 2, 6]])
    ids = TRANSFORM.to_ids(notes)
    assert TRANSFORM.text_numpy(ids) == "+60 +64 2 -64 +64 4 -60 -64"
    assert ids[0] == ids[-1] == START and ids.dtype == np.int32 and ids.max() < TRANSFORM.size == 31


def test_long_times_take_several_tokens():
    ids = TRANSFORM.to_ids(np.array([[60, 9, 19]]))
    assert TRANSFORM.text_numpy(ids) == "4 4 1 +60 4 4 2 -60"


def test_notes_come_back():
    rng = np.random.default_rng(0)
    found = []
    for pitch in range(60, 72):
        edges = np.sort(rng.choice(200, 20, replace=False))
        found += [(pitch, a, b) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    notes = np.array(sorted(found, key=lambda n: (n[1], n[0])))
    assert np.array_equal(TRANSFORM.to_notes(TRANSFORM.to_ids(notes)), notes)
    assert TRANSFORM.to_ids(notes[:0]).tolist() == [START, START] and TRANSFORM.to_notes([]).shape == (0, 3)


def test_whatever_is_written_can_be_read():
    on, off, shift = 3, 15, 27
    ids = [off, on, shift, 0, 1, 2, on, shift + 1, on + 1, 999, -5, off + 1, off, on + 2, shift]
    assert TRANSFORM.to_notes(ids).tolist() == [[60, 0, 1], [60, 1, 3], [62, 3, 4]]
    random = np.random.default_rng(0).integers(0, TRANSFORM.size, 500)
    notes = TRANSFORM.to_notes(random)
    assert (notes[:, 2] > notes[:, 1]).all() and len(notes)


@pytest.mark.parametrize("note", [[59, 0, 1], [72, 0, 1], [60, 1, 1]])
def test_notes_that_cannot_be_told_are_refused(note):
    with pytest.raises(DataError, match="1 of 1 notes have a pitch outside 60 to 71, or no length"):
        TRANSFORM.to_ids(np.array([note]))


def test_json_round_trip():
    assert EventTransform.from_json(TRANSFORM.to_json()) == TRANSFORM


class TestData:
    """A run on events."""

    def test_every_piece_is_told_and_those_of_train_in_every_key(self):
        data = EventData.prepare(tunes(12, **EVENTS), SOURCE, options(**EVENTS))
        assert all(check.passed for check in data.checks) and len({c.name for c in data.checks}) == 4
        keys = sum(len(data.shifts("train", piece)) for piece in data.pieces("train"))
        assert len(data.lengths("train")) == keys > len(data.pieces("train"))
        at = 0
        for piece, length in zip(data.pieces("test"), data.lengths("test"), strict=True):
            ids = data.ids("test")[at : at + length]
            assert np.array_equal(
                data.transform.to_notes(ids), data.transform.to_notes(data.transform.to_ids(held(piece, LOWEST)))
            )
            at += length
        assert at == data.count("test") and data.unknown("test") == 0 and data.start == START

    def test_batches_are_ids_and_the_ids_after_them(self):
        data = EventData.prepare(tunes(12, **EVENTS), SOURCE, options(**EVENTS))
        ids = data.ids("train").tolist()
        for past, target in data.windows(2, seed=0).take(3).as_numpy_iterator():
            assert past.shape == target.shape == (2, 4) and past.dtype == np.int32
            for read, wanted in zip(past.tolist(), target.tolist(), strict=True):
                whole = [read[0], *wanted]
                assert any(ids[i : i + 5] == whole for i in range(len(ids))) and read[1:] == wanted[:-1]

    def test_midi_becomes_events_with_its_short_notes(self, tmp_path):
        settings = options(representation="events", steps_a_quarter=4)
        path = write(tmp_path / "a.mid", [(60, 0, 1), (64, 0, 1.5), (67, 1.05, 1.1)])
        piece = read_midi(path, settings)
        transform = EventTransform.of(settings)
        ids = transform.to_ids(held(piece, LOWEST))
        assert transform.text_numpy(ids) == "+60 +64 4 -60 +67 1 -67 1 -64"
