"""A matrix of zeros and ones, kept as the places of its ones, and its products with vectors."""

from __future__ import annotations

import itertools

import numpy as np

#: Ones whose values are in memory at once in a product: few enough for a processor's cache.
SLICE = 2**18


class Stretches:
    """A list of places, cut into stretches, over which values are summed.

    Args:
        places: whole numbers, one stretch after the other.
        lengths: of each stretch; may be 0.
    """

    def __init__(self, places: np.ndarray, lengths: np.ndarray):
        self.places, self.count = places.astype(np.intp, copy=False), len(lengths)
        self.filled = np.flatnonzero(lengths)
        ends = np.cumsum(lengths[self.filled], dtype=np.intp)
        starts = ends - lengths[self.filled]
        cuts = np.unique(np.searchsorted(starts, np.arange(0, len(places), SLICE), side="right") - 1)
        self.slices = [
            (slice(i, j), slice(starts[i], ends[j - 1]), starts[i:j] - starts[i])
            for i, j in itertools.pairwise([*cuts, len(starts)])
        ]

    def sums(self, values: np.ndarray) -> np.ndarray:
        """The sum of values[places] over each stretch."""
        found = np.zeros(len(self.filled))
        for stretches, ones, starts in self.slices:
            found[stretches] = np.add.reduceat(values.take(self.places[ones]), starts)
        if len(found) == self.count:
            return found
        every = np.zeros(self.count)
        every[self.filled] = found
        return every


class Presence:
    """X (rows, columns) of zeros and ones.

    Args:
        columns: the column of each one, row after row.
        lengths: how many ones each row has.
        width: columns.
    """

    def __init__(self, columns: np.ndarray, lengths: np.ndarray, width: int):
        self.shape = (len(lengths), width)
        self.rows = Stretches(columns, lengths)
        shift = max(1, len(lengths) - 1).bit_length()
        keys = columns.astype(np.int64) << shift
        keys |= np.repeat(np.arange(len(lengths)), lengths)
        keys.sort()  # by column, then by row: sorting such numbers is faster than finding the order of the columns
        keys &= (1 << shift) - 1
        self.columns = Stretches(keys, np.bincount(columns, minlength=width))

    def times(self, weights: np.ndarray) -> np.ndarray:
        """X w for each row of weights (…, columns): (…, rows)."""
        return np.stack([self.rows.sums(w) for w in weights])

    def transposed_times(self, values: np.ndarray) -> np.ndarray:
        """Xᵀ v for each row of values (…, rows): (…, columns)."""
        return np.stack([self.columns.sums(v) for v in values])
