"""Texts that were put into the wrong class with the most confidence, and the words that drove it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from pipelines.report import numbers
from pipelines.report.quoted import cut, printable

#: So many characters are shown of a text that is folded, around the words that weighed most.
EXCERPT = 420
#: So many words are highlighted, and so many listed on each side.
HIGHLIGHTED, LISTED = 80, 6
#: From this character on scripts have no spaces between words: a token may stand inside a run of letters.
SPACELESS = 0x2E80


@dataclass(frozen=True)
class Piece:
    """A stretch of a text: `side` is `towards` or `against` what was predicted, or empty; `depth` of 0 to 1."""

    text: str
    side: str = ""
    depth: str = ""


@dataclass(frozen=True)
class Mistake:
    """A card: what it should have been, what it was taken for, the text, and what pushed which way."""

    label: str
    predicted: str
    confidence: str
    excerpt: list[Piece]
    whole: list[Piece]
    words: str
    towards: list[str]
    against: list[str]


def mistakes(record: dict[str, Any]) -> list[Mistake]:
    """The cards of `record["mistakes"]`, in the record's order."""
    return [_card(given) for given in record.get("mistakes") or []]


def _card(given: dict[str, Any]) -> Mistake:
    text, weights = readable(given.get("text") or ""), strongest(given.get("words") or [])
    found = spans(text, weights)
    start, end = window(text, found)
    signs = sorted(weights.items(), key=lambda pair: -abs(pair[1]))
    return Mistake(
        label=str(given.get("label")),
        predicted=str(given.get("predicted")),
        confidence=numbers.percent(given.get("confidence")),
        excerpt=pieces(text, found, start, end),
        whole=pieces(text, found, 0, len(text)) if end - start < len(text) else [],
        words=numbers.count(len(text.split()), "word"),
        towards=[_told(word, weight) for word, weight in signs if weight > 0][:LISTED],
        against=[_told(word, weight) for word, weight in signs if weight < 0][:LISTED],
    )


def readable(text: str) -> str:
    """No longer than a page bears, without HTML’s line breaks and signs that are not shown or turn others round."""
    text = re.sub(r"(?i)(?:\s*<br\s*/?>\s*)+", "\n", text)
    return cut(printable(text).strip())


def strongest(words: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Each word's weight, of one that comes several times the largest; the words that weigh most."""
    found: dict[str, float] = {}
    for row in words:
        word, weight = str(row.get("word")), row.get("weight")
        if word.strip() and numbers.is_number(weight) and weight and abs(weight) > abs(found.get(word, 0.0)):
            found[word] = weight
    kept = sorted(found, key=lambda word: -abs(found[word]))[:HIGHLIGHTED]
    return {word: found[word] for word in kept}


def spans(text: str, weights: Mapping[str, float]) -> list[tuple[int, int, float]]:
    """Where the words stand in the text, longest first where several begin, as (start, end, weight).

    A word of several tokens is one whose tokens follow one another, whatever space is between them.
    """
    if not weights:
        return []
    by_letters = {_letters(word): weight for word, weight in reversed(list(weights.items()))}
    longest_first = sorted(weights, key=len, reverse=True)
    found = re.finditer("|".join(map(_pattern, longest_first)), text, re.IGNORECASE)
    placed = [(m.start(), m.end(), by_letters.get(_letters(m[0]), 0.0)) for m in found]
    return [span for span in placed if span[2]]


def _letters(word: str) -> str:
    return "".join(word.split()).casefold()


def _pattern(word: str) -> str:
    tokens = word.split()
    said = re.escape(tokens[0])
    for before, token in pairwise(tokens):
        apart = _bounded(before[-1]) and _bounded(token[0])
        said += (r"\s+" if apart else r"\s*") + re.escape(token)
    left = r"(?<!\w)" if _bounded(tokens[0][0]) else ""
    right = r"(?!\w)" if _bounded(tokens[-1][-1]) else ""
    return left + said + right


def _bounded(sign: str) -> bool:
    """Whether a word that ends in the sign must end there."""
    return sign.isalnum() and ord(sign) < SPACELESS


def window(text: str, found: Sequence[tuple[int, int, float]]) -> tuple[int, int]:
    """The stretch of the text, from one space to another, whose words weigh most; a short text whole."""
    if len(text) <= 1.3 * EXCERPT:
        return 0, len(text)
    sums = list(accumulate((abs(weight) for _, _, weight in found), initial=0.0))
    ends = [end for _, end, _ in found]
    reach = [bisect_right(ends, at + EXCERPT) for at, _, _ in found]  # the words that end within the stretch
    first = max(range(len(found)), key=lambda i: sums[reach[i]] - sums[i], default=None)
    start, last = (found[first][0], ends[max(first, reach[first] - 1)]) if first is not None else (0, EXCERPT)
    start = max(0, min(start - (EXCERPT - (last - start)) // 2, len(text) - EXCERPT))
    end = start + EXCERPT
    while start and not text[start - 1].isspace() and end - start < 1.3 * EXCERPT:
        start -= 1
    while end < len(text) and not text[end].isspace() and end - start < 1.3 * EXCERPT:
        end += 1
    return start, end


def pieces(text: str, found: Sequence[tuple[int, int, float]], start: int, end: int) -> list[Piece]:
    """The stretch of the text cut where a word is highlighted, with dots where the text goes on."""
    most = max((abs(w) for _, _, w in found), default=1.0)
    cut, at = [Piece("… ")] if start else [], start
    for a, b, weight in found:
        if a < at or b > end:
            continue
        if a > at:
            cut.append(Piece(text[at:a]))
        cut.append(Piece(text[a:b], "towards" if weight > 0 else "against", f"{abs(weight) / most:.2f}"))
        at = b
    if at < end:
        cut.append(Piece(text[at:end]))
    return [*cut, Piece(" …")] if end < len(text) else cut


def _told(word: str, weight: float) -> str:
    text = numbers.fixed(weight, 2)
    shown = numbers.shorten(" ".join(readable(word).split()), 40)
    return f"{shown}{numbers.GAP}{text if text.startswith('−') else f'+{text}'}"
