"""Hashed n-grams of ids."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from keras import ops

from seqlayers.arguments import Count
from seqlayers.embedding.ids import Ids, unless
from seqlayers.slots import Choice, kind

#: Two primes p whose fields the hash is computed in. All products stay below p² < 2³¹; p mod 3 = 2 makes the cube a
#: permutation of the field; and p₁p₂, just below 2³¹ too, is how many hashes there are.
PRIMES = (46337, 46307)
MULTIPLIERS = (31337, 27191)
#: How many hashes there are before they are cut down to buckets.
HASHES = PRIMES[0] * PRIMES[1]


@kind("embedding", "ngrams")
class NGrams(Ids):
    r"""Adds up a learned vector for each n-gram that ends at a step, n = 1 … N, looked up by its hash.

    \[ y_t = \sum_{n=1}^{N} E_{\,b_n(t)}, \qquad b_n(t) = (h_{1,n}\,p_2 + h_{2,n}) \bmod \text{buckets}, \qquad
       h_{i,n} = (m_i h_{i,n-1} + x_{t-n+1} + n)^3 \bmod p_i, \quad h_{i,0} = 1 \]

    with primes \(p_1, p_2\) so small that no product reaches 2³¹: the same whole numbers wherever they are computed,
    and from `ngram_buckets` in NumPy. An n-gram that would begin before the sequence, or holds padding, is left out.

    Args:
        vocabulary: how many ids there are.
        units: features of the output.
        longest: N.
        buckets: rows of E. Two n-grams that fall into one share its vector: of k different n-grams, each meets another
            with a chance near k / buckets.
        mask_zero: id 0 is padding, which the mask that is handed on leaves out.

    Call arguments:
        x: integers (batch, time), 0 ≤ x < vocabulary.
        mask: boolean (batch, time); false steps are padding, as zeros are with `mask_zero`.

    Returns:
        (batch, time, units); zeros at padding.

    Raises:
        ValueError: an id outside the vocabulary. Where values are not known, while a function is compiled, nothing can
            be raised: the output is NaN at the id and at the N − 1 steps after it.

    Streams through the last N − 1 ids.

    Weinberger et al. 2009, Feature hashing for large scale multitask learning; Joulin et al. 2017, Bag of tricks for
    efficient text classification.
    """

    search: ClassVar = {
        "units": Choice((16, 32, 64)),
        "longest": Choice((1, 2, 3)),
        "buckets": Choice((2**14, 2**16, 2**18)),
    }

    def __init__(
        self,
        vocabulary: Count,
        units: Count = 64,
        longest: Count = 3,
        buckets: Count = 2**16,
        mask_zero: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.vocabulary, self.units, self.mask_zero = vocabulary, units, mask_zero
        self.longest, self.buckets = longest, buckets

    def build(self, input_shape: Any) -> None:
        self.table = self.add_weight(
            name="table", shape=(self.buckets, self.units), initializer="uniform", autocast=False
        )

    def call(self, x: Any, mask: Any = None) -> Any:
        return self._embed(x, mask, self.initial_state(ops.shape(x)[0]))[0]

    def initial_state(self, batch: Any) -> Any:
        """The last N − 1 ids (batch, N − 1), and how many of them, from the right, there have been: (batch,)."""
        return ops.zeros((batch, self.longest - 1), "int32"), ops.zeros((batch,), "int32")

    def stream(self, x: Any, state: Any, training: bool | None = None) -> tuple[Any, Any]:
        return self._embed(x, None, state)

    def _embed(self, x: Any, mask: Any, state: Any) -> tuple[Any, Any]:
        before, count = state
        memory = self.longest - 1
        ids = ops.cast(ops.where(self.known(x), x, -1), "int32")
        real = self.compute_mask(ids, ops.ones_like(ids, "bool") if mask is None else mask)
        if memory:
            held = ops.arange(memory, dtype="int32") >= memory - ops.expand_dims(count, 1)
            real = ops.concatenate([self.compute_mask(before, held), real], axis=1)
            ids = ops.concatenate([before, ids], axis=1)
            before, count = ids[:, -memory:], ops.minimum(count + ops.shape(x)[1], memory)
        y: Any = 0.0
        for bucket, whole in hashed(ids, real, self.longest, self.buckets):
            y = y + ops.take(self.table, bucket, axis=0) * ops.expand_dims(ops.where(whole, 1.0, 0.0), -1)
        unknown = functools.reduce(ops.logical_or, _windows(ids < 0, self.longest))
        return unless(unknown, ops.cast(y, self.compute_dtype)), (before, count)


def ngram_buckets(
    ids: np.ndarray, longest: int = 3, buckets: int = 2**16, mask: np.ndarray | None = None
) -> np.ndarray:
    """The rows of embedding `ngrams`' table that each step adds up.

    Args:
        ids: whole numbers (…, time), none negative.
        longest, buckets: as in the embedding.
        mask: boolean (…, time); false steps are padding.

    Returns:
        int32 (…, time, longest): the bucket of the n-gram that ends at the step, for n = 1 … longest, and −1 where it
        is left out.
    """
    ids = np.asarray(ids)
    before = [(0, 0)] * (ids.ndim - 1) + [(longest - 1, 0)]
    real = np.pad(np.ones(ids.shape, bool) if mask is None else np.asarray(mask, bool), before)
    each = hashed(np.pad(ids.astype("int64"), before), real, longest, buckets)
    return np.stack([np.where(whole, found, -1) for found, whole in each], axis=-1).astype("int32")


def hashed(ids: Any, real: Any, longest: int, buckets: int) -> Iterator[tuple[Any, Any]]:
    """For n = 1 … longest: (bucket, whether all of it is `real`) of the n-gram that ends at each step.

    `ids` and `real` (…, longest − 1 + time) are NumPy's or any backend's: operators are all that is used of them.
    """
    hashes: list[Any] = [1, 1]
    whole: Any = True
    for n, (x, is_real) in enumerate(zip(_windows(ids, longest), _windows(real, longest), strict=True), 1):
        for i, (prime, multiplier) in enumerate(zip(PRIMES, MULTIPLIERS, strict=True)):
            h = (hashes[i] * multiplier + x % prime + n) % prime
            hashes[i] = h * h % prime * h % prime
        whole = is_real & whole
        yield (hashes[0] * PRIMES[1] + hashes[1]) % buckets, whole


def _windows(x: Any, longest: int) -> Iterator[Any]:
    """x (…, longest − 1 + time) → (…, time) of each step itself, of the step before it, … of longest − 1 before it."""
    for back in range(longest):
        yield x[..., longest - 1 - back : -back or None]
