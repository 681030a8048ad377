"""N-grams counted level by level, and what each says of the next token: a trie in flat arrays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

import numpy as np

#: The id that is no token: it stands before a text's start, and ends every context.
NOTHING = 0

Smoothing = Literal["witten_bell", "kneser_ney"]


class Text(NamedTuple):
    """Steps of texts, end to end: the id read at each, and the one that came next, or −1 where there is none.

    Where a text begins stands a step of `NOTHING` without a next.
    """

    ids: np.ndarray
    following: np.ndarray

    @classmethod
    def of(cls, batches: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Text:
        """Batches of ids and targets (rows, time), and which rows begin a text; others go on from the batch before."""
        batches = list(batches)
        if not batches:
            return cls(np.zeros(0, np.int64), np.zeros(0, np.int64))
        rows = max(len(ids) for ids, *_ in batches)
        ids = np.concatenate([_behind(np.full(len(x), NOTHING), x, rows) for x, _, _ in batches], axis=1)
        following = np.concatenate([_behind(np.full(len(y), -1), y, rows) for _, y, _ in batches], axis=1)
        kept = np.concatenate([_behind(b, np.ones(x.shape, bool), rows) for x, _, b in batches], axis=1)
        kept[:, 0] = True
        return cls(ids[kept].astype(np.int64), following[kept].astype(np.int64))


def _behind(first: np.ndarray, values: np.ndarray, rows: int) -> np.ndarray:
    """A column (batch,) before values (batch, time), and zeros below where other batches have more rows."""
    return np.pad(np.concatenate([first[:, None], values], axis=1), ((0, rows - len(values)), (0, 0)))


class Level(NamedTuple):
    """The different n-grams of one length: ordered by the number of their context, then by their last id.

    `at`: the number of the n-gram that each step of the text ends together with what follows, −1 where there is none.
    """

    contexts: np.ndarray
    ids: np.ndarray
    counts: np.ndarray
    at: np.ndarray


def levels(text: Text, vocabulary: int, longest: int, room: int) -> list[Level]:
    """The n-grams of 1, 2, … `longest` tokens, up to the length at which there are more than `room` in all.

    They are counted where their last token follows, after contexts that are counted themselves.
    """
    context = np.zeros(len(text.ids), np.int64)  # of each step, its number among those of the level before
    found: list[Level] = []
    while len(found) < longest and room > 0:
        counted = (context >= 0) & (text.following >= 0)
        keys = context[counted] * vocabulary + text.following[counted]
        different, numbers, counts = np.unique(keys, return_inverse=True, return_counts=True)
        at = np.full(len(context), -1)
        at[counted] = numbers
        found.append(Level(different // vocabulary, different % vocabulary, counts, at))
        shorter = _shifted(context) if len(found) > 1 else context
        context = np.where(text.ids == _shifted(text.following), _shifted(at), -1)
        other = (context < 0) & (shorter >= 0)
        keys = shorter[other] * vocabulary + text.ids[other]
        numbers = np.searchsorted(different, keys)
        context[other] = np.where(np.append(different, -1)[numbers] == keys, numbers, -1)
        context[text.ids == NOTHING] = -1
        room -= len(different)
    return found


def _shifted(steps: np.ndarray) -> np.ndarray:
    """Of each step what the one before it has, −1 for the first."""
    return np.concatenate([[-1], steps[:-1]])


def shares(levels: list[Level], smoothing: Smoothing) -> list[np.ndarray]:
    """Of each n-gram of each level, the probability that it has after its context, before shorter contexts add."""
    found, above = [], 1
    for level, longer in zip(levels, [*levels[1:], None], strict=True):
        counts = level.counts
        if smoothing == "witten_bell":
            total = np.bincount(level.contexts, counts + 1, above)
            found.append(counts / total[level.contexts])
        else:
            counts = counts if longer is None else _continuations(level, longer)
            total = np.bincount(level.contexts, counts, above)
            found.append((counts - _discounts(counts)) / total[level.contexts])
        above = len(counts)
    return found


def _continuations(level: Level, longer: Level) -> np.ndarray:
    """After how many different ids each n-gram stands; where it stands after nothing, that is one more."""
    after, both = np.zeros(len(longer.counts), np.int64), longer.at >= 0
    after[longer.at[both]] = level.at[both]
    found = np.bincount(after, minlength=len(level.counts))
    found[np.unique(level.at[(level.at >= 0) & ~both])] += 1
    return found


def _discounts(counts: np.ndarray) -> np.ndarray:
    """What each count leaves to the unseen: D₁, D₂ or D₃, of n₁ … n₄ with half an n-gram more, so that none is zero."""
    n = [(counts == k).sum() + 0.5 for k in (1, 2, 3, 4)]
    first = n[0] / (n[0] + 2 * n[1])
    each = [k - (k + 1) * first * n[k] / n[k - 1] for k in (1, 2, 3)]
    return np.maximum(each, first)[np.minimum(counts, len(each)) - 1]


class Trie(NamedTuple):
    """N-grams as nodes, level after level below the root: the children of node i are first[i] … first[i + 1] − 1.

    ids: the last id of each, rising among siblings. share: the logarithm of its own probability after its context.
    left: that of the probability which it leaves, as a context, to shorter ones. The last node is no n-gram's, and has
    no children.
    """

    ids: np.ndarray
    first: np.ndarray
    share: np.ndarray
    left: np.ndarray

    @classmethod
    def of(cls, text: Text, vocabulary: int, longest: int, nodes: int, smoothing: Smoothing) -> Trie:
        """Of all n-grams up to the `longest`; of more than `nodes` the rarest of the longest are left out."""
        counted = levels(text, vocabulary, longest, nodes)
        room = nodes - sum(len(level.ids) for level in counted[:-1])
        kept = np.sort(np.argsort(-counted[-1].counts, kind="stable")[:room])
        every = [slice(None)] * (len(counted) - 1) + [kept]
        ids, first = np.zeros(nodes + 2, np.int32), np.zeros(nodes + 3, np.int32)
        share, left = np.zeros(nodes + 2, np.float32), np.zeros(nodes + 2, np.float32)
        above, start, end = 0, 0, 1  # where the level above starts, this one, and the next
        for level, own, those in zip(counted, shares(counted, smoothing), every, strict=True):
            contexts, own = level.contexts[those], own[those]
            above, start, end = start, end, end + len(own)
            first[above:start] = start + np.searchsorted(contexts, np.arange(start - above))
            left[above:start] = np.log1p(-np.bincount(contexts, own, start - above))
            ids[start:end], share[start:end] = level.ids[those], np.log(own)
        first[start:] = end
        return cls(ids, first, share, left)
