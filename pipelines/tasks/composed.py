"""What a model composes for its report: notes, MIDI and sound, and what is counted of the voice-leading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from data.midi import render, write_midi
from data.music import MusicData
from data.music_events import EventData
from data.pieces import Piece, outer_and_inner, piece_of_notes, rolled
from data.voice_leading import facts, facts_of
from pipelines.config import GenerationOptions
from pipelines.tasks.context import context_of, streams
from pipelines.tasks.generate_samples import continued
from seqlayers.generation import NoteChoice, generate, read
from seqlayers.model import SequenceModel
from seqlayers.sampling import Sampling

#: The folder of the run that MIDI and WAV files go to.
FOLDER = "samples"


def composed(model: SequenceModel, data: MusicData, options: GenerationOptions, folder: Path) -> dict[str, Any]:
    """The record's parts on pieces that the model composes, or harmonises; none of a model that does not stream."""
    if not streams(model) or not options.samples:
        return {"samples": [], "voice_leading": None}
    if data.options.given == "none":
        frames = free(model, data, options)
    else:
        pieces = data.pieces("test")
        chosen = [pieces[round(i)] for i in np.linspace(0, len(pieces) - 1, options.samples)]
        frames = [harmonised(model, data, piece, options, seed) for seed, piece in enumerate(chosen)]
    made = [Piece(f"piece {number}", some, tempo=data.tempo) for number, some in enumerate(frames, 1) if np.any(some)]
    return told(made, data, folder)


def free(model: SequenceModel, data: MusicData, options: GenerationOptions) -> list[np.ndarray]:
    """Pieces from silence, uint8 (frames, pitches) each."""
    count, most = options.samples, min(options.length, context_of(model) or options.length)

    @tf.function(autograph=False)
    def compose() -> tf.Tensor:
        silence = tf.zeros((count, 1, data.options.pitches))
        output, state, _ = read(model.step, model.initial_state(count), silence)
        choice = NoteChoice(model.head, options.temperature, list(range(count)))
        return generate(model.step, output, state, most, choice)

    return list(compose().numpy().astype(np.uint8))


def harmonised(
    model: SequenceModel, data: MusicData, piece: Piece, options: GenerationOptions, seed: int
) -> np.ndarray:
    """A piece's top voice with what the model puts below it, uint8 (frames, pitches)."""
    given, _ = outer_and_inner(piece, data.options.lowest)

    @tf.function(autograph=False)
    def compose(source: tf.Tensor) -> tf.Tensor:
        state = model.initial_state(1, source, tf.ones(tf.shape(source)[:2], tf.bool))
        output, state, _ = read(model.step, state, tf.zeros((1, 1, data.options.pitches)))
        choice = NoteChoice(model.head, options.temperature, [seed])
        return generate(model.step, output, state, len(given), choice)

    below = compose(tf.constant(given[None], tf.float32)).numpy()[0]
    return np.maximum(given, below.astype(np.uint8))


def of_events(model: SequenceModel, data: EventData, options: GenerationOptions, folder: Path) -> dict[str, Any]:
    """The same of a model of events: pieces begin at the border between pieces."""
    if not streams(model) or not options.samples:
        return {"samples": [], "voice_leading": None}
    prompt = np.full((options.samples, 1), data.start, np.int32)
    most = min(options.length, (context_of(model) or options.length + 1) - 1)
    sampling = Sampling(options.temperature, options.top_k, options.top_p)
    ids = continued(model, prompt, most, sampling, stop=data.start)
    notes = [data.transform.to_notes(row) for row in ids]
    made = [
        piece_of_notes(f"piece {number}", some, data.options, tempo=data.tempo)
        for number, some in enumerate(notes, 1)
        if len(some)
    ]
    return told(made, data, folder)


def told(made: list[Piece], data: Any, folder: Path) -> dict[str, Any]:
    """The pieces as the record has them, their files written."""
    lowest, grid = data.options.lowest, data.options.grid
    (folder / FOLDER).mkdir(exist_ok=True)
    samples = []
    for number, piece in enumerate(made, 1):
        midi = write_midi(folder / FOLDER / f"piece-{number}.mid", piece, grid=grid, lowest=lowest)
        wav = render(midi, midi.with_suffix(".wav"))
        samples.append(
            {
                "name": piece.name,
                "midi": f"{FOLDER}/{midi.name}",
                "wav": f"{FOLDER}/{wav.name}",
                "frames_a_quarter": grid,
                "tempo": piece.tempo,
                "notes": rolled(piece, lowest),
                "facts": facts(piece.frames, lowest=lowest),
            }
        )
    beside = {
        "generated": facts_of(made, lowest=lowest, voices=False) if made else None,
        "test": facts_of(data.pieces("test"), lowest=lowest, voices=False),
    }
    return {"samples": samples, "voice_leading": beside if made else None}
