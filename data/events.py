"""Polyphonic music as tokens of events: a note begins, a note ends, time goes by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from data.errors import DataError
from data.music_options import MusicOptions
from data.pieces import in_order

#: Ids: padding, what never occurs, what stands before a piece and after it, and the first of the events.
PADDING_ID, NEVER, START, FIRST = 0, 1, 2, 3


@dataclass(frozen=True)
class EventTransform:
    """Notes to ids and back.

    After 0 (padding), 1 (never) and 2 (the border between pieces) come a note-on for each pitch, a note-off for each
    pitch, and times of 1 to `shift_steps` steps. Of what happens at one time notes end first, and then begin, each from
    low to high. (Oore et al. 2018, This time with feeling: learning expressive musical performance.)

    Attributes:
        lowest: the lowest MIDI pitch.
        pitches: how many from there up.
        shift_steps: the longest time of one token.
        steps_a_quarter: steps of a quarter note.
    """

    lowest: int
    pitches: int
    shift_steps: int
    steps_a_quarter: int
    unit = "event"

    @classmethod
    def of(cls, options: MusicOptions) -> EventTransform:
        return cls(options.lowest, options.pitches, options.shift_steps, options.steps_a_quarter)

    @property
    def size(self) -> int:
        """How many ids there are, padding included."""
        return FIRST + 2 * self.pitches + self.shift_steps

    def to_ids(self, notes: np.ndarray) -> np.ndarray:
        """Notes (notes, 3) of pitch, first step and step after the last → int32 (tokens,), the border on either side.

        Raises:
            DataError: a note is outside the pitches, or does not end after it begins.
        """
        notes = np.asarray(notes, np.int64).reshape(-1, 3)
        pitch = notes[:, 0] - self.lowest
        if wrong := int(((pitch < 0) | (pitch >= self.pitches) | (notes[:, 2] <= notes[:, 1])).sum()):
            top = self.lowest + self.pitches - 1
            raise DataError(
                f"{wrong} of {len(notes)} notes have a pitch outside {self.lowest} to {top}, or no length. Widen "
                "data.lowest and data.pitches, or leave them out."
            )
        on, off = FIRST + pitch, FIRST + self.pitches + pitch
        ends, begins = (
            [(t, 0, e) for t, e in zip(notes[:, 2], off, strict=True)],
            [(t, 1, e) for t, e in zip(notes[:, 1], on, strict=True)],
        )
        found, now = [START], 0
        for time, _, event in sorted(ends + begins):
            while now < time:
                passed = min(int(time) - now, self.shift_steps)
                found.append(FIRST + 2 * self.pitches + passed - 1)
                now += passed
            found.append(int(event))
        return np.array([*found, START], np.int32)

    def to_notes(self, ids: Iterable[int]) -> np.ndarray:
        """Ids → notes, int32 (notes, 3); whatever a model has written can be read.

        What is no event is passed over. A note that begins while its pitch sounds ends it, a note-off without a note
        is passed over, and what still sounds at the end ends there.
        """
        found: list[tuple[int, int, int]] = []
        sounding: dict[int, int] = {}
        now = 0

        def end(pitch: int) -> None:
            begun = sounding.pop(pitch, now)
            if begun < now:
                found.append((pitch, begun, now))

        for event in map(int, ids):
            number = event - FIRST
            if 0 <= number < 2 * self.pitches:
                pitch = self.lowest + number % self.pitches
                end(pitch)
                if number < self.pitches:
                    sounding[pitch] = now
            elif 2 * self.pitches <= number < self.size - FIRST:
                now += number - 2 * self.pitches + 1
        for pitch in list(sounding):
            end(pitch)
        return in_order(np.array(found, np.int32).reshape(-1, 3))

    def text_numpy(self, ids: Iterable[int]) -> str:
        """Ids in words: `+60 +64 4 -60`, a note begun, an end, and steps in between."""
        said = []
        for event in map(int, ids):
            number = event - FIRST
            if 0 <= number < 2 * self.pitches:
                said.append(f"{'+-'[number // self.pitches]}{self.lowest + number % self.pitches}")
            elif 2 * self.pitches <= number < self.size - FIRST:
                said.append(str(number - 2 * self.pitches + 1))
        return " ".join(said)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> EventTransform:
        return cls(**found)
