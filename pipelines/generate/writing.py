"""Texts from an exported model, shown as they are written."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from data.transforms.tokens import TokenTransform
from data.transforms.vocabulary import UNKNOWN
from pipelines.generate import tokens
from pipelines.generate.order import Order
from pipelines.generate.stream import Stream
from pipelines.predict import output

#: Unknown tokens of a prompt that are named.
NAMED = 5


@dataclass(frozen=True)
class Writing:
    """Continuations of a prompt.

    Attributes:
        prompt: what they continue.
        texts: the continuations, without it.
        log_probabilities: of each, in nats, where a beam found them; else None.
        model: the exported file that wrote them.
        written: the files that they were put into.
        notes: what was to be said of the prompt.
        sample: whether the model was trained on the built-in sample.
        steps, seconds: tokens of a continuation, and the time that all of them took.
        shown: whether the text has been on the screen already.
    """

    prompt: str
    texts: list[str]
    log_probabilities: list[float] | None
    model: Path
    written: list[Path]
    notes: list[str]
    sample: bool
    steps: int
    seconds: float
    shown: bool

    def lines(self) -> list[str]:
        """What the screen shows."""
        found = []
        for number, text in enumerate(self.texts if not self.shown else [], start=1):
            chance = f"  log p {self.log_probabilities[number - 1]:.2f}" if self.log_probabilities else ""
            found += [f"— {number} —{chance}", self.prompt + text, ""]
        found += self.notes
        if self.sample:
            found.append("The model was trained on the built-in SAMPLE, not on real texts")
        found += [f"Text  {path}" for path in self.written]
        return [*found, f"{self.steps:,} tokens in {self.seconds:.1f} s, by {self.model.name}"]

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "model": str(self.model),
            "sample": self.sample,
            "prompt": self.prompt,
            "texts": self.texts,
            "log_probabilities": self.log_probabilities,
            "output": [str(path) for path in self.written],
            "notes": self.notes,
            "tokens": self.steps,
            "seconds": round(self.seconds, 2),
        }


def write(stream: Stream, order: Order, show: Callable[[str], None]) -> Writing:
    """Continue a prompt; see `pipelines.generate.make.make`."""
    contract = stream.contract
    transform = TokenTransform.from_json(contract["transform"])
    prompt = order.prompt or ""
    ids = transform.ids_numpy(prompt)
    order.fit(contract, len(ids), order.steps(contract), "prompt")
    notes = unknown(transform, prompt, ids)
    shown = order.rows == 1 and order.beam is None
    start, found = time.perf_counter(), None
    if order.beam is not None:
        pairs = tokens.likeliest(stream, order, ids, tokens.stop_id(transform, order))
        texts, found = [transform.text_numpy(row) for row, _ in pairs], [log_p for _, log_p in pairs]
        steps = max(int(np.count_nonzero(row)) for row, _ in pairs)
    else:
        if shown:
            show(prompt)
        texts, steps = tokens.texts(stream, transform, order, ids, show)
        if shown:
            show("\n")
    seconds = time.perf_counter() - start
    written = _put(order.output, prompt, texts)
    sample = bool(contract.get("sample"))
    return Writing(prompt, texts, found, stream.path, written, notes, sample, steps, seconds, shown)


def unknown(transform: TokenTransform, text: str, ids: np.ndarray) -> list[str]:
    """A sentence on what of a text the model has never seen, or none."""
    count = int((ids == UNKNOWN).sum())
    if not count:
        return []
    lost = [token for token, id in zip(transform.tokens_of(text), ids, strict=True) if id == UNKNOWN]
    names = ", ".join(map(repr, list(dict.fromkeys(lost))[:NAMED]))
    said = (
        f"{count:,} of the {len(ids):,} {transform.unit}s given were not in training, and are read as unknown: {names}"
    )
    return [said]


def _put(place: Path | None, prompt: str, texts: list[str]) -> list[Path]:
    """Write each text to a file: `place`, or numbered ones beside it where there are several."""
    if place is None:
        return []
    paths = numbered(place if place.suffix else place / "generated.txt", len(texts))
    for path, text in zip(paths, texts, strict=True):
        output.write(path, partial(_save, prompt + text))
    return paths


def _save(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")


def numbered(path: Path, count: int) -> list[Path]:
    """The path, or `name-1`, `name-2`, … where there are several."""
    return [path] if count == 1 else [path.with_stem(f"{path.stem}-{number}") for number in range(1, count + 1)]
