"""The equations of the kinds in NumPy float64, written from the papers and not from the code."""

from __future__ import annotations

import math

import numpy as np

erf = np.vectorize(math.erf)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gelu(x):
    return 0.5 * x * (1 + erf(x / math.sqrt(2)))


def relu(x):
    return np.maximum(x, 0)


def weights(layer) -> dict[str, np.ndarray]:
    """A layer's weights by the last parts of their paths, in float64."""
    return {"/".join(w.path.split("/")[1:]): np.asarray(w, np.float64) for w in layer.weights}


def simple_rnn(x, kernel, recurrent, bias):
    h, found = np.zeros((len(x), len(recurrent))), []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ kernel + h @ recurrent + bias)
        found.append(h)
    return np.stack(found, 1)


def lstm(x, kernel, recurrent, bias):
    units, found = len(recurrent), []
    h = c = np.zeros((len(x), units))
    for t in range(x.shape[1]):
        i, f, g, o = np.split(x[:, t] @ kernel + h @ recurrent + bias, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        found.append(h)
    return np.stack(found, 1)


def gru(x, kernel, recurrent, bias, reset_after=True):
    units, found = len(recurrent), []
    h = np.zeros((len(x), units))
    outer, inner = bias if reset_after else (bias, np.zeros(3 * units))
    for t in range(x.shape[1]):
        a, b = x[:, t] @ kernel + outer, h @ recurrent + inner
        z, r = (sigmoid(a[:, s] + b[:, s]) for s in (slice(0, units), slice(units, 2 * units)))
        last = slice(2 * units, None)
        n = np.tanh(a[:, last] + (r * b[:, last] if reset_after else (r * h) @ recurrent[:, last]))
        h = z * h + (1 - z) * n
        found.append(h)
    return np.stack(found, 1)


def convolution(x, kernel, bias, dilation=1, ahead=0):
    """y_t from x_{t + ahead − (k − 1)d}, …, x_{t + ahead}, step d, zeros outside."""
    y = np.zeros((*x.shape[:2], kernel.shape[2])) + bias
    for t in range(x.shape[1]):
        for j in range(len(kernel)):
            s = t + ahead - (len(kernel) - 1 - j) * dilation
            if 0 <= s < x.shape[1]:
                y[:, t] += x[:, s] @ kernel[j]
    return y


def layer_norm(x, gamma, beta, eps=1e-6):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + eps) * gamma + beta


def attention(x, w, heads, allowed):
    """One query, one head at a time; `allowed(query, key)` says whether it may look."""
    batch, time, units = x.shape
    size = units // heads
    qkv = x @ w["attention/projection/kernel"] + w["attention/projection/bias"]
    q, k, v = qkv[..., :units], qkv[..., units : 2 * units], qkv[..., 2 * units :]
    y = np.zeros_like(x)
    for b in range(batch):
        for h in range(heads):
            part = slice(h * size, (h + 1) * size)
            for i in range(time):
                keys = [j for j in range(time) if allowed(i, j)]
                scores = np.array([q[b, i, part] @ k[b, j, part] for j in keys]) / math.sqrt(size)
                p = np.exp(scores - scores.max())
                y[b, i, part] = (p / p.sum()) @ v[b, keys][:, part]
    return y @ w["attention/output/kernel"] + w["attention/output/bias"]
