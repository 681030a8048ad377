"""Losses and likelihoods of labels and notes in NumPy float64, one step and one note at a time."""

from __future__ import annotations

import itertools

import numpy as np

from tests.seqlayers.reference import sigmoid


def log_softmax(z):
    z = z - z.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def softmax(z):
    return np.exp(log_softmax(z))


def cross_entropy(z, target, smoothing=0.0):
    """One value for each target; one probability for each class."""
    found = np.zeros(target.shape)
    for place in np.ndindex(target.shape):
        wanted = np.full(z.shape[-1], smoothing / z.shape[-1])
        wanted[target[place]] += 1 - smoothing
        found[place] = -wanted @ log_softmax(z[place])
    return found


def mean_over_real(z, target, smoothing=0.0):
    real = target != -1
    return cross_entropy(z[real], target[real], smoothing).mean()


def shares(values, real):
    """Of each row, in the mean over the real steps of all."""
    return np.array([values[i][real[i]].sum() for i in range(len(values))]) * len(values) / real.sum()


def independent(v, b):
    """log p of one chord."""
    return sum(np.log(sigmoid(b[i]) if v[i] else 1 - sigmoid(b[i])) for i in range(len(v)))


def nade(v, b, c, w, v_weights):
    """log p of one chord by the chain rule: Larochelle and Murray 2011, equations 6 to 8."""
    total = 0.0
    for i in range(len(v)):
        hidden = sigmoid(c + sum((w[j] for j in range(i) if v[j]), np.zeros_like(c)))
        p = sigmoid(b[i] + v_weights[i] @ hidden)
        total += np.log(p if v[i] else 1 - p)
    return total


def chords(pitches):
    return np.array(list(itertools.product((0, 1), repeat=pitches)), "int32")
