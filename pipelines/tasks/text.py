"""Text: the next character, byte, word or piece of one, beside n-gram counts."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from data.corpus import CorpusData
from data.corpus_options import CorpusOptions
from data.corpus_sample import sample
from data.corpus_source import locate_corpus
from data.splits import PARTS
from data.streams import TokenStreams
from pipelines import config
from pipelines.task import Candidate, Column, Evaluation, Say
from pipelines.tasks.generate import Generate, article
from pipelines.tasks.generate_evaluation import TokenEvaluator
from pipelines.tasks.generate_samples import written
from pipelines.tasks.generate_serving import TokenServable


class Tokens(Generate):
    """The next of several tokens; what texts and events of music share."""

    naive = "unigram"
    naive_head: ClassVar = {"kind": "ngram", "context": 0, "nodes": 2**16}
    such_as = "{kind: ngram, context: 4}"
    data: Any  # a TokenStreams with options, transform, source, repairs and checks

    @property
    def unit(self) -> str:
        return self.data.unit

    def model_arguments(self) -> dict[str, Any]:
        return {"vocabulary": self.data.transform.size}

    def rows(self, batch_size: int) -> int:
        """No more than there are windows in train."""
        return max(1, min(batch_size, self.data.count("train") // self.data.window))

    def counted(self) -> tuple[Any, Any]:
        return whole_documents(self.data, "train"), whole_documents(self.data, "validation")

    def describe(self) -> dict[str, Any]:
        return super().describe() | {"representation": "tokens"}

    def spelt(self) -> dict[str, int] | None:
        """Part → the characters that its targets spell; None where tokens spell nothing."""
        return None

    @cached_property
    def evaluator(self) -> TokenEvaluator:
        return TokenEvaluator(self.data, self.data.transform.size, self.spelt())

    def columns(self, rows: list[dict[str, Any]]) -> list[Column]:
        return [
            Column("loss", f"nats {article(self.unit)} {self.unit}", ".4f"),
            Column("loss_256", "in 256", ".4f"),
            Column("bits", "bits/char", ".4f"),
            Column("top_1", "top 1", ".1%", max),
            Column("skill", "skill", "+.1%", max),
        ]

    def servable(self, candidate: Candidate) -> TokenServable:
        return TokenServable(self.name, candidate, self.data, self.unit)


class Text(Tokens):
    """The next token of a text; see `data.corpus_options.CorpusOptions` for the settings."""

    data: CorpusData
    documents = 0

    def prepare(self, source: str, data_dir: Path | None, say: Say) -> None:
        options = config.check(CorpusOptions, self.configuration.data, "data")
        documents, found, repairs = locate_corpus(source, sample=sample, data_dir=data_dir, files=options.files)
        say(f"Read {sum(len(t) for _, t in documents):,} characters from {found.name}" + " (SAMPLE)" * found.sample)
        if found.note:
            say(found.note)
        self.documents = len(documents)
        self.data = data = CorpusData.prepare(documents, found, options, repairs)
        say(
            f"{data.unit.capitalize()}s: "
            + ", ".join(f"{part} {data.count(part):,}" for part in PARTS)
            + f"; {data.transform.size:,} different ones"
        )
        for r in data.repairs:
            say(str(r))
        self.refuse()
        say(f"{len(self.checks)} leak checks passed")

    def describe(self) -> dict[str, Any]:
        data, options = self.data, self.data.options
        return super().describe() | {
            "corpus": {
                "tokens": options.tokens,
                "vocabulary": data.transform.size,
                "documents": self.documents,
                "characters": sum(data.characters(part) for part in PARTS),
                "unknown": data.unknown("test"),
                "window": data.window,
                "batching": self.batching,
            },
            "splits": [
                {"part": part, "tokens": data.count(part), "documents": len(data.lengths(part))} for part in PARTS
            ],
        }

    def spelt(self) -> dict[str, int]:
        """Less each document's first token, which is no target."""
        data, found = self.data, {}
        for part in PARTS:
            lengths = np.array(data.lengths(part))
            first = data.ids(part)[np.cumsum(lengths) - lengths]
            found[part] = data.characters(part) - len(data.transform.text_numpy(first))
        return found

    def shipped(self, evaluation: Evaluation, chosen: Candidate, folder: Path) -> dict[str, Any]:
        return {"samples": written(chosen.predictor, self.data, self.configuration.generation)}


def whole_documents(data: TokenStreams, part: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Batches of one document each: ids (1, tokens), and the id after each, −1 after the last."""
    ends = np.cumsum(data.lengths(part))[:-1]
    ids, targets = (np.split(found, ends) for found in (data.ids(part), data.targets(part)))
    return [(i[None], t[None]) for i, t in zip(ids, targets, strict=True)]
