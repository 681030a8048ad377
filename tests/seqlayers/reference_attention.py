"""The equations of attention, positions and Transformer blocks in NumPy float64, one pair of steps at a time."""

from __future__ import annotations

import math

import numpy as np

from tests.seqlayers import reference


def named(layer, values):
    """Values in the order of a layer's weights, by the last parts of their paths."""
    return {"/".join(w.path.split("/")[1:]): v for w, v in zip(layer.weights, values, strict=True)}


def product(q, k, head, s, t, w):
    """The score of Vaswani et al., equation 1, for the query of step s and the key of step t."""
    return q @ k / math.sqrt(len(q))


def rotary(period=10000.0):
    """Su et al., equations 15 and 16: products of turned vectors, pairs being features i and i + d/2."""

    def turned(x, m):
        d = len(x)
        paired = x.reshape(2, d // 2).T.reshape(-1)  # 0, d/2, 1, d/2 + 1, …: the pairs side by side, as in the paper
        matrix = np.zeros((d, d))
        for i in range(d // 2):
            a = m * period ** (-2 * i / d)
            matrix[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = [[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]
        return matrix @ paired

    return lambda q, k, head, s, t, w: turned(q, s) @ turned(k, t) / math.sqrt(len(q))


def relative(q, k, head, s, t, w):
    """Huang et al., equation 3, with w["back"][head, s − t], or w["ahead"][head, t − s − 1]."""
    table, i = (w["back"], s - t) if t <= s else (w["ahead"], t - s - 1)
    return (q @ k + q @ table[head, min(i, table.shape[1] - 1)]) / math.sqrt(len(q))


def alibi(heads):
    """Press et al., section 3: slopes that start at 2^(−8/n) and have it as their ratio."""
    return lambda q, k, head, s, t, w: product(q, k, head, s, t, w) - 2 ** (-8 / heads * (head + 1)) * abs(s - t)


def multi_head(q, k, v, heads, allowed, score=product, w=None):
    """q (batch, queries, units), k and v (batch, keys, units); `allowed(row, query, key)` says whether it may look."""
    y, size = np.zeros_like(q), q.shape[2] // heads
    for b, head, s in np.ndindex(len(q), heads, q.shape[1]):
        part = slice(head * size, (head + 1) * size)
        keys = [t for t in range(k.shape[1]) if allowed(b, s, t)]
        scores = np.array([score(q[b, s, part], k[b, t, part], head, s, t, w) for t in keys])
        p = np.exp(scores - scores.max())
        y[b, s, part] = (p / p.sum()) @ v[b, keys][:, part]
    return y


def self_attention(x, w, heads, allowed, score=product):
    q, k, v = np.split(x @ w["attention/projection/kernel"] + w["attention/projection/bias"], 3, axis=-1)
    y = multi_head(q, k, v, heads, allowed, score, w)
    return y @ w["attention/output/kernel"] + w["attention/output/bias"]


def cross_attention(x, memory, w, heads, allowed):
    q = x @ w["cross/query/kernel"] + w["cross/query/bias"]
    k, v = np.split(memory @ w["cross/projection/kernel"] + w["cross/projection/bias"], 2, axis=-1)
    return multi_head(q, k, v, heads, allowed) @ w["cross/output/kernel"] + w["cross/output/bias"]


def silu(x):
    return x * reference.sigmoid(x)


def feed_forward(x, w, activation):
    inner = x @ w["inner/kernel"] + w["inner/bias"]
    if activation == "swiglu":  # Shazeer, equation 6
        inner = silu(inner) * (x @ w["linear/kernel"] + w["linear/bias"])
    else:
        inner = {"relu": reference.relu, "gelu": reference.gelu, "silu": silu}[activation](inner)
    return inner @ w["outer/kernel"] + w["outer/bias"]


def normalise(x, w, i, kind):
    if kind == "layer":
        return reference.layer_norm(x, w[f"norm_{i}/gamma"], w[f"norm_{i}/beta"])
    return x / np.sqrt(np.mean(x**2, -1, keepdims=True) + 1e-6) * w[f"norm_{i}/scale"]  # Zhang and Sennrich, equation 4


def block(layer, x, w, allowed, score=product, memory=None, seen=None):
    """A Transformer block; with a memory a decoder's, `seen(row, query, key)` saying which of its steps are real."""
    parts = [lambda h: self_attention(h, w, layer.heads, allowed, score)]
    if memory is not None:
        parts.append(lambda h: cross_attention(h, memory, w, layer.heads, seen))
    parts.append(lambda h: feed_forward(h, w, layer.activation))
    for i, part in enumerate(parts, 1):
        if layer.norm == "pre":
            x = x + part(normalise(x, w, i, layer.normalisation))
        else:
            x = normalise(x + part(x), w, i, layer.normalisation)
    return x


def banded(causal=True, window=None):
    """Which steps may look at which, in all rows alike."""
    return lambda row, s, t: (not causal or t <= s) and (window is None or abs(s - t) < window)
