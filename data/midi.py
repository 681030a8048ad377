"""MIDI files: read as pieces on a grid, written from pieces, rendered as sound."""

from __future__ import annotations

import hashlib
import io
import warnings
from pathlib import Path

import numpy as np
import pretty_midi
import scipy.io.wavfile

from data.columns import Repair
from data.errors import DataError, listing
from data.music_options import MusicOptions
from data.pieces import REST, Piece, held, held_voices, in_order
from data.source import Source
from data.tables import read_bytes
from data.text_columns import PART_NAMES

SUFFIXES = (".mid", ".midi")
#: A frame is what sounds so much of a step after its grid line: players are late now and then.
LATE = 0.25
#: Instruments of General MIDI that written files ask for: voices each by itself, else all by one.
CHOIR, PIANO = "Choir Aahs", "Acoustic Grand Piano"
#: Monophonic tracks at most that are taken for the voices of one piece.
MOST_VOICES = 8
#: How hard written notes are struck, of 127.
VELOCITY = 80
#: Samples a second of rendered sound, and the loudest of 16 bits.
RATE, LOUDEST = 22_050, 2**15 - 1


class Drums(DataError):
    """A MIDI file in which nothing but drums plays."""


def read_midi(path: Path, options: MusicOptions, *, part: str | None = None) -> Piece:
    """A MIDI file as a piece; drums are left out, tempo and metre are those at its start.

    Steps of the grid are counted in quarter notes, so that changes of tempo do not matter. Frames hold what sounds at
    each grid line (a quarter of a step after it); for events, starts and ends go to the nearest. Where two to eight
    tracks never sound two notes at once, they are the voices, the highest first.

    Raises:
        DataError: the file cannot be read as MIDI, or holds no note but drums'.
    """
    raw = read_bytes(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of changes of tempo that stand in the wrong track
            midi = pretty_midi.PrettyMIDI(io.BytesIO(raw))
    except Exception as error:  # mido and pretty_midi raise many kinds
        reason = str(error) or type(error).__name__
        raise DataError(
            f"{path} is damaged, cut short, or no MIDI file ({reason}). Accepted: {' or '.join(SUFFIXES)}, format 0 "
            "or 1. Export it again."
        ) from None
    playing = [instrument for instrument in midi.instruments if instrument.notes]
    tuned = [instrument for instrument in playing if not instrument.is_drum]
    if not tuned:
        what = "only drums, which have no pitch" if playing else "no notes"
        raise (Drums if playing else DataError)(f"{path} holds {what}. Give a file in which an instrument plays.")
    tracks, lost = [], 0
    for instrument in tuned:
        times = [(n.pitch, midi.time_to_tick(n.start), midi.time_to_tick(n.end)) for n in instrument.notes]
        notes, gone = on_grid(np.array(times), options.grid / midi.resolution, options)
        tracks.append(notes)
        lost += gone
    notes = without_overlap(np.concatenate(tracks))
    if not len(notes):
        top = options.lowest + options.pitches - 1
        raise DataError(
            f"{path} holds no note from MIDI pitch {options.lowest} to {top} that lasts as long as a step of the grid "
            f"of {options.grid} a quarter note. Take a finer grid, or widen data.lowest and data.pitches."
        )
    frames = np.zeros((int(notes[:, 2].max()), options.pitches), np.uint8)
    for pitch, start, end in notes:
        frames[start:end, pitch - options.lowest] = 1
    _, tempi = midi.get_tempo_changes()
    metre = midi.time_signature_changes[0] if midi.time_signature_changes else None
    return Piece(
        path.name,
        frames,
        _voices(tracks, len(frames)),
        tempo=float(tempi[0]),
        metre=(metre.numerator, metre.denominator) if metre else (4, 4),
        part=part,
        notes=notes,
        lost=lost,
    )


def on_grid(times: np.ndarray, scale: float, options: MusicOptions) -> tuple[np.ndarray, int]:
    """Notes as int32 (notes, 3) of pitch, first step and step after the last, and how many were left out.

    Args:
        times: (notes, 3) of pitch, start and end.
        scale: steps of the grid in a unit of time.
        options: the representation and the pitches that are kept.
    """
    pitch, begin, end = times[:, 0], times[:, 1] * scale, times[:, 2] * scale
    if options.representation == "frames":
        first, last = np.ceil(begin - LATE), np.ceil(end - LATE)
    else:
        first = np.floor(begin + 0.5)
        last = np.maximum(np.floor(end + 0.5), first + 1)
    first = np.maximum(first, 0)
    kept = (last > first) & (pitch >= options.lowest) & (pitch < options.lowest + options.pitches)
    notes = np.stack([pitch, first, last], axis=1)[kept].astype(np.int32)
    return in_order(notes), int((~kept).sum())


def without_overlap(notes: np.ndarray) -> np.ndarray:
    """Notes of which none begins while its pitch still sounds: the one before ends there."""
    notes = notes[np.lexsort((-notes[:, 2], notes[:, 1], notes[:, 0]))]
    again = (notes[1:, 0] == notes[:-1, 0]) & (notes[1:, 1] == notes[:-1, 1])
    notes = notes[np.append(True, ~again)] if len(notes) else notes
    same = notes[1:, 0] == notes[:-1, 0]
    notes[:-1, 2] = np.where(same, np.minimum(notes[:-1, 2], notes[1:, 1]), notes[:-1, 2])
    return in_order(notes)


def _voices(tracks: list[np.ndarray], steps: int) -> np.ndarray | None:
    """int16 (time, voices), the highest first; None where a track sounds two notes at once, or there is but one."""
    tracks = [notes for notes in tracks if len(notes)]
    if not 2 <= len(tracks) <= MOST_VOICES:
        return None
    lines = np.full((steps, len(tracks)), REST, np.int16)
    for number, notes in enumerate(sorted(tracks, key=lambda t: -t[:, 0].mean())):
        if (notes[1:, 1] < notes[:-1, 2]).any():
            return None
        for pitch, start, end in notes:
            lines[start:end, number] = pitch
    return lines


def read_midi_folder(path: Path, options: MusicOptions) -> tuple[list[Piece], Source, list[Repair]]:
    """The MIDI files below a folder, in order of their names; folders train, valid and test are the parts.

    Files that cannot be used are left out and counted.

    Raises:
        DataError: there is no MIDI file, or none that can be used.
    """
    files = sorted(f for f in path.rglob("*") if f.suffix.lower() in SUFFIXES and not f.name.startswith("."))
    if not files:
        inside = sorted(f.name for f in path.iterdir())
        raise DataError(f"{path} holds no MIDI file ({', '.join(SUFFIXES)}), but {listing(inside, 6)}. Put some there.")
    digest, pieces, refused = hashlib.sha256(), [], []
    for file in files:
        name = file.relative_to(path)
        content = file.read_bytes()
        digest.update(f"{name.as_posix()}\0{len(content)}\0".encode() + content)
        parts = [PART_NAMES[above.lower()] for above in name.parts[:-1] if above.lower() in PART_NAMES]
        try:
            pieces.append(read_midi(file, options, part=parts[0] if parts else None))
        except DataError as error:
            refused.append(error)
    if not pieces:
        raise DataError(f"None of the {len(files)} MIDI files in {path} can be used. The first: {refused[0]}")
    drums = sum(isinstance(error, Drums) for error in refused)
    repairs = [
        Repair(f"MIDI files left out, {why}", count)
        for why, count in (
            ("since only drums play", drums),
            ("since they are damaged or hold no notes", len(refused) - drums),
        )
        if count
    ]
    return pieces, Source(path.name, path.resolve(), digest.hexdigest(), False, ""), repairs


def write_midi(path: Path, piece: Piece, *, grid: int, lowest: int) -> Path:
    """Write a piece as a MIDI file, a track a voice where they are known; what is held is one note.

    Args:
        path: where to.
        piece: of which tempo and metre are kept.
        grid: steps of a quarter note.
        lowest: the pitch of the first column of its frames.
    """
    midi = pretty_midi.PrettyMIDI(initial_tempo=piece.tempo)
    midi.time_signature_changes.append(pretty_midi.TimeSignature(*piece.metre, 0))
    lines = held_voices(piece.voices) if piece.voices is not None else [held(piece, lowest)]
    program = pretty_midi.instrument_name_to_program(CHOIR if piece.voices is not None else PIANO)
    step = 60 / piece.tempo / grid
    for number, notes in enumerate(lines, start=1):
        track = pretty_midi.Instrument(program, name=f"Voice {number}" if piece.voices is not None else piece.name)
        track.notes += [
            pretty_midi.Note(VELOCITY, int(pitch), int(start) * step, int(end) * step) for pitch, start, end in notes
        ]
        midi.instruments.append(track)
    midi.write(str(path))
    return path


def render(midi: Path, wav: Path, *, rate: int = RATE) -> Path:
    """Render a MIDI file as sound: sine tones, as loud as 16 bits allow.

    Args:
        midi: the file.
        wav: where to.
        rate: samples a second.
    """
    found = pretty_midi.PrettyMIDI(str(midi))
    sounding = any(instrument.notes for instrument in found.instruments)
    sound = found.synthesize(fs=rate) if sounding else np.zeros(rate)
    scipy.io.wavfile.write(str(wav), rate, np.round(sound * LOUDEST).astype(np.int16))
    return wav
