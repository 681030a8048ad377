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
