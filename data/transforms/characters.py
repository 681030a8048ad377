"""Which characters make words, which stand alone and which are space: explicit ranges, so that all forms agree."""

from __future__ import annotations

import functools
import re

import numpy as np

#: Code points below this are folded by a table; what lies above stands as it is.
FOLDED = 0x10000
#: Control characters, spaces, joiners, direction marks, variation selectors, surrogates, what was lost (U+FFFD).
SPACE = (
    *((0x0000, 0x0020), (0x007F, 0x00A0), (0x00AD, 0x00AD), (0x061C, 0x061C), (0x1680, 0x1680), (0x180B, 0x180F)),
    *((0x2000, 0x200F), (0x2028, 0x202F), (0x205F, 0x206F), (0x3000, 0x3000), (0xD800, 0xF8FF), (0xFDD0, 0xFDEF)),
    *((0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFF0, 0xFFFF)),
)
#: A token each: punctuation, symbols, emoji, and letters of scripts that are written without spaces.
ALONE = (
    *((0x0021, 0x0026), (0x0028, 0x002F), (0x003A, 0x0040), (0x005B, 0x0060), (0x007B, 0x007E)),
    *((0x00A1, 0x00A9), (0x00AB, 0x00B4), (0x00B6, 0x00B9), (0x00BB, 0x00BF), (0x00D7, 0x00D7), (0x00F7, 0x00F7)),
    *((0x055A, 0x055F), (0x0589, 0x058A), (0x060C, 0x060D), (0x061B, 0x061F), (0x066A, 0x066D), (0x06D4, 0x06D4)),
    *((0x0964, 0x0965), (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x2010, 0x2027), (0x2030, 0x205E)),
    *((0x20A0, 0x20CF), (0x2100, 0x2BFF), (0x2E00, 0x312F), (0x3190, 0x9FFF), (0xF900, 0xFAFF), (0xFE10, 0xFE6F)),
    *((0xFF01, 0xFF0F), (0xFF1A, 0xFF20), (0xFF3B, 0xFF40), (0xFF5B, 0xFF9F), (0xFFE0, 0xFFEF), (0x1F000, 0x10FFFF)),
)
#: Inside a word it belongs to it (don't); elsewhere it stands alone. U+2019 is read as one.
APOSTROPHE = "'"
CURLY = 0x2019
#: The line break of HTML, after folding.
BREAK = r"<[bB][rR] */?>"


def words(*, re2: bool = False) -> str:
    """The pattern of a token of folded text, for Python's `re`, or for RE2: every character but space is in one."""
    letter = _class([*ALONE, (0x20, 0x20), (ord(APOSTROPHE), ord(APOSTROPHE))], re2, no=True)
    return f"{letter}+(?:{APOSTROPHE}{letter}+)*|{_class([*ALONE], re2)}|{APOSTROPHE}"


def _class(ranges: list[tuple[int, int]], re2: bool, no: bool = False) -> str:
    point = "\\x{{{:X}}}" if re2 else "\\U{:08X}"
    return f"[{'^' * no}{''.join(f'{point.format(a)}-{point.format(b)}' for a, b in ranges)}]"


@functools.cache
def fold(lower: bool) -> np.ndarray:
    """(FOLDED,) int32: each code point below → what it is read as: space as U+0020, and its lower case if `lower`."""
    table = np.arange(FOLDED, dtype=np.int32)
    if lower:
        table[:] = [ord(chr(point).lower()[0]) for point in range(FOLDED)]
    table[CURLY] = ord(APOSTROPHE)
    for first, last in SPACE:
        table[first : last + 1] = ord(" ")
    table.flags.writeable = False
    return table


@functools.cache
def _changes(lower: bool) -> dict[int, int]:
    table = fold(lower)
    return {int(point): int(table[point]) for point in np.flatnonzero(table != np.arange(FOLDED))}


_BREAK = re.compile(BREAK)


def clean(text: str | bytes, lower: bool) -> str:
    """The text as tokens are read from it: bytes that are not UTF-8, control characters and breaks are space."""
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return _BREAK.sub(" ", text.translate(_changes(lower)))
