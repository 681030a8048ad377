"""What an exported model of a language expects next: whole words, whatever its tokens are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data.transforms.tokens import TokenTransform
from data.transforms.vocabulary import FIRST
from pipelines.generate.stream import Stream
from pipelines.generate.tokens import begun
from pipelines.generate.writing import unknown
from pipelines.predict.output import PredictError, write

#: Words that are told.
TOLD = 5
#: Beginnings of words that are followed at once, and tokens of a word and the white space before it at most.
WIDTH, LONGEST = 48, 32
#: The search ends where no beginning is likelier than this share of the last word that is told.
TRIFLE = 0.01
APOSTROPHES = "'’"


@dataclass(frozen=True)
class NextWords:
    """The likeliest next words of texts.

    Attributes:
        table: a line a word: `text`, `word` and `probability`, the likeliest first.
        model: the exported file that expects them.
        output: the CSV, where one was asked for.
        notes: what was to be said of the texts.
        sample: whether the model was trained on the built-in sample.
    """

    table: list[dict[str, Any]]
    model: Path
    output: Path | None
    notes: tuple[str, ...]
    sample: bool

    def lines(self) -> list[str]:
        """What the screen shows."""
        found, last = [], None
        for row in self.table:
            if row["text"] != last:
                last = row["text"]
                found.append(f"{last} …")
            found.append(f"  {row['probability']:6.1%}  {row['word']}")
        found += list(self.notes)
        if self.sample:
            found.append("The model was trained on the built-in SAMPLE, not on real texts")
        return found + ([f"Table  {self.output}"] if self.output else [])

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "model": str(self.model),
            "sample": self.sample,
            "words": self.table,
            "output": str(self.output) if self.output else None,
            "notes": list(self.notes),
        }


def next_words(model: Path, texts: Sequence[str], *, output: Path | None = None) -> NextWords:
    """The five likeliest next words of each text.

    A word's probability is the product of its tokens' and of the chance that it ends there, with the white space before
    it; the white space at a text's end is left away. What is missing to 1 are marks, words that go on, and rarer words.

    Raises:
        DataError: the model cannot be used.
        PredictError: it writes no text, a text is too long for it, or the file cannot be written.
    """
    stream = Stream(model)
    contract = stream.contract
    if contract["representation"] != "tokens" or contract["unit"] == "event":
        raise PredictError(f"--text: {stream.path} composes music. Use seqlayers generate.")
    transform = TokenTransform.from_json(contract["transform"])
    search, table, notes = _Search(stream, transform), [], []
    for text in texts:
        given = text.rstrip()
        ids = transform.ids_numpy(given)
        if contract["context"] is not None and len(ids) + LONGEST > contract["context"]:
            most = contract["context"] - LONGEST
            raise PredictError(f"--text: {len(ids):,} {transform.unit}s given, and this model can read {most:,}.")
        notes += unknown(transform, given, ids)
        table += [{"text": text, "word": word, "probability": p} for word, p in search(ids)]
    if output is not None:
        import pandas as pd

        write(output, lambda path: pd.DataFrame(table).to_csv(path, index=False, float_format="%.6g"))
    return NextWords(table, stream.path, output, tuple(dict.fromkeys(notes)), bool(contract.get("sample")))


class _Search:
    """A search over the tokens of a word, the likeliest beginnings first, until no other word can be likelier."""

    def __init__(self, stream: Stream, transform: TokenTransform):
        self.stream, self.transform = stream, transform
        self.texts = np.array(transform.texts_of_ids, object)
        bytes_ = transform.tokens == "bytes"

        def letter(character: str) -> bool:
            return character.isalnum() or character == "_" or (bytes_ and character >= "\x80")

        def whole(text: str, inside: bool) -> bool:
            return bool(text) and all(letter(c) or (inside and c in APOSTROPHES) for c in text)

        usable = [number >= FIRST for number in range(len(self.texts))]
        #: White space; a word, or the beginning of one, behind white space, or without; what goes on with a word.
        self.blank = np.array([ok and t.isspace() for ok, t in zip(usable, self.texts, strict=True)])
        self.spaced = np.array(
            [
                ok and t[:1].isspace() and letter(t.lstrip()[:1] or " ") and whole(t.lstrip(), True)
                for ok, t in zip(usable, self.texts, strict=True)
            ]
        )
        self.word = np.array(
            [ok and letter(t[:1] or " ") and whole(t, True) for ok, t in zip(usable, self.texts, strict=True)]
        )
        self.inside = np.array([ok and whole(t, True) for ok, t in zip(usable, self.texts, strict=True)])

    def __call__(self, ids: np.ndarray) -> list[tuple[str, float]]:
        """The likeliest words after these ids."""
        output, state, _ = begun(self.stream, ids, 1, seen=False)
        state = {name: np.asarray(x) for name, x in state.items()}
        texts, chances, found = [""], np.ones(1), defaultdict[str, float](float)
        for length in range(LONGEST):
            p = _softmax(np.asarray(output)) * chances[:, None]
            begins = np.array([not text.strip() for text in texts])
            open_ = np.array([bool(text) or not len(ids) for text in texts])
            for text, share in zip(texts, (p * ~self.inside).sum(1), strict=True):
                if text.strip():
                    found[text.strip()] += share
            fresh = self.blank | self.spaced | (self.word & open_[:, None])
            p = np.where(np.where(begins[:, None], fresh, self.inside), p, 0)
            best = np.argsort(p, axis=None)[::-1][:WIDTH]
            best = best[p.flat[best] > 0]
            told = sorted(found.values())[-TOLD:]
            if not len(best) or length + 1 == LONGEST or (len(told) == TOLD and p.flat[best[0]] < TRIFLE * told[0]):
                break
            row, token = np.unravel_index(best, p.shape)
            chances = p.flat[best]
            texts = [texts[r] + self.texts[t] for r, t in zip(row, token, strict=True)]
            state = {name: x[row] for name, x in state.items()}
            output, state = self.stream.token(token.astype("int32"), state)
        words = sorted(found.items(), key=lambda pair: -pair[1])[:TOLD]
        return [(self._shown(word), chance) for word, chance in words]

    def _shown(self, word: str) -> str:
        return word.encode("latin-1").decode("utf-8", "replace") if self.transform.tokens == "bytes" else word


def _softmax(logits: np.ndarray) -> np.ndarray:
    values = np.exp(logits.astype(np.float64) - logits.max(-1, keepdims=True))
    return values / values.sum(-1, keepdims=True)
