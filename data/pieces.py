"""Pieces of music on a grid: which pitches sound in each frame, and as far as known the voices and the notes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from data.errors import DataError
from data.music_options import MIDI_PITCHES, MusicOptions

#: A voice that rests.
REST = -1


@dataclass(frozen=True)
class Piece:
    """A piece of music.

    Attributes:
        name: the file's, or its number in an archive.
        frames: uint8 (time, pitches), 1 where a pitch sounds; the first column is the lowest pitch of the options.
        voices: int16 (time, voices) MIDI pitches, the highest voice first, −1 where it rests; None where unknown.
        tempo: quarter notes a minute.
        metre: beats of a bar, and their value.
        part: train, validation or test; None where the source does not say.
        notes: int32 (notes, 3) of MIDI pitch, first step and step after the last, by start and then by pitch; None
            where only frames or voices are known, of which `held` makes notes.
        lost: notes that were left out, being outside the pitches that are kept or too short for the grid.
    """

    name: str
    frames: np.ndarray
    voices: np.ndarray | None = None
    tempo: float = 90.0
    metre: tuple[int, int] = (4, 4)
    part: str | None = None
    notes: np.ndarray | None = None
    lost: int = 0

    def __len__(self) -> int:
        """Frames."""
        return len(self.frames)


def piece_of_voices(
    name: str, voices: np.ndarray, grid: int, options: MusicOptions, *, part: str | None = None, tempo: float = 90.0
) -> Piece:
    """A piece whose voices are known.

    Args:
        name: the piece's name.
        voices: (time, voices) MIDI pitches, −1 for a rest, the highest voice first.
        grid: rows of `voices` in a quarter note, of which as many are kept as the options' grid has.
        options: the grid and the pitches that are kept.
        part, tempo: see `Piece`.

    Raises:
        DataError: the source's grid has no such steps, or no note is left.
    """
    voices = np.asarray(voices)[:: stride(name, grid, options)].astype(np.int16)
    kept = (voices >= options.lowest) & (voices < options.lowest + options.pitches)
    lost = int(((voices != REST) & ~kept).sum())
    voices = np.where(kept, voices, REST).astype(np.int16)
    frames = np.zeros((len(voices), options.pitches), np.uint8)
    time, voice = np.nonzero(kept)
    frames[time, voices[time, voice] - options.lowest] = 1
    return _sounding(Piece(name, frames, voices, tempo=tempo, part=part, lost=lost), options)


def piece_of_chords(
    name: str,
    chords: Iterable[Sequence[int]],
    grid: int,
    options: MusicOptions,
    *,
    part: str | None = None,
    tempo: float = 90.0,
) -> Piece:
    """A piece of which only the pitches that sound together are known, `grid` chords a quarter note."""
    kept = list(chords)[:: stride(name, grid, options)]
    roll = np.zeros((len(kept), MIDI_PITCHES), np.uint8)
    for frame, chord in zip(roll, kept, strict=True):
        frame[np.asarray(chord, int)] = 1
    frames = roll[:, options.lowest : options.lowest + options.pitches]
    return _sounding(Piece(name, frames, tempo=tempo, part=part, lost=int(roll.sum() - frames.sum())), options)


def piece_of_notes(
    name: str,
    notes: np.ndarray,
    options: MusicOptions,
    *,
    tempo: float = 90.0,
    metre: tuple[int, int] = (4, 4),
) -> Piece:
    """A piece of notes on the options' grid, int32 (notes, 3) of pitch, first step and step after the last."""
    frames = np.zeros((int(notes[:, 2].max(initial=1)), options.pitches), np.uint8)
    for pitch, first, last in notes:
        frames[first:last, pitch - options.lowest] = 1
    return Piece(name, frames, tempo=tempo, metre=metre, notes=notes)


def stride(name: str, grid: int, options: MusicOptions) -> int:
    """Steps of the source from one of the options' grid to the next."""
    if grid % options.grid:
        said = "frames_a_quarter" if options.representation == "frames" else "steps_a_quarter"
        fitting = ", ".join(str(n) for n in range(1, grid + 1) if grid % n == 0)
        raise DataError(
            f"{name} has {grid} steps a quarter note, of which data.{said} {options.grid} cannot be taken. "
            f"Accepted: {fitting}."
        )
    return grid // options.grid


