"""The transform of a stream of text: tokens to ids and back, so that the text comes back as it was."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from data.transforms import spaces
from data.transforms.subwords import MORE, Subwords, frequent, spelt
from data.transforms.vocabulary import FIRST, UNKNOWN, Vocabulary

if TYPE_CHECKING:
    import tensorflow as tf

    from data.corpus_options import CorpusOptions, CorpusTokens

#: What an unknown id is in a text.
LOST = "\ufffd"
UNITS = {"characters": "character", "bytes": "byte", "words": "word", "subwords": "subword"}
#: Fewest occurrences of a word of train that is cut into pieces; what is rarer is spelt, so that spelling is learnt.
SPELT = 2

#: Code points that mark something here, and are no character's: a NUL, and what stands for white space.
TAKEN, TAKEN_RE2 = "[\0\ufdd0-\ufdd5]", r"[\x00\x{FDD0}-\x{FDD5}]"

_words, _taken = re.compile(spaces.words()).findall, re.compile(TAKEN).sub


@dataclass(frozen=True)
class TokenTransform(Vocabulary):
    """Text to ids and back: 0 is padding, 1 is unknown, i + 2 is `vocabulary[i]`.

    Nothing of a text is folded or dropped, so that its tokens, one after the other, are the text. Words are runs of
    letters and digits, apostrophes inside and one space before; a mark is a token, and so is a run of white space.
    Subwords are pieces of these. A NUL and U+FDD0 … U+FDD5, which are no characters, are read as U+FFFD, but for bytes.

    Attributes:
        tokens: `characters`, `bytes`, `words` or `subwords`.
        vocabulary, cuts: see `Vocabulary`.
    """

    tokens: CorpusTokens
    vocabulary: tuple[str, ...]
    cuts: tuple[str, ...] = ()

    @classmethod
    def fit(cls, texts: Iterable[str], options: CorpusOptions) -> TokenTransform:
        """The vocabulary of train's texts: the most frequent tokens, of equally frequent ones the first by name.

        Of subwords, the letters are there too, so that any word can be spelt.
        """
        blank = cls(options.tokens, ())
        if options.tokens == "bytes":
            return replace(blank, vocabulary=tuple(map(chr, range(0x100))))
        most, counts = options.vocabulary - FIRST, Counter[str]()
        for text in texts:
            counts.update(_read(text) if options.tokens == "characters" else _words(_read(text)))
        if options.tokens == "subwords":
            hidden = {spaces.hidden(word): count for word, count in counts.items()}
            letters = _letters(hidden, options.fewest)
            learnt = Subwords.fit(hidden, max(most - len(letters), len(letters), 1), max(options.fewest, SPELT))
            all_pieces = dict.fromkeys([*learnt.pieces, *letters])
            return replace(blank, vocabulary=tuple(all_pieces)[:most], cuts=learnt.cuts)
        return replace(blank, vocabulary=tuple(frequent(counts, options.fewest)[:most]))

    @property
    def unit(self) -> str:
        """What one token is called."""
        return UNITS[self.tokens]

    @cached_property
    def texts_of_ids(self) -> tuple[str, ...]:
        """What each id is in a text; of bytes, its Latin-1 character."""
        own = self.vocabulary
        if self.tokens == "subwords":
            own = tuple(spaces.shown(piece.removeprefix(MORE)) for piece in own)
        return "", LOST.encode().decode("latin-1") if self.tokens == "bytes" else LOST, *own

    def tokens_of(self, text: str) -> list[str]:
        """The text's tokens, as they stand in the vocabulary, one for each of its ids."""
        if self.tokens == "bytes":
            return list(text.encode().decode("latin-1"))
        if self.tokens == "characters":
            return list(_read(text))
        words = _words(_read(text))
        if self.tokens == "words":
            return words
        return [piece for word in words for piece in self._subwords.of(spaces.hidden(word))]

    def ids_numpy(self, text: str) -> np.ndarray:
        """A text → int32 (tokens,), without TensorFlow."""
        number = self._numbers.get
        return np.array([number(token, UNKNOWN) for token in self.tokens_of(text)], np.int32)

    def text_numpy(self, ids: Iterable[int]) -> str:
        """Ids → the text, without TensorFlow; 0 gives nothing, 1 gives U+FFFD, as do bytes that are no character."""
        of = self.texts_of_ids
        text = "".join(of[int(i)] for i in ids)
        return text.encode("latin-1").decode("utf-8", "replace") if self.tokens == "bytes" else text

    def ids(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """The graph form: strings (batch,) → int32 (batch, tokens), ragged."""
        import tensorflow as tf

        if self.tokens == "bytes":
            found = tf.strings.bytes_split(texts)
        else:
            texts = tf.strings.regex_replace(texts, TAKEN_RE2, LOST)
            if self.tokens == "characters":
                found = tf.strings.unicode_split(texts, "UTF-8")
            else:
                found = spaces.split(texts, hide=self.tokens == "subwords")
                found = self._subwords.ragged(found) if self.tokens == "subwords" else found
        return found.with_values(self.table.lookup(found.values))

    def texts(self, ids: tf.Tensor) -> tf.Tensor:
        """The graph form: ids (batch, time) → strings (batch,); see `text_numpy`."""
        import tensorflow as tf

        of = tf.constant([token.encode(self._encoding) for token in self.texts_of_ids], tf.string)
        found = tf.strings.reduce_join(tf.gather(of, ids), axis=-1)
        return tf.strings.unicode_transcode(found, "UTF-8", "UTF-8") if self.tokens == "bytes" else found

    def to_json(self) -> dict[str, Any]:
        """Every constant, as JSON's own types."""
        return {"tokens": self.tokens, "vocabulary": list(self.vocabulary), "cuts": list(self.cuts)}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> TokenTransform:
        return cls(found["tokens"], tuple(found["vocabulary"]), tuple(found["cuts"]))


def _letters(words: Mapping[str, int], fewest: int) -> tuple[str, ...]:
    """The letters that occur often enough, as they begin a word and as they go on with one; each in both forms, but for
    marks, which are words of their own.
    """
    seen, singles = Counter[str](), Counter[str]()
    for word, count in words.items():
        for piece, letter in zip(spelt(word), word, strict=True):
            seen[piece] += count
            singles[letter] += count
    enough = {letter for letter, count in singles.items() if count >= fewest}
    forms = [
        form
        for letter in enough
        for form in (letter, MORE + letter)
        if form in seen or len(_words(spaces.shown(letter) * 2)) == 1
    ]
    return tuple(sorted(forms, key=lambda form: (-seen[form], form)))


def _read(text: str) -> str:
    return _taken(LOST, text)
