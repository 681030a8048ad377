"""The equations of the recurrences in NumPy float64, written from the papers and not from the code."""

from __future__ import annotations

import functools

import numpy as np

from tests.seqlayers.reference import relu, sigmoid

identity = np.asarray
ACTIVATIONS = {"tanh": np.tanh, "relu": relu, "linear": identity, "sigmoid": sigmoid}


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def run(step, x, state, mask=None, zoneout=0.0):
    """The first of the states after each step of x (batch, time, features).

    `zoneout` is the share of its last value that each unit keeps; a masked step leaves everything as it is.
    """
    found = []
    for t in range(x.shape[1]):
        after = [zoneout * old + (1 - zoneout) * new for old, new in zip(state, step(x[:, t], *state), strict=True)]
        real = np.ones((len(x), 1), bool) if mask is None else mask[:, t : t + 1]
        state = [np.where(real, new, old) for old, new in zip(state, after, strict=True)]
        found.append(state[0])
    return np.stack(found, 1)


def normalised(x, gain=None):
    """Ba et al. 2016, equation 3, without a bias; x itself without a gain."""
    if gain is None:
        return x
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5) * gain


def rnn_step(weights, x, h, f=np.tanh):
    """Elman 1990; with a fourth weight Ba et al. 2016, equation 4."""
    kernel, recurrent, bias, *gain = weights
    return (f(normalised(x @ kernel + h @ recurrent, *gain) + bias),)


def lstm_step(weights, x, h, c):
    """Gers et al. 2000; with three gains Ba et al. 2016, equations 20 to 22."""
    kernel, recurrent, bias, *gains = weights
    gain_x, gain_h, gain_c = gains or (None, None, None)
    i, f, g, o = np.split(normalised(x @ kernel, gain_x) + normalised(h @ recurrent, gain_h) + bias, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(normalised(c, gain_c)), c


def gru_step(weights, x, h, reset_after=True):
    """Cho et al. 2014 with Keras's z; with four gains Ba et al. 2016, equations 23 to 26."""
    kernel, recurrent, bias, *gains = weights
    gain_x, gain_xn, gain_h, gain_hn = gains or [None] * 4
    (b, d), two = (bias if reset_after else (bias, 0 * bias)), 2 * h.shape[-1]
    outer = normalised((x @ kernel)[:, :two], gain_x) + b[:two]
    inner = normalised(h @ recurrent[:, :two], gain_h) + d[:two]
    z, r = np.split(sigmoid(outer + inner), 2, axis=-1)
    proposed = normalised((x @ kernel)[:, two:], gain_xn) + b[two:]
    if reset_after:
        n = np.tanh(proposed + r * (normalised(h @ recurrent[:, two:], gain_hn) + d[two:]))
    else:
        n = np.tanh(proposed + normalised((r * h) @ recurrent[:, two:], gain_hn))
    return (z * h + (1 - z) * n,)


def other_gru_step(w, u, b, x, h):
    """The GRU of the original paper's later version: h = (1 − z) h′ + z h̃, the reset gate before the product.

    w, u, b: mappings from a gate's name (z, r, h) to its weights.
    """
    z = sigmoid(x @ w["z"] + h @ u["z"] + b["z"])
    r = sigmoid(x @ w["r"] + h @ u["r"] + b["r"])
    return ((1 - z) * h + z * np.tanh(x @ w["h"] + (r * h) @ u["h"] + b["h"]),)


STEPS = {"simple_rnn": rnn_step, "lstm": lstm_step, "gru": gru_step}


def recurrence(settings, weights, x, mask=None):
    """y (batch, time, …) of an encoder's settings ({kind, units, …}) and weights, in Keras's order."""
    kind, reading = settings["kind"], []
    step = STEPS[kind]
    if kind == "simple_rnn":
        step = functools.partial(step, f=ACTIVATIONS[settings.get("activation", "tanh")])
        if settings.get("output_units"):
            *weights, kernel, bias = weights
            reading = [kernel, bias]
    if kind == "gru":
        step = functools.partial(step, reset_after=settings.get("reset_after", True))
    zeros = np.zeros((len(x), settings["units"]))
    states = [zeros, zeros] if kind == "lstm" else [zeros]
    y = run(functools.partial(step, weights), x, states, mask, settings.get("zoneout", 0.0))
    if reading:
        g = {**ACTIVATIONS, "softmax": softmax}[settings.get("output_activation", "linear")]
        y = g(y @ reading[0] + reading[1])
    return y


MERGES = {
    "concatenate": lambda a, b: np.concatenate([a, b], -1),
    "sum": lambda a, b: a + b,
    "mean": lambda a, b: (a + b) / 2,
    "product": lambda a, b: a * b,
}


def bidirectional(settings, weights, x, mask=None, merge="concatenate"):
    """Schuster and Paliwal 1997: the first half of the weights reads forwards, the second backwards."""
    half = len(weights) // 2
    forward = recurrence(settings, weights[:half], x, mask)
    backward = recurrence(settings, weights[half:], x[:, ::-1], None if mask is None else mask[:, ::-1])[:, ::-1]
    return MERGES[merge](forward, backward)


def attention(query, keys, values, allowed=None):
    """One head: (batch, queries, size), (batch, keys, size) twice, allowed boolean (batch, keys)."""
    scores = query @ np.swapaxes(keys, 1, 2) / np.sqrt(query.shape[-1])
    if allowed is not None:
        scores = np.where(allowed[:, None], scores, -np.inf)
    return softmax(scores) @ values


def decoder(settings, heads, weights, x, memory, memory_mask=None):
    """Luong et al. 2015, equations 3, 5 and 7, with projected queries, keys and values in heads.

    `weights`: the recurrence's, then (kernel, bias) of keys and values, of the heads' output, of queries, and of y.
    """
    (of_kv, bias_kv, of_heads, bias_heads, of_q, bias_q, of_y, bias_y), own = weights[-8:], weights[:-8]
    h = recurrence(settings, own, x)
    kv, q = memory @ of_kv + bias_kv, h @ of_q + bias_q
    k, v = np.split(kv, 2, axis=-1)
    parts = (np.split(a, heads, axis=-1) for a in (q, k, v))
    context = np.concatenate([attention(*qkv, memory_mask) for qkv in zip(*parts, strict=True)], -1)
    return np.tanh(np.concatenate([h, context @ of_heads + bias_heads], -1) @ of_y + bias_y)
