"""Small generators as their tasks would hand them over: a model with random weights, and real, short data."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np

from data.corpus import CorpusData
from data.corpus_options import CorpusOptions
from data.music import MusicData
from data.music_events import EventData
from data.music_options import MusicOptions
from data.pieces import Piece, piece_of_voices
from data.source import Source
from pipelines.export import converter, saved_model
from pipelines.task import Candidate
from seqlayers.model import SequenceModel

TEXT = "the cat sat on a mat; and the dog, who saw it, ran — “why?” said.\n"
GRU = {"kind": "gru", "units": 12}
RING = {"kind": "transformer", "units": 16, "heads": 2, "feed_forward": 16, "window": 16}
LOWEST, PITCHES = 48, 30


def source(name: str) -> Source:
    return Source(name, None, hashlib.sha256(name.encode()).hexdigest(), True, "")


@cache
def corpus(tokens: str = "characters", window: int = 20) -> CorpusData:
    """Some thousand random words."""
    rng = np.random.default_rng(0)
    text = " ".join(rng.choice(TEXT.split(" "), 1500))
    options = CorpusOptions(tokens=tokens, vocabulary=120, window=window)
    return CorpusData.prepare([("words", text)], source("words"), options)


def walks(options: MusicOptions) -> list[Piece]:
    """Twelve pieces of four voices that walk."""
    pieces = []
    for number in range(12):
        rng = np.random.default_rng(number)
        steps = np.cumsum(rng.integers(-2, 3, (24 + 2 * number, 4)), axis=0)
        voices = np.array([72, 67, 60, 53]) + np.clip(steps, -3, 3)
        pieces.append(piece_of_voices(f"walk {number}", voices, 1, options, tempo=100.0))
    return pieces


@cache
def music(given: str = "none", window: int = 12) -> MusicData:
    options = MusicOptions(lowest=LOWEST, pitches=PITCHES, transpose=1, window=window, given=given)
    return MusicData.prepare(walks(options), source("walks"), options)


@cache
def events(window: int = 20) -> EventData:
    options = MusicOptions(
        representation="events", lowest=LOWEST, pitches=PITCHES, transpose=0, window=window, steps_a_quarter=1
    )
    return EventData.prepare(walks(options), source("walks"), options)


def candidate(encoder: dict[str, Any], head: dict[str, Any], x: np.ndarray | dict[str, np.ndarray], **row: Any) -> Any:
    """A model with weights large enough that its opinions differ."""
    keras.utils.set_random_seed(5)
    model = SequenceModel(**{"encoder": [encoder], "head": head, **row})
    model(x)
    for weight in model.trainable_variables:
        weight.assign(weight * (2.5 if weight.ndim > 1 else 1))
    return Candidate("the model", "model", model)


def of_tokens(size: int, encoder: dict[str, Any] = GRU, **row: Any) -> Any:
    embedding = {"kind": "token", "vocabulary": size, "units": 16}
    ids = np.ones((1, 3), "int32")
    return candidate(encoder, {"kind": "tokens", "vocabulary": size}, ids, embedding=embedding, **row)


def of_notes(encoder: dict[str, Any] = GRU, *, conditioned: bool = True, harmonises: bool = False) -> Any:
    frames = np.zeros((1, 3, PITCHES), "float32")
    head = {"kind": "notes", "pitches": PITCHES, "conditioned": conditioned, "hidden": 8}
    if not harmonises:
        return candidate(encoder, head, frames)
    decoder = {"kind": "recurrent", "units": 12, "heads": 2}
    given = {"past": frames, "target": frames}
    return candidate({"kind": "gru", "units": 12}, head, given, decoder=[decoder])


def export(servable: Any, folder: Path) -> Path:
    """A SavedModel and a LiteRT file with their contract, in this process and unproven."""
    exports = folder / "exports"
    exports.mkdir(parents=True)
    contract = saved_model.write(servable, exports / "saved_model")
    (exports / "model.json").write_text(json.dumps(contract), encoding="utf-8")
    saved_model.write_for_device(servable, folder / "batch_1")
    told = converter.main(str(folder / "batch_1"), f"float32={exports / 'model_float32.tflite'}")
    assert told == {"float32": None}
    return exports
