"""Chorales made by code, by the rules of the textbook, so that a model of music can be tried without a download."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np

from data.music_options import MusicOptions
from data.music_voicing import FIFTH, SCALES, Chord, lead
from data.pieces import Piece, piece_of_voices
from data.pitches import OCTAVE
from data.source import Source

PIECES = 60
#: Rows of the voices in a quarter note, and the beats of a phrase, of which the last chord has two.
GRID, BEATS = 4, 8
PHRASES = (4, 6)
TEMPI = (72, 80, 88, 96)
#: name → the degrees of the scale that sound, and that of the bass.
CHORDS: dict[str, tuple[tuple[int, ...], int]] = {
    "I": ((1, 3, 5), 1),
    "I6": ((1, 3, 5), 3),
    "I64": ((1, 3, 5), 5),
    "ii": ((2, 4, 6), 2),
    "ii6": ((2, 4, 6), 4),
    "ii65": ((2, 4, 6, 1), 4),
    "IV": ((4, 6, 1), 4),
    "IV6": ((4, 6, 1), 6),
    "V": ((5, 7, 2), 5),
    "V6": ((5, 7, 2), 7),
    "V7": ((5, 7, 2, 4), 5),
    "V65": ((5, 7, 2, 4), 7),
    "V42": ((5, 7, 2, 4), 4),
    "vi": ((6, 1, 3), 6),
    "vii6": ((7, 2, 4), 2),
}
#: Which chords follow which, and how often: tonic, then what prepares the dominant, then the dominant, then tonic.
NEXT: dict[str, dict[str, int]] = {
    "I": {"I6": 3, "ii": 1, "ii6": 2, "IV": 4, "IV6": 1, "V": 3, "V6": 2, "V65": 1, "vi": 3, "vii6": 1},
    "I6": {"I": 2, "ii6": 3, "IV": 4, "V": 2, "vii6": 1},
    "ii": {"V": 4, "V7": 2, "V6": 1, "vii6": 1},
    "ii6": {"V": 5, "V7": 3, "vii6": 1},
    "ii65": {"V": 3, "V7": 2},
    "IV": {"I": 2, "I6": 1, "ii6": 2, "ii65": 1, "V": 4, "V7": 1, "V42": 1, "vii6": 1},
    "IV6": {"I6": 2, "V": 3, "V65": 1, "IV": 1},
    "V": {"I": 5, "V42": 1, "V6": 1, "vi": 2, "V7": 1},
    "V6": {"I": 4, "V65": 1},
    "V7": {"I": 4, "vi": 1},
    "V65": {"I": 1},
    "V42": {"I6": 1},
    "vi": {"ii": 2, "ii6": 3, "IV": 4, "V": 1, "I6": 1},
    "vii6": {"I": 2, "I6": 2},
    "I64": {"V": 1, "V7": 1},
}
#: How phrases end; the last in the first way.
CADENCES: dict[str, tuple[tuple[str, ...], ...]] = {
    "authentic": (("ii6", "V", "I"), ("ii65", "V7", "I"), ("IV", "V", "I"), ("IV", "I64", "V7", "I")),
    "half": (("I", "V"), ("ii6", "V"), ("IV", "V"), ("vi", "V")),
    "deceptive": (("ii6", "V", "vi"), ("IV", "V7", "vi")),
}
WEIGHTS = {"authentic": 0.5, "half": 0.4, "deceptive": 0.1}
#: Chords that are diminished in minor and sound badly on their root.
MAJOR_ALONE = ("ii",)
#: Semitones up to the key that a phrase in the middle may go to: the dominant's, or that of the relative major.
ELSEWHERE = {"major": (FIFTH, "major"), "minor": (3, "major")}
AWAY = 0.4
#: How often a third between two beats is filled by the note between.
PASSING = 0.5


def sample(options: MusicOptions | None = None) -> tuple[list[Piece], Source]:
    """60 chorales of four parts in all keys, of four to six phrases, with cadences and passing notes.

    Chords follow one another by function, voices by the rules of `data.music_voicing`. They are correct, and dull.
    """
    options = options or MusicOptions()
    scores = _scores()
    tempi = [float(TEMPI[number % len(TEMPI)]) for number in range(PIECES)]
    digest = hashlib.sha256(b"".join(score.astype("<i2").tobytes() for score in scores)).hexdigest()
    pieces = [
        piece_of_voices(f"chorale {number + 1}", score, GRID, options, tempo=tempo)
        for number, (score, tempo) in enumerate(zip(scores, tempi, strict=True))
    ]
    return pieces, Source("sample", None, digest, True, "made by code, by the rules of the textbook, not by a composer")


@lru_cache(maxsize=1)
def _scores() -> list[np.ndarray]:
    rng = np.random.default_rng(1685)
    return [compose(number, rng) for number in range(PIECES)]


def compose(number: int, rng: np.random.Generator) -> np.ndarray:
    """Voices (time, 4), the soprano first, four rows a quarter note; the number says the key."""
    tonic, mode = number % OCTAVE, list(SCALES)[number // OCTAVE % len(SCALES)]
    while True:
        chords, beats = _chords(tonic, mode, rng)
        voices = lead(chords, rng)
        if voices is not None:
            return _with_passing_notes(voices, chords, beats, rng)


def _chords(tonic: int, mode: str, rng: np.random.Generator) -> tuple[list[Chord], list[int]]:
    """The chords of a piece, and the beats of each."""
    phrases = int(rng.integers(*PHRASES, endpoint=True))
    chords: list[Chord] = []
    beats: list[int] = []
    for phrase in range(phrases):
        last = phrase == phrases - 1
        ending = "authentic" if last else str(rng.choice(list(WEIGHTS), p=list(WEIGHTS.values())))
        away, other = ELSEWHERE[mode]
        elsewhere = 0 < phrase < phrases - 1 and rng.random() < AWAY
        key = ((tonic + away) % OCTAVE, other) if elsewhere else (tonic, mode)
        names = _progression(ending, BEATS - 1, key[1], rng)
        for place, name in enumerate(names):
            degrees, bass = CHORDS[name]
            top = (1,) if last and place == len(names) - 1 else ()
            chords.append(Chord(degrees, bass, *key, top))
        beats += [1] * (len(names) - 1) + [2]
    return chords, beats


def _progression(ending: str, length: int, mode: str, rng: np.random.Generator) -> list[str]:
    """Chords from the tonic to a cadence: a Markov chain that is told where it must arrive, and when."""
    cadences = CADENCES[ending]
    cadence = cadences[rng.integers(len(cadences))]
    names = [n for n in NEXT if mode == "major" or n not in MAJOR_ALONE]
    chances = np.array([[NEXT[a].get(b, 0) for b in names] for a in names], float)
    chances /= chances.sum(axis=1, keepdims=True)
    steps = length - len(cadence)
    arrives = [np.eye(len(names))[names.index(cadence[0])]]
    for _ in range(steps):
        arrives.append(chances @ arrives[-1])
    found = [names.index("I")]
    for left in range(steps - 1, 0, -1):
        weights = chances[found[-1]] * arrives[left]
        found.append(int(rng.choice(len(names), p=weights / weights.sum())))
    return [*(names[i] for i in found), *cadence]


def _with_passing_notes(
    voices: np.ndarray, chords: list[Chord], beats: list[int], rng: np.random.Generator
) -> np.ndarray:
    """The voices on the grid; where one moves by a third, the note between is sung on the second half of the beat."""
    rows = np.repeat(voices, np.array(beats) * GRID, axis=0)
    ends = np.cumsum(beats) * GRID
    for number, end in enumerate(ends[:-1]):
        old, new = voices[number], voices[number + 1]
        passed = old.copy()
        scale = {chords[number].pitch_class(d) for d in range(1, len(SCALES["major"]) + 1)}
        for voice in rng.permutation(4):
            between = range(min(old[voice], new[voice]) + 1, max(old[voice], new[voice]))
            steps = [p for p in between if p % OCTAVE in scale]
            if abs(new[voice] - old[voice]) in (3, 4) and len(steps) == 1 and rng.random() < PASSING:
                tried = passed.copy()
                tried[voice] = steps[0]
                if not _parallel(old, tried) and not _parallel(tried, new) and (np.diff(tried) < 0).all():
                    passed = tried
        rows[end - GRID // 2 : end] = passed
    return rows


def _parallel(old: np.ndarray, new: np.ndarray) -> bool:
    """Whether two voices go from a fifth to a fifth, or from an octave to an octave."""
    before, after = ((v[:, None] - v[None]) % OCTAVE for v in (old, new))
    moved = (old != new)[:, None] & (old != new)[None]
    pairs = np.triu(np.ones((4, 4), bool), 1)
    return bool((moved & pairs & (before == after) & ((after == 0) | (after == FIFTH))).any())
