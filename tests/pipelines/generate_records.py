"""Made records of language and music models, as real as a record can be without a run: what the report is given."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tests.pipelines.record_parts import export, learning

TAG = "token>gru×2>tokens"
MUSIC_TAG = "notes>lstm>notes"
NGRAM, UNIGRAM = "n-grams", "unigram"
MARKOV, FREQUENCIES = "Markov chain", "note frequencies"
POSITIONS = [1, 2, 4, 8, 16, 32, 64, 128, 256]
PROVEN = "200 stretches of 128, in a fresh process"

CHECKS = [
    ("parts do not overlap", "Each token stands in one part: 1,115,394 in all."),
    ("the vocabulary is of train alone", "Learnt again from train it is the same, 67 ids."),
    ("targets are the inputs one step on", "1,115,391 pairs compared; none crosses a border."),
]
VERSE = (
    "What say you, sir? and let the sun be gone\nThat I have sworn the honour of the state,\nAnd bear him to the "
    "Tower.\n\nGLOUCESTER:\nMy lord, the people’s voice is <low> & cold;\n  I will not speak of it.\n"
)
#: Soprano to bass of a cadence, frame by frame, and the frames of each chord.
CHORDS = ((72, 67, 64, 48), (74, 67, 65, 47), (76, 67, 60, 48), (77, 69, 60, 53), (74, 67, 59, 55), (72, 67, 64, 48))
LENGTHS = (2, 2, 4, 2, 2, 4)


def text(*, sample: bool = False, unit: str = "character", seed: int = 0, **changes: Any) -> dict[str, Any]:
    """A record of `seqlayers run text`; other keyword arguments replace entries."""
    characters = unit == "character"
    losses = {UNIGRAM: 3.3175, NGRAM: 1.6688, TAG: 1.4612}
    rows = [_token_row(name, loss, characters) for name, loss in losses.items()]
    found = _run("text", TAG, rows, seed, sample, "shakespeare", CHECKS) | {
        "title": "Text of Shakespeare’s plays, character by character",
        "representation": "tokens",
        "unit": unit,
        "corpus": {
            "tokens": f"{unit}s",
            "vocabulary": 67,
            "documents": 1,
            "characters": 1_115_394,
            "unknown": 0.00004,
            "window": 128,
            "batching": "streams",
        },
        "splits": [
            {"part": "train", "tokens": 970_393, "documents": 1},
            {"part": "validation", "tokens": 33_461, "documents": 1},
            {"part": "test", "tokens": 111_540, "documents": 1},
        ],
        "repairs": [{"what": "passages of test that stand in train as well, kept", "count": 2, "column": None}],
        "verdict": "The trained model earns its time: 1.461 nats a character, 0.208 below the n-grams.",
        "comparison": _compared(losses, TAG),
        "by_position": {"positions": POSITIONS, "curves": {n: _falling(loss) for n, loss in losses.items()}},
        "samples": [
            _written("ROMEO:", "\n" + VERSE * 2, 0.8, 20, 0),
            _written("", VERSE, 1.0, None, 1),
            _written("To be, or not to be", ": that is the question.\n", 0.5, None, 2),
            _written("JULIET:\n", VERSE, 0.8, 20, 3),
            _written("The ", "king is dead.", 0.8, 20, 4),
        ],
    }
    return found | changes


def music(*, sample: bool = False, seed: int = 0, **changes: Any) -> dict[str, Any]:
    """A record of `seqlayers run music` on frames of notes."""
    losses = {FREQUENCIES: 11.07, MARKOV: 9.412, MUSIC_TAG: 8.103}
    rows = [_note_row(name, loss) for name, loss in losses.items()]
    generated = {"frames": 640, "voice_crossings": 4, "parallel_fifths": 11, "parallel_octaves": 6}
    tested = {"frames": 4_720, "voice_crossings": 31, "parallel_fifths": 12, "parallel_octaves": 5}
    found = _run("music", MUSIC_TAG, rows, seed, sample, "jsb", CHECKS[2:]) | {
        "title": "Four-part chorales",
        "representation": "notes",
        "unit": "frame",
        "corpus": None,
        "pieces": {
            "pieces": 382,
            "frames": 23_210,
            "pitches": 88,
            "frames_a_quarter": 1,
            "transpose": 5,
            "given": "none",
        },
        "splits": [
            {"part": "train", "frames": 13_807, "pieces": 229},
            {"part": "validation", "frames": 4_604, "pieces": 76},
            {"part": "test", "frames": 4_799, "pieces": 77},
        ],
        "repairs": [],
        "verdict": "The trained model earns its time: 8.103 nats a frame, 1.309 below the Markov chain.",
        "comparison": _compared(losses, MUSIC_TAG),
        "by_position": None,
        "samples": [chorale("composed", 5), chorale("continued after 8 frames of bwv 277", 12), _long_piece()],
        "voice_leading": {
            "generated": generated | {"notes_out_of_key": 52},
            "test": tested | {"notes_out_of_key": 402},
        },
    }
    return found | changes


def chorale(name: str, cadences: int) -> dict[str, Any]:
    """A piece of so many cadences, four bars each, its files, and what was counted in it."""
    notes, start = [], 0
    for at in range(cadences):
        for chord, length in zip(CHORDS, LENGTHS, strict=True):
            shift = (0, 2, -3)[at % 3]
            notes += [[pitch + shift, start, length, voice] for voice, pitch in enumerate(chord)]
            start += length
    counts = {"voice_crossings": 0, "parallel_fifths": 1, "parallel_octaves": 2, "notes_out_of_key": 0}
    facts = {"frames": start, "key": "C major", **counts}
    return {
        "name": name,
        "midi": "music/1 & only.mid",
        "wav": "music/1.wav",
        "frames_a_quarter": 1,
        "tempo": 96,
        "notes": notes,
        "facts": facts,
    }


def _long_piece() -> dict[str, Any]:
    """One voice that is not known, four frames a quarter, longer than what is drawn."""
    notes = [[60 + 7 * i % 24, 4 * i, 4 + i % 3, None] for i in range(160)]
    return {
        "name": "events",
        "midi": None,
        "wav": None,
        "frames_a_quarter": 4,
        "tempo": None,
        "notes": notes,
        "facts": None,
    }


def _run(
    task: str, tag: str, rows: list[dict[str, Any]], seed: int, sample: bool, source: str, checks: list[tuple[str, str]]
) -> dict[str, Any]:
    """What records of all tasks say."""
    for row in rows:
        row |= {"role": "model" if row["name"] == tag else "baseline", "error": row["loss"]}
        row["skill"] = 1 - row["loss"] / rows[0]["loss"]
    return {
        "family": "generate",
        "task": task,
        "run_id": "5b0d6c3c1d3e4b2f9a8e7d6c5b4a3928",
        "status": "done",
        "seed": seed,
        "started": "2026-02-14T09:05:00",
        "seconds": 288.0,
        "command": f"seqlayers run {task} --source {'sample' if sample else source}",
        "versions": {"seqlayers": "0.1.0", "tensorflow": "2.21.0", "keras": "3.15.1", "numpy": "2.4.6"},
        "commit": "3f2a9c1",
        "source": {
            "name": "sample" if sample else source,
            "sha256": "86c4e6aa" * 8,
            "sample": sample,
            "note": "Composed by code, seed 0." if sample else "",
            "rows": 1,
        },
        "checks": [{"name": name, "passed": True, "detail": detail} for name, detail in checks],
        "model": {
            "tag": tag,
            "parameters": 856_131,
            "configuration": f"task: {task}\nmodel:\n  encoder:\n  - {{kind: gru, units: 256}}\n",
            "slots_table": [
                {"branch": 0, "slot": "embedding", "kind": "token", "settings": {"units": 64}},
                {"branch": 0, "slot": "encoder", "kind": "gru", "settings": {"units": 256, "dropout": 0.1}},
                {"branch": 0, "slot": "encoder", "kind": "gru", "settings": {"units": 256, "dropout": 0.1}},
                {"branch": 0, "slot": "head", "kind": "tokens", "settings": {"vocabulary": 67}},
            ],
        },
        "metrics": rows,
        "validation": [row | {"loss": row["loss"] + 0.021} for row in rows],
        "best_naive": rows[0]["name"],
        "chosen": {"name": tag, "role": "model"},
        "voice_leading": None,
        "curves": _curves(np.random.default_rng(seed), rows[-1]["loss"]),
        "exports": [
            export("saved_model", 2.1e-7, rows[-1]["loss"], 3_410, 0.21, note=PROVEN),
            export("litert_float32", 3.4e-7, rows[-1]["loss"], 3_390, 0.12, note=PROVEN),
        ],
    }


def _token_row(name: str, loss: float, characters: bool) -> dict[str, Any]:
    fresh = name != UNIGRAM
    return {
        "name": name,
        "loss": loss,
        "loss_64": loss + 0.09 * fresh,
        "loss_256": loss + 0.02 * fresh,
        "perplexity": math.exp(loss),
        "bits": loss / math.log(2) if characters else 0.4 * loss / math.log(2),
        "top_1": {UNIGRAM: 0.152, NGRAM: 0.501, TAG: 0.558}[name],
        "top_5": {UNIGRAM: 0.451, NGRAM: 0.793, TAG: 0.841}[name],
        "accuracy": None,
        "seconds": {UNIGRAM: 0.2, NGRAM: 6.1, TAG: 211.0}[name],
    }


def _note_row(name: str, loss: float) -> dict[str, Any]:
    empty = dict.fromkeys(("loss_64", "loss_256", "perplexity", "bits", "top_1", "top_5"))
    accuracy = {FREQUENCIES: 0.061, MARKOV: 0.202, MUSIC_TAG: 0.317}[name]
    seconds = {FREQUENCIES: 0.1, MARKOV: 0.3, MUSIC_TAG: 64.0}[name]
    return {"name": name, "loss": loss, **empty, "accuracy": accuracy, "seconds": seconds}


def _compared(losses: dict[str, float], tag: str) -> list[dict[str, Any]]:
    gaps = {name: losses[tag] - loss for name, loss in losses.items() if name != tag}
    return [{"name": n, "difference": gap, "low": gap - 0.006, "high": gap + 0.006} for n, gap in gaps.items()]


def _falling(loss: float) -> list[float]:
    return [loss + (3.3175 - loss) / place**0.7 for place in POSITIONS]


def _written(prompt: str, said: str, temperature: float, top_k: int | None, seed: int) -> dict[str, Any]:
    return {"prompt": prompt, "text": said, "settings": {"temperature": temperature, "top_k": top_k, "seed": seed}}


def _curves(random: np.random.Generator, loss: float) -> dict[str, Any]:
    at = np.arange(12)
    held = loss + 0.9 * np.exp(-at / 2) + random.normal(0, 0.002, 12)
    return learning(loss - 0.1 + 1.1 * np.exp(-at / 2), held, np.full(12, 17.4))
