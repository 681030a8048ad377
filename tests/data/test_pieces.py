"""Pieces are the same music whether told as voices, chords, frames or notes."""

from __future__ import annotations

import numpy as np
import pydantic
import pytest

from data.errors import DataError
from data.music_options import MusicOptions
from data.pieces import (
    Piece,
    fingerprint,
    held,
    held_frames,
    held_voices,
    outer_and_inner,
    piece_of_chords,
    piece_of_voices,
    rolled,
)
from tests.data.music_pieces import LOWEST, PITCHES, options


def sounding(piece):
    return [(np.flatnonzero(frame) + LOWEST).tolist() for frame in piece.frames]


def test_voices_and_chords_give_the_same_frames():
    voices = np.array([[60, 55], [60, -1], [-1, -1], [62, 55]])
    piece = piece_of_voices("a", voices, 1, options())
    assert sounding(piece) == [[55, 60], [60], [], [55, 62]]
    other = piece_of_chords("a", [[55, 60], [60], [], [55, 62]], 1, options())
    assert np.array_equal(piece.frames, other.frames) and piece.frames.dtype == np.uint8
    assert piece.voices.dtype == np.int16 and other.voices is None


def test_a_finer_source_is_read_at_the_steps_of_the_grid():
    voices = np.array([[60], [61], [62], [63], [64], [65], [66], [67], [68]])
    piece = piece_of_voices("a", voices, 4, options(frames_a_quarter=2))
    assert piece.voices[:, 0].tolist() == [60, 62, 64, 66, 68]
    with pytest.raises(DataError, match=r"4 steps a quarter note, of which data.frames_a_quarter 3.*Accepted: 1, 2, 4"):
        piece_of_voices("a", voices, 4, options(frames_a_quarter=3))


def test_notes_outside_the_range_are_left_out_and_counted():
    voices = np.array([[60, 20], [100, 20]])
    piece = piece_of_voices("a", voices, 1, options())
    assert sounding(piece) == [[60], []] and piece.voices.tolist() == [[60, -1], [-1, -1]] and piece.lost == 3
    assert piece_of_chords("a", [[60, 20], [100]], 1, options()).lost == 2
    with pytest.raises(DataError, match="no note from MIDI pitch 48 to 71"):
        piece_of_chords("a", [[20], []], 1, options())


def test_what_is_held_is_one_note_and_two_voices_on_one_pitch_are_two():
    voices = np.array([[60, 55], [60, 60], [62, 60]])
    assert [line.tolist() for line in held_voices(voices)] == [
        [[60, 0, 2], [62, 2, 3]],
        [[55, 0, 1], [60, 1, 3]],
    ]
    piece = piece_of_voices("a", voices, 1, options())
    assert held_frames(piece.frames, LOWEST).tolist() == [[55, 0, 1], [60, 0, 3], [62, 2, 3]]
    assert held(piece, LOWEST).tolist() == [[55, 0, 1], [60, 0, 2], [60, 1, 3], [62, 2, 3]]
    assert rolled(piece, LOWEST) == [(60, 0, 2, 0), (62, 2, 1, 0), (55, 0, 1, 1), (60, 1, 2, 1)]
    assert rolled(Piece("b", piece.frames), LOWEST)[1] == (60, 0, 3, None)


def test_the_top_voice_is_the_first_or_else_the_highest_note():
    voices = np.array([[60, 64, 55], [-1, 57, 55]])
    known = piece_of_voices("a", voices, 1, options())
    top, below = outer_and_inner(known, LOWEST)
    assert sounding(Piece("", top)) == [[60], []] and sounding(Piece("", below)) == [[55, 64], [55, 57]]
    top, below = outer_and_inner(Piece("b", known.frames), LOWEST)
    assert sounding(Piece("", top)) == [[64], [57]] and sounding(Piece("", below)) == [[55, 60], [55]]
    silent = np.zeros((2, PITCHES), np.uint8)
    assert not any(part.any() for part in outer_and_inner(Piece("c", silent), LOWEST))


def test_music_is_the_same_in_whatever_key_but_not_with_another_note():
    a = piece_of_chords("a", [[60, 64], [62]], 1, options())
    assert fingerprint(a) == fingerprint(piece_of_chords("b", [[63, 67], [65]], 1, options()))
    for other in ([[60, 65], [62]], [[60, 64], [62], []], [[60], [62, 64]]):
        assert fingerprint(a) != fingerprint(piece_of_chords("b", other, 1, options()))


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"lowest": 100, "pitches": 88}, "at most 28 pitches fit"),
        ({"validation": 0.6, "test": 0.4}, "leave nothing to train on"),
        ({"representation": "events", "given": "soprano"}, "needs representation: frames"),
        ({"transpose": -1}, "greater than or equal to 0"),
        ({"frames_a_quarter": 0}, "greater than or equal to 1"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(changes, message):
    with pytest.raises(pydantic.ValidationError, match=message):
        MusicOptions(**changes)
