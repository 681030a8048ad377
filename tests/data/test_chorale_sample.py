"""The chorales made by code keep the rules of the textbook, in every key and on every grid that they come in."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from data.chorale_sample import compose, sample
from data.music_options import MusicOptions
from data.music_voicing import RANGES
from data.pieces import fingerprint
from data.voice_leading import facts, facts_of


@pytest.fixture(scope="module")
def pieces():
    return sample(MusicOptions(frames_a_quarter=4))[0]


def test_the_same_every_time_and_no_two_alike(pieces):
    again, source = sample()
    assert source.sample and len(source.sha256) == 64
    assert sample()[1] == source
    assert all(np.array_equal(p.voices[::4], q.voices) for p, q in zip(pieces, again, strict=True))
    assert len({fingerprint(p) for p in pieces}) == len(pieces) == 60


@pytest.mark.parametrize("grid", [1, 2, 4])
def test_no_parallels_and_no_crossings(grid):
    found = facts_of(sample(MusicOptions(frames_a_quarter=grid))[0], lowest=21, voices=True)
    assert found["parallel_fifths"] == found["parallel_octaves"] == found["voice_crossings"] == 0
    assert 0 < found["notes_out_of_key_per_100"] < 10, "some phrases are in a neighbouring key"


def test_all_keys(pieces):
    keys = {facts(p.frames, lowest=21)["key"] for p in pieces}
    assert len(keys) >= 20


def test_voices_stay_in_their_ranges_and_sing(pieces):
    voices = np.concatenate([p.voices for p in pieces])
    for voice, (low, high) in zip(voices.T, RANGES, strict=True):
        assert low <= voice.min() and voice.max() <= high
    steps = np.abs(np.concatenate([np.diff(p.voices[:, 0]) for p in pieces]))
    moved = steps[steps > 0]
    assert (moved <= 2).mean() > 0.6, "the soprano goes by step"


def test_they_end_on_the_tonic_that_the_leading_note_rises_to(pieces):
    for number, piece in enumerate(pieces):
        tonic = number % 12
        last = piece.voices[-1]
        assert last[0] % 12 == last[3] % 12 == tonic
        before = next(row for row in piece.voices[::-1] if not np.array_equal(row, last))
        for old, new in zip(before, last, strict=True):
            assert old % 12 != (tonic - 1) % 12 or new == old + 1


def test_no_voice_leaps_by_a_tritone_or_a_seventh(pieces):
    for piece in pieces:
        beats = piece.voices[::4].astype(int)
        for old, new in pairwise(beats):
            assert not np.isin(np.abs(new - old), (6, 10, 11)).any()


def test_a_piece_depends_on_its_random_numbers_alone():
    one, other = (compose(3, np.random.default_rng(seed)) for seed in (1, 2))
    assert np.array_equal(one, compose(3, np.random.default_rng(1)))
    assert one.shape != other.shape or not np.array_equal(one, other)
