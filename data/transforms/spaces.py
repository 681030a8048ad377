"""Words with the white space between them, so that nothing of a text is lost; explicit ranges, as `characters` has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.transforms.characters import ALONE, APOSTROPHE, CURLY, SPACE

if TYPE_CHECKING:
    import tensorflow as tf

APOSTROPHES = ((ord(APOSTROPHE), ord(APOSTROPHE)), (CURLY, CURLY))
#: White space that would end a piece of a word, and what stands for it where words are cut: no character's code point.
HIDDEN = {point: 0xFDD0 + number for number, point in enumerate((0x20, *range(0x09, 0x0E)))}
SHOWN = {stand_in: point for point, stand_in in HIDDEN.items()}


def words(*, re2: bool = False) -> str:
    """The pattern of a token, for Python's `re`, or for RE2: every character is in one."""
    letter = _class((*ALONE, *SPACE, *APOSTROPHES), re2, no=True)
    apostrophe, space = _class(APOSTROPHES, re2), _class(SPACE, re2)
    return f" ?{letter}+(?:{apostrophe}{letter}+)*|{space}+|{_class((*ALONE, *APOSTROPHES), re2)}"


def _class(ranges: tuple[tuple[int, int], ...], re2: bool, no: bool = False) -> str:
    point = "\\x{{{:X}}}" if re2 else "\\U{:08X}"
    return f"[{'^' * no}{''.join(f'{point.format(a)}-{point.format(b)}' for a, b in ranges)}]"


def hidden(word: str) -> str:
    """The word with its white space replaced by what stands for it."""
    return word.translate(HIDDEN)


def shown(word: str) -> str:
    """A word, or a piece of one, with its white space again."""
    return word.translate(SHOWN)


def split(texts: tf.Tensor, *, hide: bool) -> tf.RaggedTensor:
    """The graph form of `words`, and, if `hide`, of `hidden`: strings (batch,) without a NUL → (batch, words)."""
    import tensorflow as tf

    marked = tf.strings.regex_replace(texts, words(re2=True), "\\0\x00")
    if hide:
        points = tf.strings.unicode_decode(marked, "UTF-8")
        values = points.values
        for point, stand_in in HIDDEN.items():
            values = tf.where(values == point, stand_in, values)
        marked = tf.strings.unicode_encode(points.with_values(values), "UTF-8")
    found = tf.strings.split(marked, "\x00")
    return tf.ragged.boolean_mask(found, found != "")
