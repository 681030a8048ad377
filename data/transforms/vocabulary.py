"""The vocabulary of a transform: its tokens, the id of each, and the tables by which both forms look them up."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from data.transforms.subwords import Subwords

if TYPE_CHECKING:
    import tensorflow as tf

#: Ids that are no token's: of the filling behind a text, and of what has no id of its own.
PADDING, UNKNOWN, FIRST = 0, 1, 2


class Vocabulary:
    """Tokens and their ids: 0 is padding, 1 is unknown, i + 2 is `vocabulary[i]`; a base of frozen dataclasses.

    Attributes:
        tokens: what a token is, such as `words`, `subwords`, `characters` or `bytes`.
        vocabulary: the tokens from id 2 on, the most frequent first; of bytes, as Latin-1 characters.
        cuts: of subwords, how words are cut; see `data.transforms.subwords.Subwords`.
    """

    tokens: str
    vocabulary: tuple[str, ...]
    cuts: tuple[str, ...]

    @property
    def size(self) -> int:
        """How many ids there are, padding and unknown included."""
        return len(self.vocabulary) + FIRST

    @property
    def _encoding(self) -> str:
        return "latin-1" if self.tokens == "bytes" else "utf-8"

    @cached_property
    def _subwords(self) -> Subwords:
        return Subwords(self.vocabulary, self.cuts)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {token: number for number, token in enumerate(self.vocabulary, FIRST)}

    @cached_property
    def table(self) -> tf.lookup.StaticHashTable:
        """Token → id, as an object that a SavedModel can hold."""
        import tensorflow as tf

        with tf.init_scope(), tf.device("CPU:0"):
            keys = tf.constant([token.encode(self._encoding) for token in self.vocabulary], tf.string)
            values = tf.range(FIRST, self.size, dtype=tf.int32)
            pairs = tf.lookup.KeyValueTensorInitializer(keys, values)
            return tf.lookup.StaticHashTable(pairs, default_value=UNKNOWN)

    def trackables(self) -> list[Any]:
        """What a `tf.Module` must hold for the graph form to be saved with it."""
        return [self.table, self._subwords.table] if self.tokens == "subwords" else [self.table]
