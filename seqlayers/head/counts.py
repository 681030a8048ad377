"""Texts as the different n-grams that they hold, and what naive Bayes makes of their counts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from seqlayers.embedding.ngrams import HASHES, ngram_buckets


class Texts(NamedTuple):
    """The n-grams that texts hold, one text after the other; how many each holds; and the classes of the texts.

    N-grams are known by a whole number: their hash, or the column of a matrix.
    """

    grams: np.ndarray
    lengths: np.ndarray
    labels: np.ndarray

    def counts(self, classes: int, width: int) -> np.ndarray:
        """How many texts of each class hold each of the numbers below `width`: (classes, width)."""
        of_gram = np.repeat(self.labels, self.lengths)
        return np.stack([np.bincount(self.grams[of_gram == c], minlength=width) for c in range(classes)])

    def renumbered(self, grams: np.ndarray) -> Texts:
        """With other numbers in the place of the n-grams'; what is −1 there is left out."""
        kept = grams >= 0
        of_gram = np.repeat(np.arange(len(self.lengths)), self.lengths)
        return Texts(grams[kept], np.bincount(of_gram[kept], minlength=len(self.lengths)), self.labels)

    def within(self, owners: np.ndarray) -> Texts:
        """The buckets of the n-grams that own one (see `owners`), without the others."""
        buckets = self.grams % len(owners)
        return self.renumbered(np.where(owners[buckets] == self.grams, buckets, -1))


def distinct_hashes(ids: np.ndarray, longest: int) -> tuple[np.ndarray, np.ndarray]:
    """The hashes of each text's n-grams, each once, text after text, and how many there are in each.

    Args:
        ids: whole numbers (batch, time); zeros are padding.
        longest: of the n-grams.
    """
    found = ngram_buckets(ids, longest, HASHES, ids != 0).reshape(len(ids), -1)
    found.sort(axis=1)
    first = found >= 0
    first[:, 1:] &= found[:, 1:] != found[:, :-1]
    return found[first], first.sum(axis=1)


def owners(hashes: np.ndarray, buckets: int, fewest: int) -> np.ndarray:
    """Which n-gram each bucket belongs to: of those that fall into it the one in the most texts; −1: none.

    Args:
        hashes: of the different n-grams of each text, one text after the other.
        buckets: how many there are; an n-gram falls into the bucket hash mod buckets.
        fewest: texts that an n-gram stands in, at least.
    """
    ordered = np.sort(hashes)
    first = np.flatnonzero(np.diff(ordered, prepend=-1))
    texts = np.diff(first, append=len(ordered))
    order = np.argsort(texts, kind="stable")
    grams = ordered[first[order[np.searchsorted(texts[order], fewest) :]]]
    found = np.full(buckets, -1, np.int32)
    found[grams % buckets] = grams  # the last one stays, which stands in the most texts
    return found


def log_count_ratios(counts: np.ndarray, smoothing: float) -> np.ndarray:
    """r of head `naive_bayes` from counts (classes, columns): (1, columns) for two classes, else (classes, columns)."""
    return contrast(np.log(counts + smoothing) - np.log((counts + smoothing).sum(axis=1, keepdims=True)))


def contrast(values: np.ndarray) -> np.ndarray:
    """Values of classes (classes, …) as logits: of two the second's beside the first, else each beside the mean."""
    return values[1:] - values[:1] if len(values) == 2 else values - values.mean(axis=0)
