"""Four-part harmony by the rules of the textbook: the voicings of a chord, and the best way from chord to chord."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise

import numpy as np

from data.pitches import OCTAVE
from data.voice_leading import FIFTH

#: Semitones of the degrees above the tonic; of minor with the raised seventh.
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 11)}
LEADING, SIXTH = 7, 6
#: MIDI pitches from which soprano, alto, tenor and bass are sung, and up to which.
RANGES = ((60, 79), (55, 72), (48, 67), (40, 60))
#: Semitones at most between neighbouring voices.
SPACING = (12, 12, 19)
#: Semitones at most that a voice leaps; never a tritone, never a seventh.
LEAPS = (7, 7, 7, 12)
FORBIDDEN_LEAPS = (6, 10, 11)
#: What a step of so many semitones costs the soprano, who should sing a tune of steps; beyond the last, the last.
TUNE = (1.5, 0.0, 0.0, 0.8, 0.8, 2.0, 9.0, 3.0)
#: What a semitone of motion costs the other voices.
MOTION = (0.25, 0.25, 0.08)
#: What a doubled third costs, and a fifth left out; a squared semitone away from the middle of the soprano's range.
DOUBLED_THIRD, NO_FIFTH, AWAY = 1.5, 1.0, 0.02
#: How much of the choice is chance.
WHIM = 2.0


@dataclass(frozen=True)
class Chord:
    """A chord in a key.

    Attributes:
        degrees: of the scale, 1 to 7: root, third, fifth and maybe the seventh.
        bass: the degree of the lowest voice.
        tonic: pitch class of the key.
        mode: major or minor.
        top: degrees that the soprano may sing; empty for all.
    """

    degrees: tuple[int, ...]
    bass: int
    tonic: int
    mode: str
    top: tuple[int, ...] = ()

    def pitch_class(self, degree: int) -> int:
        return (self.tonic + SCALES[self.mode][degree - 1]) % OCTAVE

    @property
    def seventh(self) -> int | None:
        """The pitch class of the seventh above the root, where there is one."""
        return self.pitch_class(self.degrees[3]) if len(self.degrees) > 3 else None


def lead(chords: Sequence[Chord], rng: np.random.Generator) -> np.ndarray | None:
    """Voices (chords, 4) of MIDI pitches, the soprano first, that break no rule and cost least; None if there are none.

    No parallel or contrary fifths, octaves or unisons, no hidden ones in the outer voices where the soprano leaps; no
    crossing and no overlap; leading notes rise and sevenths fall by step; no augmented second, tritone or seventh.

    Args:
        chords: one after another.
        rng: what part of the choice is left to.
    """
    choices = [voicings(chord) for chord in chords]
    cost = choices[0][1] + rng.uniform(0, WHIM, len(choices[0][0]))
    back = []
    for (before, after), (old, new) in zip(pairwise(chords), pairwise(choices), strict=True):
        total = cost[:, None] + _steps(before, after, old[0], new[0])
        back.append(total.argmin(axis=0))
        cost = total.min(axis=0) + new[1] + rng.uniform(0, WHIM, len(new[0]))
    if not len(cost) or not np.isfinite(cost.min()):
        return None
    path = [int(cost.argmin())]
    for best in reversed(back):
        path.append(int(best[path[-1]]))
    return np.array([choice[0][i] for choice, i in zip(choices, reversed(path), strict=True)])


@lru_cache(maxsize=512)
def voicings(chord: Chord) -> tuple[np.ndarray, np.ndarray]:
    """All ways to sing a chord, (ways, 4), and what each costs.

    Every note of it is there, but maybe the fifth of a chord on its root; leading note and seventh are not doubled.
    """
    classes = np.array([chord.pitch_class(d) for d in chord.degrees])
    own = [np.array([p for p in range(low, high + 1) if p % OCTAVE in classes]) for low, high in RANGES]
    own[3] = own[3][own[3] % OCTAVE == chord.pitch_class(chord.bass)]
    if chord.top:
        own[0] = own[0][np.isin(own[0] % OCTAVE, [chord.pitch_class(d) for d in chord.top])]
    ways = np.stack(np.meshgrid(*own, indexing="ij"), axis=-1).reshape(-1, 4)
    gaps = ways[:, :-1] - ways[:, 1:]
    ways = ways[((gaps > 0) & (gaps <= SPACING)).all(axis=1)]
    counts = (ways[:, :, None] % OCTAVE == classes).sum(axis=1)
    fine = (counts[:, [0, 1]] > 0).all(axis=1)
    if len(classes) > 3:
        fine &= counts[:, 3] == 1
    if chord.bass != chord.degrees[0] or LEADING in (chord.degrees[0], chord.degrees[2]):
        fine &= counts[:, 2] > 0
    if LEADING in chord.degrees:
        fine &= counts[:, chord.degrees.index(LEADING)] == 1
    ways, counts = ways[fine], counts[fine]
    cost = DOUBLED_THIRD * (counts[:, 1] > 1) + NO_FIFTH * (counts[:, 2] == 0)
    return ways, cost + AWAY * (ways[:, 0] - np.mean(RANGES[0])) ** 2


def _steps(before: Chord, after: Chord, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """(old, new) what each way from one voicing to the next costs; infinite where a rule is broken."""
    o, n = old[:, None], new[None]
    delta = n - o
    size = np.abs(delta)
    wrong = ((size > LEAPS) | np.isin(size, FORBIDDEN_LEAPS)).any(axis=-1)
    wrong |= (n[..., 1:] > o[..., :-1]).any(axis=-1) | (n[..., :-1] < o[..., 1:]).any(axis=-1)
    for high, low in combinations(range(4), 2):
        both = (delta[..., high] != 0) & (delta[..., low] != 0)
        interval = (n[..., high] - n[..., low]) % OCTAVE
        perfect = (interval == 0) | (interval == FIFTH)
        wrong |= both & perfect & ((o[..., high] - o[..., low]) % OCTAVE == interval)
    hidden = np.sign(delta[..., 0]) == np.sign(delta[..., 3])
    outer = (n[..., 0] - n[..., 3]) % OCTAVE
    wrong |= hidden & (size[..., 0] > 2) & ((outer == 0) | (outer == FIFTH))
    leading, tonic = before.pitch_class(LEADING), before.pitch_class(1)
    if LEADING in before.degrees and tonic in [after.pitch_class(d) for d in after.degrees]:
        wrong |= ((o % OCTAVE == leading) & (delta != 1)).any(axis=-1)
    if before.seventh is not None:
        wrong |= ((o % OCTAVE == before.seventh) & ~np.isin(delta, (0, -1, -2))).any(axis=-1)
    sixth = before.pitch_class(SIXTH)
    if before.mode == "minor":
        for a, b in ((sixth, leading), (leading, sixth)):
            wrong |= ((o % OCTAVE == a) & (n % OCTAVE == b)).any(axis=-1)
    tune = np.array(TUNE)[np.minimum(size[..., 0], len(TUNE) - 1)]
    return np.where(wrong, np.inf, tune + size[..., 1:] @ np.array(MOTION))
