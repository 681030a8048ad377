"""Pieces and MIDI files made by tests."""

from __future__ import annotations

import numpy as np
import pretty_midi

from data.music_options import MusicOptions
from data.pieces import piece_of_chords, piece_of_voices
from data.source import Source

SOURCE = Source("test", None, "0" * 64, False, "")
#: A scale of two voices a tenth apart, by a tune number that makes each different.
LOWEST, PITCHES = 48, 24


def options(**changes):
    return MusicOptions(**{"lowest": LOWEST, "pitches": PITCHES, "window": 4, "transpose": 2, **changes})


def tunes(count, *, length=9, part=None, **changes):
    """Pieces of two voices, each different in whatever key; piece n has `length` + n frames."""
    rng = np.random.default_rng(7)
    found = []
    for number in range(count):
        top = rng.integers(62, 68, length + number)
        voices = np.stack([top, top - rng.integers(3, 12, len(top))], axis=1)
        found.append(piece_of_voices(f"tune {number}", voices, 1, options(**changes), part=part))
    return found


def chords(*which, part=None, name="chords"):
    return piece_of_chords(name, which, 1, options(), part=part)


def write(path, *tracks, tempo=120.0, metre=None, drums=(), resolution=220):
    """A MIDI file; a track is a list of (pitch, start, end) in quarter notes."""
    midi = pretty_midi.PrettyMIDI(initial_tempo=tempo, resolution=resolution)
    if metre:
        midi.time_signature_changes.append(pretty_midi.TimeSignature(*metre, 0))
    for notes, is_drum in [*((t, False) for t in tracks), *(((drums, True),) if drums else ())]:
        track = pretty_midi.Instrument(0, is_drum=is_drum)
        track.notes += [pretty_midi.Note(80, p, a * 60 / tempo, b * 60 / tempo) for p, a, b in notes]
        midi.instruments.append(track)
    path.parent.mkdir(parents=True, exist_ok=True)
    midi.write(str(path))
    return path
