"""The transform of a text: tokens to ids, and a vocabulary that is fitted on train's texts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from data.transforms import characters
from data.transforms.subwords import Subwords, frequent
from data.transforms.vocabulary import FIRST, PADDING, UNKNOWN, Vocabulary

if TYPE_CHECKING:
    import tensorflow as tf

    from data.text_options import Keep, TextOptions, Tokens

#: Stands, in the graph, for a text without any token; folded text has no such character.
NOTHING = "\x00"

_words = re.compile(characters.words()).findall
_spaces = re.compile(" +")


@dataclass(frozen=True)
class TextTransform(Vocabulary):
    """Texts to ids: 0 is padding, behind a text; 1 is unknown; i + 2 is `vocabulary[i]`.

    A text is read as UTF-8, what is not being space, as control characters and HTML's `<br>` are; in lower case, if
    `lower`. Words are runs of letters and digits with apostrophes inside; punctuation marks, symbols, emoji and
    the letters of scripts without spaces (Chinese, Japanese, Thai) are a token each. Subwords are the pieces of such
    words. A text without any token is one unknown.

    Attributes:
        tokens: `words`, `subwords`, `characters` or `bytes`.
        lower: whether upper case is read as lower case.
        longest: tokens kept of a text.
        keep: which, of a text that is longer: from its `start`, its `end`, or one half of `both`.
        vocabulary, cuts: see `Vocabulary`.
    """

    tokens: Tokens
    lower: bool
    longest: int
    keep: Keep
    vocabulary: tuple[str, ...]
    cuts: tuple[str, ...] = ()

    @classmethod
    def fit(cls, texts: Iterable[str | bytes], options: TextOptions) -> TextTransform:
        """The vocabulary of train's texts: the most frequent tokens, of equally frequent ones the first by name."""
        blank = cls(options.tokens, options.lower, options.longest, options.keep, ())
        if options.tokens == "bytes":
            return replace(blank, vocabulary=_BYTES)
        split = replace(blank, tokens="words")._split if options.tokens == "subwords" else blank._split
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(split(text))
        if options.tokens == "subwords":
            learnt = Subwords.fit(counts, options.vocabulary - FIRST, options.fewest)
            return replace(blank, vocabulary=learnt.pieces, cuts=learnt.cuts)
        return replace(blank, vocabulary=tuple(frequent(counts, options.fewest)[: options.vocabulary - FIRST]))

    @cached_property
    def _split(self) -> Callable[[str | bytes], list[str]]:
        """A text → all its tokens."""
        lower = self.lower
        if self.tokens == "words":
            return lambda text: _words(characters.clean(text, lower))
        if self.tokens == "subwords":
            of = self._subwords.of
            return lambda text: [piece for word in _words(characters.clean(text, lower)) for piece in of(word)]

        def single(text: str | bytes) -> str:
            return _spaces.sub(" ", characters.clean(text, lower)).strip(" ")

        if self.tokens == "characters":
            return lambda text: list(single(text))
        return lambda text: list(single(text).encode().decode("latin-1"))

    @property
    def _halves(self) -> tuple[int, int]:
        """How many tokens are kept from the start of a longer text, and from its end."""
        end = {"start": 0, "end": self.longest, "both": self.longest // 2}[self.keep]
        return self.longest - end, end

    def words_of(self, text: str | bytes) -> list[str]:
        """The text's tokens, one for each of its ids; a text without any gives one empty token."""
        found = self._split(text)
        if len(found) > self.longest:
            start, end = self._halves
            found = found[:start] + found[len(found) - end :]
        return found or [""]

    def length(self, text: str | bytes) -> int:
        """How many tokens the text has before it is cut."""
        return len(self._split(text))

    def ids_numpy(self, texts: Iterable[str | bytes]) -> list[np.ndarray]:
        """Texts → int32 (tokens,) each, without TensorFlow."""
        number = self._numbers.get
        return [np.array([number(word, UNKNOWN) for word in self.words_of(t)], np.int32) for t in texts]

    def ids(self, texts: tf.Tensor) -> tf.Tensor:
        """The graph form: strings (batch,) → int32 (batch, time), padded with 0 to the longest of the batch."""
        return self.ragged(texts).to_tensor(PADDING)

    def ragged(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """The graph form: strings (batch,) → int32 (batch, tokens), ragged."""
        found = self._cut(self._tokens(texts))
        return found.with_values(self.table.lookup(found.values))

    def _tokens(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Strings (batch,) → all their tokens, ragged."""
        import tensorflow as tf

        points = tf.strings.unicode_decode(texts, "UTF-8", errors="replace")
        table = tf.constant(characters.fold(self.lower))
        folded = tf.gather(table, tf.minimum(points.values, characters.FOLDED - 1))
        folded = tf.where(points.values < characters.FOLDED, folded, points.values)
        text = tf.strings.unicode_encode(points.with_values(folded), "UTF-8")
        text = tf.strings.regex_replace(text, characters.BREAK, " ")
        text = tf.strings.strip(tf.strings.regex_replace(text, " +", " "))
        text = tf.where(text == "", NOTHING, text)
        if self.tokens in ("words", "subwords"):
            words = tf.strings.split(tf.strings.regex_replace(text, characters.words(re2=True), r"\0 "))
            return words if self.tokens == "words" else self._subwords.ragged(words)
        return tf.strings.unicode_split(text, "UTF-8") if self.tokens == "characters" else tf.strings.bytes_split(text)

    def _cut(self, tokens: tf.RaggedTensor) -> tf.RaggedTensor:
        import tensorflow as tf

        start, end = self._halves
        row = tokens.value_rowids()
        place = tf.range(tf.size(row, tf.int64)) - tf.gather(tokens.row_starts(), row)
        length = tf.gather(tokens.row_lengths(), row)
        kept = (length <= self.longest) | (place < start) | (place >= length - end)
        return tf.ragged.boolean_mask(tokens, tokens.with_values(kept))

    def to_json(self) -> dict[str, Any]:
        """Every constant, as JSON's own types."""
        return {
            "tokens": self.tokens,
            "lower": self.lower,
            "longest": self.longest,
            "keep": self.keep,
            "vocabulary": list(self.vocabulary),
            "cuts": list(self.cuts),
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> TextTransform:
        vocabulary, cuts = tuple(found["vocabulary"]), tuple(found["cuts"])
        return cls(found["tokens"], found["lower"], found["longest"], found["keep"], vocabulary, cuts)


def padded(ids: Sequence[np.ndarray], length: int | None = None) -> np.ndarray:
    """Ids of several texts → int32 (batch, time), filled up to `length`; None: to that of the longest."""
    found = np.full((len(ids), length or max(map(len, ids))), PADDING, np.int32)
    for row, tokens in zip(found, ids, strict=True):
        row[: len(tokens)] = tokens
    return found


#: Folded text has no byte below that of a space.
_BYTES = tuple(chr(byte) for byte in range(0x20, 0x100))
