"""Pieces as piano rolls: pitch upwards, time to the right, a colour a voice, in lines of bars as in a score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from urllib.parse import quote

from data.pitches import OCTAVE, pitch_name
from pipelines.report import numbers
from pipelines.report.chart import Key, Size, both, escape, svg
from pipelines.report.figures import Figure, is_sample
from pipelines.report.generate.sentences import counted

#: The pitches of an octave that are black keys.
BLACK = (1, 3, 6, 8, 10)
#: Four voices have colours, and names where there are no more; those below them share one colour.
VOICES, MORE = ("soprano", "alto", "tenor", "bass"), "more voices"
#: Quarter notes of a bar where a piece does not say.
QUARTERS = 4
#: Bars of a line on a wide and on a narrow screen, and of a drawing; the fewest that a line has room for.
BARS, MOST_BARS, FEWEST_BARS = {"wide": 16, "narrow": 8}, 32, 4
#: Semitones that a line shows at least, and around its lowest and highest note.
LEAST, AROUND = 24, 2
#: Pixels of a line's semitones together, at most of one, above a line for the bars' numbers, and below it.
TALL, SEMITONE, ABOVE, BELOW = 240, 5.5, 22, 10
#: Pixels left free behind a note, so that the next of its pitch is seen to begin.
GAP = 1.0


@dataclass(frozen=True)
class Note:
    """A pitch (60 is the C in the middle), the frame where it begins, its frames, and its voice where one is known."""

    pitch: int
    start: int
    length: int
    voice: int | None

    @property
    def end(self) -> int:
        return self.start + self.length


@dataclass(frozen=True)
class Piece:
    """What a page shows of a piece: the drawing, and the files beside the page as (what it is, where)."""

    name: str
    figure: Figure | None
    files: list[tuple[str, str]]


def pieces(record: dict[str, Any]) -> list[Piece]:
    """The pieces of `record["samples"]`, in the record's order."""
    return [_piece(record, given) for given in record.get("samples") or []]


def _piece(record: dict[str, Any], given: dict[str, Any]) -> Piece:
    files = [(what, given.get(key)) for key, what in (("midi", "MIDI"), ("wav", "WAV"))]
    places = [(what, f"./{quote(str(path))}") for what, path in files if path]  # never another scheme or place
    return Piece(str(given.get("name") or "a piece"), _figure(record, given), places)


def _figure(record: dict[str, Any], given: dict[str, Any]) -> Figure | None:
    notes = [_note(row) for row in given.get("notes") or []]
    if not notes:
        return None
    frames = given.get("frames_a_quarter") or 1
    a_bar = frames * QUARTERS
    end = max(note.end for note in notes)
    bars = math.ceil(end / a_bar)
    voices = sorted({note.voice for note in notes if note.voice is not None})

    def draw(size: Size) -> str:
        shown = min(bars, MOST_BARS)
        return _lines(notes, a_bar, frames, shown, size).svg(alt, is_sample(record))

    lowest, highest = (name(f(note.pitch for note in notes)) for f in (min, max))
    said = f"{numbers.count(len(notes), 'note')} from {lowest} to {highest} in {numbers.count(bars, 'bar')}"
    parts = f", {numbers.count(len(voices), 'voice')}" if voices else ""
    alt = f"Piano roll of {given.get('name') or 'a piece'}: {said}{parts}."
    caption = f"{numbers.sentence(said)[:-1]} of {numbers.count(QUARTERS, 'quarter')}"
    tempo = given.get("tempo")
    if numbers.is_number(tempo) and tempo > 0:
        caption += f", {numbers.duration(60 * end / frames / tempo)} at {numbers.whole(tempo)} quarters a minute"
    caption += "."
    if bars > MOST_BARS:
        caption += f" The first {MOST_BARS} bars are drawn."
    if facts := counted(given.get("facts")):
        key = given["facts"].get("key")
        caption += f" Counted{f' in {key}' if key else ''}: {facts}."
    keys = {_named(voice, voices): _mark(voice) for voice in voices} if len(voices) > 1 else {}
    legend = [Key(mark, text) for text, mark in keys.items()]
    return Figure(both(draw), caption, legend=legend)


def _note(row: Sequence[Any]) -> Note:
    pitch, start, length, voice = row
    return Note(int(pitch), int(start), max(1, int(length)), None if voice is None or voice < 0 else int(voice))


def name(pitch: int) -> str:
    """60 → C4."""
    return pitch_name(pitch).replace("-", "−")


def _named(voice: int, voices: Sequence[int]) -> str:
    if voice >= len(VOICES):
        return MORE
    return VOICES[voice] if max(voices) < len(VOICES) and len(voices) > 2 else f"voice {voice + 1}"


