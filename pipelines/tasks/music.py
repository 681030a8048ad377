"""Music: the next frame of notes, or the next event, beside what is counted."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from data.chorale_sample import sample
from data.music import MusicData
from data.music_events import EventData
from data.music_options import MusicOptions
from data.music_source import locate_pieces
from data.splits import PARTS
from pipelines import config
from pipelines.config import Configuration
from pipelines.task import Candidate, Column, Evaluation, Say, Task
from pipelines.tasks.composed import composed, of_events
from pipelines.tasks.generate import Generate
from pipelines.tasks.note_serving import NoteServable
from pipelines.tasks.notes_evaluation import NotesEvaluator
from pipelines.tasks.text import Tokens
from seqlayers.errors import ConfigurationError

#: Pieces a batch, where all frames of all keys are counted.
BATCH = 64


def music(configuration: Configuration) -> Task:
    """The task of frames, or that of events, as `data.representation` says."""
    options = config.check(MusicOptions, configuration.data, "data")
    return Notes(configuration) if options.representation == "frames" else Events(configuration)


class Notes(Generate):
    """The notes of the next frame; see `data.music_options.MusicOptions` for the settings."""

    naive = "note frequencies"
    naive_head: ClassVar = {"kind": "note_counts", "context": 0}
    such_as = "{kind: note_counts, context: 1}"
    data: MusicData

    @property
    def unit(self) -> str:
        return "frame"

    @property
    def title(self) -> str:
        harmony = self.data.options.given != "none"
        return f"{self.configuration.title}: {'harmony below a soprano' if harmony else 'the next frame of notes'}"

    def prepare(self, source: str, data_dir: Path | None, say: Say) -> None:
        self.data = read(self, MusicData, source, data_dir, say)
        self.refuse()
        say(f"{len(self.checks)} leak checks passed")

    def refuse(self) -> None:
        super().refuse()
        row = self.configuration.model
        given, options = self.data.options.given, self.data.options
        if (given != "none") != bool(row.get("decoder")):
            what = "no decoder" if given != "none" else "a decoder"
            accepted = "a row with encoder and decoder" if given != "none" else "no decoder; or data.given=soprano"
            raise ConfigurationError("model.decoder", f"{what}, with data.given: {given}.", accepted)
        if given != "none" and options.batching == "streams":
            raise ConfigurationError("data.batching", f"'streams' given, with data.given: {given}.", "windows, or auto")

    def describe(self) -> dict[str, Any]:
        return super().describe() | about(self.data) | {"representation": "notes"}

    def model_arguments(self) -> dict[str, Any]:
        return {"pitches": self.data.options.pitches}

    def carries(self, model: Any) -> bool:
        return self.data.options.given == "none" and super().carries(model)

    def rows(self, batch_size: int) -> int:
        """No more than there are windows in train, in every key."""
        keys = sum(len(self.data.shifts("train", piece)) * len(piece) for piece in self.data.pieces("train"))
        return max(1, min(batch_size, keys // self.data.options.window))

    def counted(self) -> tuple[Any, Any]:
        return self.data.ordered("train", BATCH), self.data.ordered("validation", BATCH)

    @cached_property
    def evaluator(self) -> NotesEvaluator:
        return NotesEvaluator(self.data)

    def columns(self, rows: list[dict[str, Any]]) -> list[Column]:
        return [
            Column("loss", "nats a frame", ".4f"),
            Column("accuracy", "frame accuracy", ".1%", max),
            Column("skill", "skill", "+.1%", max),
        ]

    def shipped(self, evaluation: Evaluation, chosen: Candidate, folder: Path) -> dict[str, Any]:
        return composed(chosen.predictor, self.data, self.configuration.generation, folder)

    def servable(self, candidate: Candidate) -> NoteServable:
        return NoteServable(self.name, candidate, self.data, self.unit)


class Events(Tokens):
    """The next of a note's beginning, a note's end, or time that passes."""

    data: EventData

    def prepare(self, source: str, data_dir: Path | None, say: Say) -> None:
        self.data = read(self, EventData, source, data_dir, say)
        self.refuse()
        say(f"{len(self.checks)} leak checks passed")

    def describe(self) -> dict[str, Any]:
        data, found = self.data, about(self.data)
        for split in found["splits"]:
            split["tokens"] = data.count(split["part"])
        corpus = {"vocabulary": data.transform.size, "window": data.window, "batching": self.batching}
        return super().describe() | found | {"corpus": corpus}

    def shipped(self, evaluation: Evaluation, chosen: Candidate, folder: Path) -> dict[str, Any]:
        return of_events(chosen.predictor, self.data, self.configuration.generation, folder)


def read(task: Generate, kind: Any, source: str, data_dir: Path | None, say: Say) -> Any:
    """The pieces of a source, prepared as frames or events."""
    options = config.check(MusicOptions, task.configuration.data, "data")
    pieces, found, repairs = locate_pieces(source, options=options, sample=sample, data_dir=data_dir)
    say(f"Read {len(pieces):,} pieces from {found.name}" + " (SAMPLE)" * found.sample)
    if found.note:
        say(found.note)
    data = kind.prepare(pieces, found, options, repairs)
    parts = ", ".join(f"{part} {len(data.pieces(part)):,}" for part in PARTS)
    keys = sum(len(data.shifts("train", piece)) for piece in data.pieces("train"))
    say(f"Pieces: {parts}; with their transpositions {keys:,} to train on")
    for r in data.repairs:
        say(str(r))
    return data


def about(data: Any) -> dict[str, Any]:
    """The record's parts on pieces."""
    options = data.options
    return {
        "pieces": {
            "pieces": sum(len(data.pieces(part)) for part in PARTS),
            "frames": sum(len(piece) for part in PARTS for piece in data.pieces(part)),
            "pitches": options.pitches,
            "frames_a_quarter": options.grid,
            "transpose": options.transpose,
            "given": options.given,
        },
        "splits": [
            {
                "part": part,
                "frames": sum(map(len, data.pieces(part))),
                "pieces": len(data.pieces(part)),
            }
            for part in PARTS
        ],
    }
