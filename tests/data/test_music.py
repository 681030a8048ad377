"""Frames of pieces: each once, in order, in every key of train alone; and no piece on two sides of a border."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from data import music_leaks
from data.errors import DataError
from data.leaks import LeakError
from data.music import MusicData
from data.music_splits import split_pieces
from data.pieces import fingerprint, held, outer_and_inner, piece_of_voices
from tests.data.music_pieces import LOWEST, PITCHES, SOURCE, chords, options, tunes


def prepared(count=10, pieces=None, **changes):
    return MusicData.prepare(pieces or tunes(count), SOURCE, options(**changes))


def shifted(piece, by):
    return replace(
        piece, frames=np.roll(piece.frames, by, axis=1), voices=np.where(piece.voices < 0, -1, piece.voices + by)
    )


def whole(batches):
    """Each row's real inputs and targets, as bytes."""
    for past, target in batches.as_numpy_iterator():
        for row in range(len(target)):
            real = target[row, :, 0] >= 0
            yield past[row][real], target[row][real]


class TestSplits:
    """By piece, seeded; the same music in another key is the same music."""

    def test_shares_are_drawn_by_seed(self):
        found, repairs = split_pieces(tunes(20), options())
        assert Counter(p.part for p in found) == {"train": 14, "validation": 2, "test": 4} and not repairs
        parts = [[p.part for p in split_pieces(tunes(20), options(seed=s))[0]] for s in (0, 0, 1)]
        assert parts[0] == parts[1] != parts[2]

    def test_transpositions_stay_together(self):
        twice = [q for p in tunes(10) for q in (p, shifted(p, 1))]
        found, _ = split_pieces(twice, options())
        parts = {}
        for piece in found:
            parts.setdefault(fingerprint(piece), set()).add(piece.part)
        assert len(parts) == 10 and all(len(p) == 1 for p in parts.values())

    def test_named_parts_are_kept_and_what_they_share_is_dropped_from_train(self):
        pieces = tunes(8)
        parts = ["train"] * 5 + ["validation"] + ["test"] * 2
        pieces = [replace(p, part=part) for p, part in zip(pieces, parts, strict=True)]
        again = [replace(shifted(pieces[6], -1), part="train"), replace(pieces[5], part="train")]
        found, repairs = split_pieces([*pieces, *again], options())
        assert [p.name for p in found] == [p.name for p in pieces]
        assert [(r.count, "test" in r.what) for r in repairs] == [(1, True), (1, False)]

    def test_too_few_pieces_are_refused(self):
        for count in (1, 2):
            with pytest.raises(DataError, match=f"part has no piece: {count} are too few"):
                split_pieces(tunes(count), options())
        with pytest.raises(DataError, match="4 are too few"):
            split_pieces([shifted(tunes(1)[0], by) for by in range(4)], options())
        assert len(split_pieces(tunes(3), options())[0]) == 3


class TestStreams:
    """What training reads."""

    def test_every_piece_is_read_once_in_every_key_that_keeps_its_notes_inside(self):
        data = prepared(6)
        expected = Counter()
        for piece in data.pieces("train"):
            pitches = held(piece, LOWEST)[:, 0]
            for by in range(-2, 3):
                if pitches.min() + by >= LOWEST and pitches.max() + by < LOWEST + PITCHES:
                    moved = np.zeros_like(piece.frames)
                    time, pitch = np.nonzero(piece.frames)
                    moved[time, pitch + by] = 1
                    expected[moved.tobytes()] += 1
        assert len(expected) > len(data.pieces("train"))
        found, rows = Counter(), {}
        batches = list(data.streams(3, seed=0).as_numpy_iterator())
        assert len(batches) == data.stream_steps(3)
        for inputs, target in batches:
            assert inputs["past"].dtype == np.float32 and target.dtype == np.int32
            assert inputs["past"].shape == target.shape == (3, 4, PITCHES)
            for row in range(3):
                if inputs["reset"][row]:
                    found[np.array(rows.pop(row, []), np.uint8).tobytes()] += 1
                real = target[row][target[row, :, 0] >= 0]
                rows.setdefault(row, []).extend(real)
        for last in rows.values():
            found[np.array(last, np.uint8).tobytes()] += 1
        # documents may be cut where a row of the batch ends
        assert sum(len(k) * n for k, n in found.items()) == sum(len(k) * n for k, n in expected.items())
        assert len(set(found) & set(expected)) >= len(expected) - 3

    def test_a_row_begins_with_silence_and_then_reads_the_frame_before(self):
        data = prepared(6)
        before = None
        for inputs, target in data.streams(1, seed=0).as_numpy_iterator():
            past, reset = inputs["past"][0], inputs["reset"][0]
            assert np.array_equal(past[0], np.zeros(PITCHES) if reset else before)
            real = target[0, :, 0] >= 0
            assert np.array_equal(past[1:][real[1:]], target[0, :-1][real[1:]])
            before = target[0, -1]

    def test_epochs_depend_on_seed_and_number_alone(self):
        data = prepared(6)
        two = [t.tobytes() for _, t in data.streams(2, seed=1, epochs=2).as_numpy_iterator()]
        second = [t.tobytes() for _, t in data.streams(2, seed=1, first_epoch=1, epochs=2).as_numpy_iterator()]
        assert two[len(second) :] == second != two[: len(second)]

    def test_windows_are_stretches_of_pieces(self):
        data = prepared(6, transpose=0)
        frames = [np.concatenate([np.zeros((1, PITCHES)), p.frames]) for p in data.pieces("train")]
        batches = list(data.windows(5, seed=0).as_numpy_iterator())
        assert len(batches) == data.window_steps(5)
        for past, target in batches:
            for read, wanted in zip(past, target, strict=True):
                assert any(
                    np.array_equal(read, piece[at : at + 4]) and np.array_equal(wanted, piece[at + 1 : at + 5])
                    for piece in frames
                    for at in range(len(piece) - 4)
                )

    def test_held_out_pieces_are_read_whole_in_their_own_key(self):
        data = prepared(16)
        for part in ("validation", "test"):
            found = list(whole(data.ordered(part, 3)))
            assert len(found) == len(data.pieces(part))
            for (past, target), piece in zip(found, data.pieces(part), strict=True):
                assert np.array_equal(target, piece.frames)
                assert not past[0].any() and np.array_equal(past[1:], piece.frames[:-1])
            assert data.count(part) == sum(len(target) for _, target in found)

    def test_a_piece_of_one_frame(self):
        short = [chords([60], part="train"), chords([60, 64], part="validation"), chords([60, 65], part="test")]
        data = prepared(pieces=short)
        (past, target), *_ = data.ordered("test", 2).as_numpy_iterator()
        assert past.shape == (1, 1, PITCHES) and not past.any() and target.sum() == 2
        (_, target), *_ = data.streams(1, seed=0).as_numpy_iterator()
        assert (target[0, 1:] == -1).all() and target[0, 0].sum() == 1


