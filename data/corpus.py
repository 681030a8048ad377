"""Texts made ready for a model of the next token: parts, vocabulary, ids, streams and windows; checked for leaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from data import corpus_leaks, leaks
from data.columns import Repair
from data.corpus_options import CorpusOptions
from data.errors import DataError
from data.leaks import Check
from data.source import Source
from data.splits import PARTS
from data.streams import TokenStreams
from data.transforms.tokens import TokenTransform
from data.transforms.vocabulary import UNKNOWN

#: Characters of a passage of the test, or more, that are counted where train has them too.
PASSAGE = 200


class CorpusData(TokenStreams):
    """Everything that a run on texts reads from its data; see `TokenStreams` for its batches.

    Attributes:
        source: what was read.
        options: as given.
        transform: text to ids and back, its vocabulary fitted on train.
        repairs: what was put right, left out, or only counted.
        checks: the leak checks, all passed.
    """

    def __init__(
        self,
        texts: Mapping[str, Sequence[str]],
        source: Source,
        options: CorpusOptions,
        transform: TokenTransform,
        repairs: Sequence[Repair],
    ):
        ids = {part: [transform.ids_numpy(text) for text in texts[part]] for part in PARTS}
        lengths = {part: [len(i) for i in ids[part]] for part in PARTS}
        super().__init__({part: _end_to_end(ids[part]) for part in PARTS}, lengths, options.window)
        self._texts = {part: "".join(texts[part]) for part in PARTS}
        self.source, self.options, self.transform = source, options, transform
        self.repairs, self.checks = list(repairs), list[Check]()

    @classmethod
    def prepare(
        cls,
        documents: Sequence[tuple[str, str]],
        source: Source,
        options: CorpusOptions,
        repairs: Sequence[Repair] = (),
    ) -> CorpusData:
        """Split, fit, number and check.

        Args:
            documents: (name, text) each; validation, train and test are cut from them, one after the other.
            source: what they are.
            options: how they are read.
            repairs: what was put right where they were read.

        Raises:
            DataError: the texts are too short, or the options cannot be used with them.
            LeakError: a held-out text reaches training.
        """
        whole = [text for _, text in documents]
        texts = _parts(whole, options)

        def fit(parts: Mapping[str, Sequence[str]]) -> TokenTransform:
            return TokenTransform.fit(parts["train"], options)

        transform = fit(texts)
        data = cls(texts, source, options, transform, repairs)
        data._refuse_short()
        if not transform.vocabulary:
            raise DataError(
                f"No {transform.unit} occurs {options.fewest} times or more in the {sum(map(len, texts['train'])):,} "
                "characters of train (data.fewest). Give more text, or take a smaller data.fewest."
            )
        checks = [
            corpus_leaks.parts_do_not_overlap(texts, whole),
            corpus_leaks.vocabulary_is_of_train(transform, fit, texts),
            corpus_leaks.targets_are_one_step_on(data),
        ]
        data.checks.extend(leaks.require(checks))
        data._count()
        return data

    def text(self, part: str) -> str:
        """The part's documents end to end."""
        return self._texts[part]

    def characters(self, part: str) -> int:
        """How many characters they have."""
        return len(self._texts[part])

    def unknown(self, part: str) -> float:
        """The share of the part's tokens that are unknown: train has none like them, or too few."""
        return float((self.ids(part) == UNKNOWN).mean())

    @property
    def unit(self) -> str:
        """What one token is called."""
        return self.transform.unit

    @property
    def start(self) -> int:
        """The id that stands before a text's first token: the line feed's, or else train's first."""
        feed = self.transform.ids_numpy("\n")
        return int(feed[0] if len(feed) == 1 and feed[0] != UNKNOWN else self.ids("train")[0])

    def _refuse_short(self) -> None:
        unit, train = self.unit, self.count("train")
        if train <= self.window:
            raise DataError(
                f"{self.source.name} leaves {train:,} {unit}{'s' * (train != 1)} to train on, and data.window="
                f"{self.window} needs {self.window + 1} or more. Give more text, or take a smaller data.window."
            )
        for part in PARTS[1:]:
            if max(self.lengths(part), default=0) < 2:
                raise DataError(
                    f"{self.source.name} leaves {self.count(part)} {unit}{'s' * (self.count(part) != 1)} for {part}, "
                    f"and 2 or more are needed. Give more text, or take a larger data.{part}."
                )

    def _count(self) -> None:
        """Say what a reader of the results has to know of the held-out texts."""
        for part in PARTS[1:]:
            if unknown := int((self.ids(part) == UNKNOWN).sum()):
                self.repairs.append(
                    Repair(f"{self.unit}s of {part} that train does not have, read as unknown", unknown)
                )
        if found := corpus_leaks.passages(self.text("train"), self.text("test"), PASSAGE):
            share = sum(end - start for start, end in found) / self.characters("test")
            what = f"passages of the test, {PASSAGE} characters or more, that train has too, kept ({share:.1%} of it)"
            self.repairs.append(Repair(what, len(found)))


def _parts(texts: Sequence[str], options: CorpusOptions) -> dict[str, list[str]]:
    """The texts of each part: all characters from first to last, cut in two places."""
    total = sum(map(len, texts))
    borders = [0, int(total * options.validation), int(total * (1 - options.test)), total]
    found: dict[str, list[str]] = {part: [] for part in PARTS}
    at = 0
    for text in texts:
        for part, (start, end) in zip(corpus_leaks.ORDER, pairwise(borders), strict=True):
            if piece := text[max(start - at, 0) : max(end - at, 0)]:
                found[part].append(piece)
        at += len(text)
    return found


def _end_to_end(ids: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.zeros(0, np.int32), *ids])
