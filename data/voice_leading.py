"""What can be counted of voice-leading: crossings, parallel fifths and octaves, notes out of the key."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from data.pieces import REST, Piece
from data.pitches import OCTAVE, TONICS

FIFTH = 7
#: Semitones above the tonic that belong to a key; of minor the seventh both as it is and raised.
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10, 11)}
#: How well each semitone above the tonic fits a key, as listeners judged (Krumhansl and Kessler 1982, Tracing the
#: dynamic changes in perceived tonal organization in a spatial representation of musical keys).
PROFILES = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}
COUNTED = ("voice_crossings", "parallel_fifths", "parallel_octaves", "notes_out_of_key")


def facts(frames: np.ndarray, *, lowest: int, voices: np.ndarray | None = None) -> dict[str, Any]:
    """What is counted of one piece.

    Two voices are parallel where both move the same way, from a fifth to a fifth or from an octave (or unison) to one,
    whatever octaves lie between. Where voices are not known they are read from the notes of each frame, from high to
    low, and followed as long as their number stays; they then cannot cross.

    Args:
        frames: (time, pitches) of 0 and 1.
        lowest: the MIDI pitch of the first column.
        voices: (time, voices) MIDI pitches, the highest voice first, −1 where it rests.

    Returns:
        `frames`, `notes` (a note counts in each frame in which it sounds), `key`; `voice_crossings` (frames in which a
        voice is below the next; None where voices are not known), `parallel_fifths`, `parallel_octaves`,
        `notes_out_of_key`; and each of the four once more for 100 frames, with `_per_100`.
    """
    frames = np.asarray(frames) > 0
    known = voices is not None
    lines = np.asarray(voices) if voices is not None else ranks(frames, lowest)
    heard = frames.sum(axis=0)
    name, out = _key(heard, lowest)
    found = {
        "voice_crossings": _crossings(lines) if known else None,
        "parallel_fifths": _parallels(lines, FIFTH, followed=known),
        "parallel_octaves": _parallels(lines, 0, followed=known),
        "notes_out_of_key": out,
    }
    return _per_100({"frames": len(frames), "notes": int(heard.sum()), "key": name, **found})


def facts_of(pieces: Sequence[Piece], *, lowest: int, voices: bool) -> dict[str, Any]:
    """What is counted of several pieces, added up; no `key`.

    Args:
        pieces: which.
        lowest: the MIDI pitch of the first column of their frames.
        voices: whether to use their voices; otherwise they are read from the frames, as where none are known.
    """
    each = [facts(p.frames, lowest=lowest, voices=p.voices if voices else None) for p in pieces]
    found: dict[str, Any] = {"frames": sum(f["frames"] for f in each), "notes": sum(f["notes"] for f in each)}
    for name in COUNTED:
        counts = [f[name] for f in each]
        found[name] = None if None in counts else sum(counts)
    return _per_100(found)


def _per_100(found: dict[str, Any]) -> dict[str, Any]:
    for name in COUNTED:
        rate = None if found[name] is None else 100 * found[name] / max(1, found["frames"])
        found[f"{name}_per_100"] = rate
    return found


def ranks(frames: np.ndarray, lowest: int) -> np.ndarray:
    """Voices read from frames: (time, most notes at once), the notes of each frame from high to low, −1 below them."""
    most = max(1, int(frames.sum(axis=1).max(initial=0)))
    voices = np.full((len(frames), most), REST, np.int16)
    for time, frame in enumerate(frames):
        notes = np.flatnonzero(frame)[::-1] + lowest
        voices[time, : len(notes)] = notes
    return voices


def _crossings(voices: np.ndarray) -> int:
    upper, lower = voices[:, :-1], voices[:, 1:]
    return int(((upper < lower) & (upper != REST) & (lower != REST)).any(axis=1).sum())


def _parallels(voices: np.ndarray, interval: int, *, followed: bool) -> int:
    """Pairs of voices that move the same way from the interval to the interval, octaves aside."""
    before, after = voices[:-1].astype(int), voices[1:].astype(int)
    sounds = (before != REST) & (after != REST)
    if not followed:
        same = (before != REST).sum(axis=1) == (after != REST).sum(axis=1)
        sounds &= same[:, None]
    moves = np.sign(after - before)
    count = 0
    for high, low in combinations(range(voices.shape[1]), 2):
        together = sounds[:, high] & sounds[:, low] & (moves[:, high] == moves[:, low]) & (moves[:, high] != 0)
        apart = [np.abs(at[:, high] - at[:, low]) % OCTAVE == interval for at in (before, after)]
        count += int((together & apart[0] & apart[1]).sum())
    return count


def _key(heard: np.ndarray, lowest: int) -> tuple[str | None, int]:
    """The key whose profile goes best with how often each pitch is heard, and how many notes are not of its scale."""
    classes = np.bincount((np.arange(len(heard)) + lowest) % OCTAVE, weights=heard, minlength=OCTAVE)
    if not classes.any():
        return None, 0
    fits = {
        (mode, tonic): np.corrcoef(np.roll(profile, tonic), classes)[0, 1] if classes.std() else 0.0
        for mode, profile in PROFILES.items()
        for tonic in range(OCTAVE)
    }
    mode, tonic = max(fits, key=lambda key: fits[key])
    inside = classes[[(tonic + step) % OCTAVE for step in SCALES[mode]]].sum()
    return f"{TONICS[tonic]} {mode}", int(classes.sum() - inside)
