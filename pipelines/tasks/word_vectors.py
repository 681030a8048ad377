"""Vectors of words from the company that they keep: what texts without labels can teach."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data.transforms.vocabulary import FIRST

#: The power by which frequent contexts are held to be less frequent.
SMOOTHING = 0.75


def word_vectors(texts: Sequence[np.ndarray], size: int, units: int, *, window: int = 5, seed: int = 0) -> np.ndarray:
    r"""A vector for each id, such that words of like company lie near each other.

    With \(n_{wc}\) the times that c stands within `window` tokens of w, nearer ones counting more (1 / distance),

    \[ M_{wc} = \max\Big(0, \log \frac{n_{wc} \sum_{w'} \sum_{c'} n_{w'c'}^{}}{n_w\, \tilde n_c}\Big), \qquad
       M \approx U \Sigma V^\top, \qquad E = U \Sigma^{1/2} \]

    with \(\tilde n_c \propto n_c^{3/4}\), and E scaled so that its entries have a mean square of 0.05².

    Args:
        texts: ids (tokens,) each.
        size: how many ids there are; 0 and 1 are no words, and their vectors are nought.
        units: of a vector.
        window: tokens on either side.
        seed: of the factorisation.

    Returns:
        E (size, units), float32.

    Levy, Goldberg and Dagan 2015, Improving distributional similarity with lessons learned from word embeddings.
    """
    from scipy import sparse
    from sklearn.utils.extmath import randomized_svd

    flat = np.concatenate([*texts, np.zeros(0, "int32")]).astype("int32")
    text = np.repeat(np.arange(len(texts), dtype="int32"), [len(ids) for ids in texts])
    counts = sparse.csr_matrix((size, size), dtype="float32")
    for distance in range(1, window + 1):
        word, context = flat[:-distance], flat[distance:]
        both = (text[:-distance] == text[distance:]) & (word >= FIRST) & (context >= FIRST)
        weights = np.full(int(both.sum()), 1 / distance, "float32")
        counts = counts + sparse.csr_matrix((weights, (word[both], context[both])), shape=(size, size))
    counts = (counts + counts.T).tocoo()
    of_word = np.bincount(counts.row, counts.data, minlength=size)
    of_context = np.bincount(counts.col, counts.data, minlength=size) ** SMOOTHING
    of_context *= of_word.sum() / max(of_context.sum(), 1e-30)
    information = np.log(counts.data * of_word.sum() / (of_word[counts.row] * of_context[counts.col]))
    kept = information > 0
    matrix = sparse.csr_matrix(
        (information[kept].astype("float32"), (counts.row[kept], counts.col[kept])), shape=(size, size)
    )
    u, s, _ = randomized_svd(matrix, units, n_iter=3, random_state=seed)
    vectors = u * np.sqrt(s)
    vectors[:FIRST] = 0  # but for rounding they are
    return (0.05 * vectors / max(np.sqrt(np.mean(vectors[FIRST:] ** 2)), 1e-30)).astype("float32")
