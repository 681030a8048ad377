"""Words cut into pieces that occur often: learnt with a library, kept as constants, applied without it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorflow as tf

#: Before a piece that goes on with a word; as a word of its own, `#` stands alone.
MORE = "##"
#: The first code point that stands for a letter where the library learns: it and all above it are characters.
CODES = 0xE000


@dataclass(frozen=True)
class Subwords:
    """How a word is cut: into itself where it is a piece, as `cuts` say, or else letter by letter.

    Attributes:
        pieces: the most frequent first; one that does not begin a word is marked with `##`.
        cuts: words of several pieces that are not letters alone, such as `un ##help ##ful`.
    """

    pieces: tuple[str, ...]
    cuts: tuple[str, ...]

    @classmethod
    def fit(cls, counts: Mapping[str, int], most: int, fewest: int) -> Subwords:
        """Pieces of train's words by byte-pair encoding: letters first, then the neighbours that meet most often.

        Args:
            counts: words, and how often each occurs.
            most: pieces at most.
            fewest: times that a piece occurs, and that a word does that is not spelt.

        Sennrich, Haddow and Birch 2016, Neural machine translation of rare words with subword units.
        """
        letters = set(_frequent(counts, spelt, fewest)[:most])
        whole = {word: count for word, count in counts.items() if len(word) > 1 and letters.issuperset(spelt(word))}
        cuts = _learnt(whole, most - len(letters), fewest)
        several = sorted(" ".join(cut) for word, cut in cuts.items() if len(cut) > 1 and cut != spelt(word))
        learnt = letters.union(*cuts.values())
        found = cls(tuple(learnt), tuple(several))
        return cls(tuple(piece for piece in _frequent(counts, found.of, fewest) if piece in learnt), found.cuts)

    @cached_property
    def _known(self) -> dict[str, list[str]]:
        """Word → its pieces."""
        several = [cut.split(" ") for cut in self.cuts]
        return {p: [p] for p in self.pieces if not p.startswith(MORE)} | {joined(cut): cut for cut in several}

    def of(self, word: str) -> list[str]:
        """The word's pieces."""
        return self._known.get(word) or spelt(word)

    def ragged(self, words: tf.RaggedTensor) -> tf.RaggedTensor:
        """The graph form: strings (batch, words), none of them empty → strings (batch, pieces)."""
        import tensorflow as tf

        known = self.table.lookup(words.values)
        letters = tf.strings.regex_replace(words.values, ".", rf" {MORE}\0")
        letters = tf.strings.regex_replace(letters, f"^ {MORE}", "", replace_global=False)
        pieces = tf.strings.split(tf.where(known == "", letters, known))
        return words.with_values(pieces).merge_dims(1, 2)

    @cached_property
    def table(self) -> tf.lookup.StaticHashTable:
        """Word → its pieces with spaces between, as an object that a SavedModel can hold."""
        import tensorflow as tf

        with tf.init_scope(), tf.device("CPU:0"):
            words = tf.constant(list(self._known), tf.string)
            pieces = tf.constant([" ".join(cut) for cut in self._known.values()], tf.string)
            return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(words, pieces), default_value="")


def spelt(word: str) -> list[str]:
    """The word letter by letter, each as a piece."""
    return [word[0], *(MORE + letter for letter in word[1:])]


def joined(pieces: Sequence[str]) -> str:
    """Pieces that follow one another as one, which is marked where the first is."""
    return pieces[0] + "".join(piece.removeprefix(MORE) for piece in pieces[1:])


def words_of(pieces: Sequence[str]) -> Iterator[tuple[str, range]]:
    """Each word that begins among the pieces, and where its pieces stand."""
    starts = [place for place, piece in enumerate(pieces) if not piece.startswith(MORE)]
    for start, end in pairwise([*starts, len(pieces)]):
        yield joined(pieces[start:end]), range(start, end)


def frequent(counts: Mapping[str, int], fewest: int) -> list[str]:
    """What occurs often enough, the most frequent first, of equally frequent ones the first by name."""
    enough = [token for token, count in counts.items() if count >= fewest]
    return sorted(enough, key=lambda token: (-counts[token], token))


def _frequent(words: Mapping[str, int], cut: Callable[[str], list[str]], fewest: int) -> list[str]:
    """The pieces of words that occur often enough."""
    counts: Counter[str] = Counter()
    for word, count in words.items():
        for piece in cut(word):
            counts[piece] += count
    return frequent(counts, fewest)


def _learnt(words: Mapping[str, int], merges: int, fewest: int) -> dict[str, list[str]]:
    """The pieces of each word that occurs often enough.

    The library is shown a code for each letter, another one where the letter goes on with a word: of a mark of its own
    it would number the letters anew in every process, and cut equally frequent neighbours otherwise.
    """
    from tokenizers import Tokenizer, models, trainers

    letters = sorted({letter for word in words for letter in spelt(word)})
    meant = {chr(CODES + number): letter for number, letter in enumerate(letters)}
    code = {letter: sign for sign, letter in meant.items()}
    shown = {word: "".join(code[letter] for letter in spelt(word)) for word in words}
    library = Tokenizer(models.BPE())
    size = len(letters) + merges
    trainer = trainers.BpeTrainer(vocab_size=size, min_frequency=fewest, special_tokens=[], show_progress=False)
    library.train_from_iterator(([shown[word]] * count for word, count in words.items()), trainer)
    return {
        word: [joined([meant[sign] for sign in token.value]) for token in library.model.tokenize(shown[word])]
        for word, count in words.items()
        if count >= fewest
    }
