"""Pitches are called as musicians call them."""

from data.pitches import TONICS, pitch_name


def test_pitches_and_keys_have_names():
    assert [pitch_name(pitch) for pitch in (60, 69, 61, 58, 0)] == ["C4", "A4", "C♯4", "B♭3", "C-1"]
    assert TONICS == ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
