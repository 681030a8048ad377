"""What is counted of voice-leading is what a teacher would mark."""

from __future__ import annotations

import numpy as np
import pytest

from data.chorale_sample import sample
from data.chorales import read_chorales
from data.music_options import MusicOptions
from data.voice_leading import facts, facts_of, ranks
from tests.data.tables import real

LOWEST = 21


def frames(voices):
    found = np.zeros((len(voices), 88), np.uint8)
    for time, chord in enumerate(voices):
        for pitch in chord:
            if pitch >= 0:
                found[time, pitch - LOWEST] = 1
    return found


def counted(voices, known=True):
    found = facts(frames(voices), lowest=LOWEST, voices=np.array(voices) if known else None)
    names = ("voice_crossings", "parallel_fifths", "parallel_octaves", "notes_out_of_key")
    return tuple(found[name] for name in names)


@pytest.mark.parametrize(
    "voices, fifths, octaves",
    [
        ([[67, 60], [69, 62]], 1, 0),  # both rise by a tone, a fifth apart
        ([[79, 60], [81, 62]], 1, 0),  # a twelfth apart
        ([[72, 60], [74, 62]], 0, 1),
        ([[60, 60], [62, 62]], 0, 1),  # unisons
        ([[67, 60], [67, 60]], 0, 0),  # held
        ([[67, 60], [74, 55]], 0, 0),  # from a fifth to a nineteenth by contrary motion
        ([[67, 60], [69, 65]], 0, 0),  # a fifth, then a third
        ([[67, 60], [-1, -1], [69, 62]], 0, 0),  # a rest between
        ([[72, 67, 60], [74, 69, 62]], 1, 1),
    ],
)
def test_parallels(voices, fifths, octaves):
    assert counted(voices)[1:3] == (fifths, octaves)


def test_voices_that_are_not_known_are_followed_while_their_number_stays():
    voices = [[67, 60, -1], [69, 62, -1], [74, 67, 60]]
    assert counted(voices, known=False) == (None, 1, 0, 0)
    assert ranks(frames(voices), LOWEST).tolist() == voices
    crossed = [[60, 67], [69, 62]]
    assert counted(crossed)[:2] == (1, 0) and counted(crossed, known=False)[:2] == (None, 1)


def test_a_voice_below_the_next_is_a_crossing_and_a_rest_is_none():
    assert counted([[60, 64], [64, 60], [-1, 60], [62, -1], [60, 60]])[0] == 1


@pytest.mark.parametrize("tonic", [0, 5, 11])
@pytest.mark.parametrize(
    "scale, mode, strange", [((0, 2, 4, 5, 7, 9, 11, 12), "major", 6), ((0, 2, 3, 5, 7, 8, 11, 12), "minor", 6)]
)
def test_the_key_is_found_and_notes_outside_it_counted(tonic, scale, mode, strange):
    melody = [[60 + tonic + step] for step in (*scale, 7, 4 if mode == "major" else 3, 0)]
    found = facts(frames([*melody, [60 + tonic + strange]]), lowest=LOWEST)
    names = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
    assert found["key"] == f"{names[tonic]} {mode}"
    assert (found["notes_out_of_key"], found["notes"], found["frames"]) == (1, 12, 12)
    assert found["notes_out_of_key_per_100"] == pytest.approx(100 / 12)


def test_silence_has_no_key():
    found = facts(np.zeros((4, 88)), lowest=LOWEST)
    assert found["key"] is None and found["notes_out_of_key"] == 0
    assert facts(np.zeros((0, 88)), lowest=LOWEST)["parallel_fifths_per_100"] == 0


def test_several_pieces_add_up():
    pieces, _ = sample()
    total = facts_of(pieces[:3], lowest=LOWEST, voices=False)
    each = [facts(p.frames, lowest=LOWEST) for p in pieces[:3]]
    assert total["notes_out_of_key"] == sum(f["notes_out_of_key"] for f in each)
    assert total["frames"] == sum(map(len, pieces[:3])) and total["voice_crossings"] is None


def test_bach_hardly_ever_writes_parallels_but_lets_voices_cross():
    path = real("music/jsb_chorales/Jsb16thSeparated.json")
    pieces, _ = read_chorales(path, MusicOptions(frames_a_quarter=4))
    found = facts_of([p for p in pieces if p.part == "test"], lowest=LOWEST, voices=True)
    assert found["frames"] == 18_900
    assert found["parallel_fifths_per_100"] < 0.1 and found["parallel_octaves_per_100"] < 0.1
    assert 1 < found["voice_crossings_per_100"] < 3