def _sounding(piece: Piece, options: MusicOptions) -> Piece:
    if not piece.frames.any():
        top = options.lowest + options.pitches - 1
        raise DataError(
            f"{piece.name} has no note from MIDI pitch {options.lowest} to {top}. Leave it out, or widen data.lowest "
            "and data.pitches."
        )
    return piece


def held(piece: Piece, lowest: int) -> np.ndarray:
    """The piece's notes, int32 (notes, 3): pitch, first step, step after the last.

    Where they are not known, a pitch that a voice (or, without voices, the frames) has in successive steps is one note.

    Args:
        piece: the piece.
        lowest: the pitch of the first column of its frames.
    """
    if piece.notes is not None:
        return piece.notes
    lines = held_voices(piece.voices) if piece.voices is not None else [held_frames(piece.frames, lowest)]
    return in_order(np.concatenate(lines))


def rolled(piece: Piece, lowest: int) -> list[tuple[int, int, int, int | None]]:
    """The notes of a piano roll: pitch, first step, steps, and the voice's number from the highest, None where unknown.

    Args:
        piece: the piece.
        lowest: the pitch of the first column of its frames.
    """
    if piece.voices is None:
        lines: list[tuple[int | None, np.ndarray]] = [(None, held(piece, lowest))]
    else:
        lines = list(enumerate(held_voices(piece.voices)))
    return [(p, start, end - start, voice) for voice, notes in lines for p, start, end in notes.tolist()]


def held_frames(frames: np.ndarray, lowest: int) -> np.ndarray:
    """Notes of frames (time, pitches): each pitch's stretches of 1, int32 (notes, 3)."""
    edges = np.diff(np.pad(np.asarray(frames, np.int8), ((1, 1), (0, 0))), axis=0).T
    pitch, start = np.nonzero(edges == 1)
    _, end = np.nonzero(edges == -1)
    return in_order(np.stack([pitch + lowest, start, end], axis=1).astype(np.int32))


def held_voices(voices: np.ndarray) -> list[np.ndarray]:
    """Notes of voices (time, voices): each voice's stretches of one pitch, int32 (notes, 3) a voice."""
    found = []
    for line in np.asarray(voices, np.int32).T:
        start = np.flatnonzero(np.diff(line, prepend=REST - 1))
        end = np.append(start[1:], len(line))
        notes = np.stack([line[start], start, end], axis=1).astype(np.int32)
        found.append(notes[notes[:, 0] != REST])
    return found


def outer_and_inner(piece: Piece, lowest: int) -> tuple[np.ndarray, np.ndarray]:
    """The frames of the top voice, and those of the voices below it, uint8 (time, pitches) each.

    Where voices are not known, the highest pitch of each frame is the top voice.

    Args:
        piece: the piece.
        lowest: the pitch of the first column of its frames.
    """
    pitches = np.arange(piece.frames.shape[1])
    if piece.voices is not None:
        top, *below = ((voice[:, None] == pitches + lowest).astype(np.uint8) for voice in piece.voices.T)
        return top, np.maximum.reduce(below) if below else np.zeros_like(top)
    highest = piece.frames.shape[1] - 1 - piece.frames[:, ::-1].argmax(axis=1)
    top = piece.frames * (pitches == highest[:, None])
    return top, piece.frames - top


def in_order(notes: np.ndarray) -> np.ndarray:
    """Notes by start, then by pitch, each once."""
    return np.unique(notes.reshape(-1, 3)[:, [1, 0, 2]], axis=0)[:, [1, 0, 2]].astype(np.int32)


def fingerprint(piece: Piece) -> str:
    """Equal where two pieces are the same music, in whatever key."""
    sounding = np.flatnonzero(piece.frames.any(axis=0))
    frames = piece.frames[:, sounding[0] : sounding[-1] + 1] if len(sounding) else piece.frames[:, :0]
    times = b"" if piece.notes is None else piece.notes[:, 1:].tobytes()
    return hashlib.sha256(np.array(frames.shape).tobytes() + np.packbits(frames).tobytes() + times).hexdigest()