class TestGiven:
    """Harmonising the top voice."""

    def test_the_top_voice_is_read_and_the_others_are_said(self):
        data = prepared(16, given="soprano")
        found = []
        for inputs, target in data.ordered("test", 8).as_numpy_iterator():
            assert (target >= 0).all(), "only pieces of one length together"
            found += list(zip(inputs["past"], inputs["target"], target, strict=True))
        for (top, before, said), piece in zip(found, data.pieces("test"), strict=True):
            outer, inner = outer_and_inner(piece, LOWEST)
            assert np.array_equal(top, outer) and np.array_equal(said, inner)
            assert not before[0].any() and np.array_equal(before[1:], inner[:-1])

    def test_windows_of_both_are_in_the_same_place_and_key(self):
        pieces = [
            piece_of_voices(f"{n}", np.stack([60 + np.arange(4 + n) % 3, 50 + np.arange(4 + n) % 3], 1), 1, options())
            for n in range(9)
        ]
        data = prepared(pieces=pieces, given="soprano")
        for inputs, target in data.windows(4, seed=0).as_numpy_iterator():
            top, said = inputs["past"].argmax(-1), target.argmax(-1)
            real = target[..., 0] >= 0
            assert (top - said == 10)[real].all() and not inputs["past"][~real].any()

    def test_a_model_that_is_given_a_voice_does_not_stream(self):
        with pytest.raises(DataError, match=r"Set data\.batching to windows"):
            prepared(given="soprano").streams(2, seed=0)

    def test_melodies_alone_are_refused(self):
        with pytest.raises(DataError, match="no harmony to be learnt"):
            prepared(pieces=[chords(*([60 + i] for i in range(n))) for n in range(2, 9)], given="soprano")


class TestLeaks:
    """Each check finds what it is there for, and stops the run."""

    def test_all_are_run(self):
        names = [check.name for check in prepared().checks]
        assert len(set(names)) == 4 and all(check.passed for check in prepared().checks)

    def test_a_piece_on_two_sides_in_another_key(self, monkeypatch):
        pieces = [replace(p, part=part) for p, part in zip(tunes(3), ("train", "validation", "test"), strict=True)]
        leaked = [*pieces, replace(shifted(pieces[2], 1), part="train")]
        assert music_leaks.nothing_on_two_sides(pieces).passed
        assert music_leaks.nothing_on_two_sides(leaked).detail == "1 pieces stand in train and in test."
        monkeypatch.setattr("data.music_parts.split_pieces", lambda pieces, options: (list(pieces), []))
        with pytest.raises(LeakError, match="in whatever key"):
            prepared(pieces=leaked)

    def test_a_held_out_piece_that_is_transposed(self, monkeypatch):
        assert not music_leaks.transposed_in_train_alone({"train": [3], "validation": [1], "test": [1, 2]}).passed
        monkeypatch.setattr(MusicData, "shifts", lambda self, part, piece: [0, 1])
        with pytest.raises(LeakError, match="transposed in train alone"):
            prepared()

    def test_an_input_that_is_its_own_target(self, monkeypatch):
        frames = np.eye(4)[None]
        behind = np.concatenate([np.zeros((1, 1, 4)), frames[:, :-1]], axis=1)
        assert music_leaks.inputs_are_one_step_behind([(behind, frames)]).passed
        assert not music_leaks.inputs_are_one_step_behind([(frames, frames)]).passed
        monkeypatch.setattr(
            MusicData,
            "_decoded",
            lambda self, part, codes, old=MusicData._decoded: old(self, part, codes).map(lambda x, y: (y, y)),
        )
        with pytest.raises(LeakError, match="the step before"):
            prepared()

    def test_padding_that_counts(self, monkeypatch):
        assert music_leaks.padding_is_not_counted(4, 4, "test").passed
        assert not music_leaks.padding_is_not_counted(5, 4, "test").passed
        monkeypatch.setattr(
            MusicData,
            "_decoded",
            lambda self, part, codes, old=MusicData._decoded: old(self, part, codes.map(lambda x, y: (x, abs(y)))),
        )
        with pytest.raises(LeakError, match=r"never counted|the step before"):
            prepared(30)


def test_notes_that_were_left_out_are_counted():
    pieces = [replace(p, lost=2) for p in tunes(5)]
    assert [str(r) for r in prepared(pieces=pieces).repairs][-1].endswith("left out: 10")