def _style(voice: int | None) -> str:
    return "model" if voice is None else f"voice-{min(voice, len(VOICES))}"


def _mark(voice: int) -> str:
    inside = f'<rect class="note {_style(voice)}" y="2" width="26" height="8"/>'
    return f'<svg class="key" viewBox="0 0 26 12" aria-hidden="true">{inside}</svg>'


@dataclass
class _Lines:
    """A drawing in the making: lines below each other, each of some frames."""

    size: Size
    parts: list[str]
    height: float

    def svg(self, alt: str, sample: bool) -> str:
        return svg(self.size.width, round(self.height), "".join(self.parts), alt, sample)


def _lines(notes: Sequence[Note], a_bar: int, a_beat: int, bars: int, size: Size) -> _Lines:
    low = min(note.pitch for note in notes) - AROUND
    high = max(max(note.pitch for note in notes) + AROUND, low + LEAST)
    semitone = min(SEMITONE, TALL / (high - low + 1))
    across = min(BARS[size.name], max(FEWEST_BARS, bars))
    drawing = _Lines(size, [], 0.0)
    tall = semitone * (high - low + 1)
    for first in range(0, bars, across):
        top = drawing.height + ABOVE
        of_line = min(across, bars - first)
        line = _Line(size.left, top, (size.width - size.left - 2) / (across * a_bar), semitone, high, first * a_bar)
        drawing.parts += line.ground(low, a_bar, a_beat, of_line)
        drawing.parts += line.notes(notes, (first + of_line) * a_bar)
        drawing.height = top + tall + BELOW
    return drawing


@dataclass(frozen=True)
class _Line:
    """Where a line stands: its left and top, pixels of a frame and of a semitone, its highest pitch, first frame."""

    left: float
    top: float
    frame: float
    semitone: float
    high: int
    first: int

    def x(self, frame: float) -> float:
        return self.left + (frame - self.first) * self.frame

    def y(self, pitch: int) -> float:
        return self.top + (self.high - pitch) * self.semitone

    def ground(self, low: int, a_bar: int, a_beat: int, bars: int) -> list[str]:
        """Rows of the black keys, lines of beats and bars, the numbers of bars, the names of the Cs."""
        right, floor = self.x(self.first + bars * a_bar), self.y(low - 1)
        width, tall = right - self.left, floor - self.top
        keys = "".join(
            f"M{self.left} {self.y(p):.1f}h{width:.1f}v{self.semitone:.2f}h-{width:.1f}z"
            for p in range(low, self.high + 1)
            if p % OCTAVE in BLACK
        )
        beats = range(self.first, self.first + bars * a_bar + 1, a_beat)
        fine = "".join(f"M{self.x(at):.1f} {self.top}v{tall:.1f}" for at in beats if at % a_bar)
        edges = "".join(f"M{self.x(at):.1f} {self.top}v{tall:.1f}" for at in beats if at % a_bar == 0)
        found = [
            f'<path class="keys" d="{keys}"/>',
            f'<path class="grid" d="{fine}"/>',
            f'<path class="bars" d="{edges}"/>',
        ]
        for pitch in range(low, self.high + 1):
            if pitch % OCTAVE == 0:
                at = self.y(pitch) + self.semitone / 2 + 4
                found.append(
                    f'<text class="tick" x="{self.left - 8}" y="{at:.1f}" text-anchor="end">{name(pitch)}</text>'
                )
        for bar in range(self.first // a_bar, self.first // a_bar + bars, QUARTERS):
            found.append(f'<text class="tick" x="{self.x(bar * a_bar):.1f}" y="{self.top - 6}">{bar + 1}</text>')
        return found

    def notes(self, notes: Sequence[Note], end: int) -> list[str]:
        """A path a voice, of the notes or their parts from the line's first frame to `end`."""
        shown = [note for note in notes if note.start < end and note.end > self.first]
        found = []
        for style, of_voice in groupby(sorted(shown, key=lambda n: _style(n.voice)), key=lambda n: _style(n.voice)):
            d = "".join(self._box(note, end) for note in of_voice)
            found.append(f'<path class="note {escape(style)}" d="{d}"/>')
        return found

    def _box(self, note: Note, end: int) -> str:
        left, right = self.x(max(note.start, self.first)), self.x(min(note.end, end))
        width = max(right - left - (GAP if note.end <= end else 0), GAP)
        tall = self.semitone - 0.5
        return f"M{left:.1f} {self.y(note.pitch) + 0.25:.2f}h{width:.1f}v{tall:.2f}h-{width:.1f}z"
