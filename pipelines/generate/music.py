"""Music from an exported model: MIDI, WAV and a piano roll, with what can be counted of its voice-leading."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data.errors import DataError
from data.events import EventTransform
from data.midi import read_midi, render, write_midi
from data.music_options import MusicOptions
from data.pieces import Piece, held, outer_and_inner, piece_of_notes
from data.voice_leading import COUNTED, facts
from pipelines.generate import tokens
from pipelines.generate.order import Order
from pipelines.generate.roll import draw
from pipelines.generate.stream import Stream
from pipelines.generate.writing import numbered
from pipelines.predict import output

#: Where music goes if nothing else is said.
OUTPUT = Path("generated.mid")


@dataclass(frozen=True)
class Composed:
    """A piece and its files."""

    midi: Path
    wav: Path
    picture: Path
    facts: dict[str, Any]


@dataclass(frozen=True)
class Music:
    """Pieces that a model composed.

    Attributes:
        pieces: each with its files, and the facts of its voice-leading.
        model: the exported file that composed them.
        notes: what was to be said of the opening, or of the voice that was given.
        sample: whether the model was trained on the built-in sample.
        seconds: the time that all pieces took.
    """

    pieces: list[Composed]
    model: Path
    notes: list[str]
    sample: bool
    seconds: float

    def lines(self) -> list[str]:
        """What the screen shows."""
        found = []
        for piece in self.pieces:
            found += [f"MIDI  {piece.midi}", f"Sound  {piece.wav}", f"Picture  {piece.picture}", _counted(piece.facts)]
        found += self.notes
        if self.sample:
            found.append("The model was trained on the built-in SAMPLE, not on real pieces")
        return [*found, f"{len(self.pieces)} composed in {self.seconds:.1f} s, by {self.model.name}"]

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "model": str(self.model),
            "sample": self.sample,
            "pieces": [
                {"midi": str(p.midi), "wav": str(p.wav), "picture": str(p.picture), "facts": p.facts}
                for p in self.pieces
            ],
            "notes": self.notes,
            "seconds": round(self.seconds, 2),
        }


def compose(stream: Stream, order: Order) -> Music:
    """Compose, continue an opening, or harmonise a voice; see `pipelines.generate.make.make`."""
    contract = stream.contract
    options = MusicOptions(**contract["options"])
    before, notes = _read(order, options)
    start = time.perf_counter()
    make = _of_frames if contract["representation"] == "notes" else _of_events
    pieces = make(stream, order, options, before)
    seconds = time.perf_counter() - start
    place = order.output or OUTPUT
    paths = numbered(place if place.suffix else place / OUTPUT, len(pieces))
    found = [_put(path, piece, options) for path, piece in zip(paths, pieces, strict=True)]
    return Music(found, stream.path, notes, bool(contract.get("sample")), seconds)


def _read(order: Order, options: MusicOptions) -> tuple[Piece | None, list[str]]:
    """What is continued or harmonised, and what is to be said of it."""
    path = order.given or order.opening
    if path is None:
        return None, []
    if not path.is_file():
        raise DataError(f"{path}: no such file. Accepted: a MIDI file.")
    piece = read_midi(path, options)
    lost = f"{piece.lost:,} notes of {path.name} are outside the model's pitches, or too short for its grid: left out"
    return piece, [lost] if piece.lost else []


def _of_frames(stream: Stream, order: Order, options: MusicOptions, before: Piece | None) -> list[Piece]:
    """Pieces of frames: the opening and what follows it, or the voice given and what goes with it."""
    contract, rows = stream.contract, order.rows
    given = opening = np.zeros((0, options.pitches), np.uint8)
    if order.given is not None and before is not None:
        given, _ = outer_and_inner(before, options.lowest)
    elif before is not None:
        opening = before.frames
    steps = len(given) or order.steps(contract)
    order.fit(contract, len(opening), steps, "opening")
    state = stream.start(rows, _padded(given, contract["device_length"], stream) if len(given) else None)
    found = np.stack(list(_frames(stream, order, state, opening, steps)), axis=1).astype(np.uint8)
    tempo = before.tempo if before is not None else contract["tempo"]
    metre = before.metre if before is not None else (4, 4)
    pieces = []
    for number, new in enumerate(found, start=1):
        frames = np.maximum(given, new) if len(given) else np.concatenate([opening, new])
        pieces.append(Piece(f"{contract['task']} {number}", frames, tempo=tempo, metre=metre))
    return pieces


def _padded(given: np.ndarray, length: int, stream: Stream) -> np.ndarray:
    """The voice as int32, for a device filled up to its length with −1."""
    found = given.astype(np.int32)
    if not stream.is_litert:
        return found
    if len(given) > length:
        raise DataError(f"The voice has {len(given):,} frames, and {stream.path.name} takes {length:,}. Cut it.")
    return np.pad(found, [(0, length - len(given)), (0, 0)], constant_values=-1)


def _frames(stream: Stream, order: Order, state: Any, opening: np.ndarray, steps: int) -> Iterator[np.ndarray]:
    """The frames that follow the opening, float32 (rows, pitches) one after the other.

    The file draws its notes itself, from uniform numbers: those of the first new frame are for the step that reads the
    last of what is known, which is why the state has a clock that begins before zero.
    """
    from seqlayers.generation import read, streamed
    from seqlayers.uniforms import uniforms

    rows, pitches = order.rows, stream.contract["pitches"]
    temperature = np.full(rows, order.sampling.temperature, "float32")
    seeds = np.array(order.seeds, "int32")
    even = np.full((rows, pitches), 0.5, "float32")  # what is likelier than not sounds

    def step(notes: Any, clocked: Any) -> tuple[Any, Any]:
        clock, state = clocked["clock"], clocked["state"]
        draws = even if order.greedy else np.asarray(uniforms(seeds, np.maximum(clock, 0), pitches))
        outputs, after = stream.step({"notes": notes, "uniforms": draws, "temperature": temperature}, state)
        return outputs["notes"], {"clock": np.asarray(clock) + np.int32(1), "state": after}

    known = np.concatenate([np.zeros((1, pitches)), opening]).astype("float32")
    clock = np.full(rows, 1 - len(known), np.int32)
    known = np.tile(known, (rows, 1, 1))
    notes, after, _ = read(step, {"clock": clock, "state": state}, known)
    return streamed(step, notes, after, steps, lambda drawn, t, seen: drawn)


def _of_events(stream: Stream, order: Order, options: MusicOptions, before: Piece | None) -> list[Piece]:
    """Pieces of events: the opening and what follows it, up to the border between pieces."""
    contract, transform = stream.contract, EventTransform.from_json(stream.contract["transform"])
    opening = np.zeros(0, np.int32)
    if before is not None:
        opening = transform.to_ids(held(before, options.lowest))[1:-1]  # without the borders
    order.fit(contract, len(opening), order.steps(contract), "opening")
    border = contract["start"]
    if order.beam is not None:
        rows = [ids for ids, _ in tokens.likeliest(stream, order, opening, border)]
    else:
        rows = list(np.stack(list(tokens.drawn(stream, order, opening, border)), axis=1))
    tempo = before.tempo if before is not None else contract["tempo"]
    pieces = []
    for number, row in enumerate(rows, start=1):
        notes = transform.to_notes([*opening, *row])
        metre = (4, 4) if before is None else before.metre
        pieces.append(piece_of_notes(f"{contract['task']} {number}", notes, options, tempo=tempo, metre=metre))
    return pieces


def _put(path: Path, piece: Piece, options: MusicOptions) -> Composed:
    """Write a piece as MIDI, sound and picture, side by side."""
    midi, wav, picture = path, path.with_suffix(".wav"), path.with_suffix(".png")
    output.write(midi, lambda to: write_midi(to, piece, grid=options.grid, lowest=options.lowest))
    output.write(wav, lambda to: render(midi, to))
    output.write(picture, lambda to: draw(to, held(piece, options.lowest), options.grid, piece.name))
    return Composed(midi, wav, picture, facts(piece.frames, lowest=options.lowest))


def _counted(found: dict[str, Any]) -> str:
    """The facts in a line."""
    counts = [f"{found[name]} {name.replace('_', ' ')}" for name in COUNTED if found[name] is not None]
    key = f", in {found['key']}" if found["key"] else ""
    return f"{found['frames']:,} steps, {found['notes']:,} notes{key}: {', '.join(counts)}"
