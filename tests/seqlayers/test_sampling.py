"""What may be drawn: as the definitions say, one token at a time, and in their order."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from seqlayers.errors import ConfigurationError
from seqlayers.sampling import Sampling, narrowed
from tests.seqlayers.reference_labels import softmax

SETTINGS = [
    {},
    {"temperature": 0.3},
    {"top_k": 1},
    {"top_k": 4},
    {"top_k": 100},
    {"top_p": 0.05},
    {"top_p": 0.75},
    {"min_p": 0.2},
    {"min_p": 1.0},
    {"repetition_penalty": 1.8},
    {"temperature": 1.7, "top_k": 6, "top_p": 0.8, "min_p": 0.15, "repetition_penalty": 1.3},
    {"temperature": 0.5, "top_k": 6, "top_p": 0.99, "min_p": 0.001, "repetition_penalty": 0.7},
]
FORBIDDEN = (0, 1)


def logits(rows=5, vocabulary=12):
    rng = np.random.default_rng(3)
    found = rng.normal(scale=2, size=(rows, vocabulary)).astype("float32").round(1)  # rounded: some are equal
    found[0], found[1, 4:8] = 0.5, 9.0
    return found, rng.random((rows, vocabulary)) < 0.4


def reference(row, seen, temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, repetition_penalty=1.0):
    """The tokens left of one row, likeliest first, and their logits, in float64."""
    row = row.astype("float64")
    row = np.where(seen, np.where(row > 0, row / repetition_penalty, row * repetition_penalty), row) / temperature
    left = sorted((i for i in range(len(row)) if i not in FORBIDDEN), key=lambda i: -row[i])
    if top_k:
        left = left[:top_k]
    p, sums = softmax(row[left]), 0.0
    if top_p < 1:
        for count, share in enumerate(p, 1):
            sums += share
            if sums >= top_p:
                left = left[:count]
                break
    left = [i for i in left if np.exp(row[i] - row[left[0]]) >= min_p - 1e-9]
    return left, row


def check(found, given, seen, settings):
    for row, line, held in zip(np.asarray(found, "float64"), given, seen, strict=True):
        left, expected = reference(line, held, **settings)
        assert sorted(left) == np.flatnonzero(np.isfinite(row)).tolist()
        assert np.allclose(softmax(row[left]), softmax(expected[left]), atol=1e-5)
        assert (row[sorted({*range(len(row))} - {*left})] == -np.inf).all()


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_what_is_left_is_what_the_definitions_say(settings):
    given, seen = logits()
    check(narrowed(given, Sampling(**settings), seen, FORBIDDEN), given, seen, settings)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_setting_for_each_row_does_what_one_for_all_does_compiled_or_not(settings):
    given, seen = logits()
    full = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0, "repetition_penalty": 1.0} | settings

    def of_rows(given, seen, *values):
        return narrowed(given, Sampling(*values), seen, FORBIDDEN)

    values = [np.full(len(given), v, "int32" if name == "top_k" else "float32") for name, v in full.items()]
    whole = np.asarray(narrowed(given, Sampling(**settings), seen, FORBIDDEN))
    assert np.allclose(softmax(np.asarray(of_rows(given, seen, *values))), softmax(whole), atol=1e-6)
    signature = [tf.TensorSpec([None, given.shape[1]]), tf.TensorSpec([None, given.shape[1]], "bool")]
    compiled = tf.function(of_rows, [*signature, *(tf.TensorSpec([None], v.dtype) for v in values)])
    assert (np.asarray(compiled(given, seen, *values)) == np.asarray(of_rows(given, seen, *values))).all()


def test_rows_have_settings_of_their_own():
    given, seen = logits()
    top_k, top_p = np.array([1, 0, 3, 0, 5], "int32"), np.array([1, 0.5, 0.9, 1, 0.3], "float32")
    found = narrowed(given, Sampling(top_k=top_k, top_p=top_p), seen, FORBIDDEN)
    for i in range(5):
        settings = {"top_k": int(top_k[i]), "top_p": float(top_p[i])}
        check(found[i : i + 1], given[i : i + 1], seen[i : i + 1], settings)


def test_the_likeliest_alone_is_left_however_cold_it_is():
    given = np.array([[3.0, 1.0, 2.0]], "float32")
    for settings in ({"temperature": 1e-36}, {"top_k": 1}, {"top_p": 1e-6}, {"min_p": 1.0}):
        p = softmax(np.asarray(narrowed(given, Sampling(**settings)), "float64"))
        assert p.tolist() == [[1, 0, 0]], settings


def test_without_settings_logits_stay_as_they_are():
    given, _ = logits()
    assert (np.asarray(narrowed(given, Sampling())) == given).all()


def test_a_penalty_needs_to_know_what_was_seen():
    with pytest.raises(ValueError, match="repetition penalty needs `seen`"):
        narrowed(logits()[0], Sampling(repetition_penalty=1.2))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"temperature": 0}, r"temperature: 0 given.*above 0.*`top_k` 1"),
        ({"temperature": -1.0}, "temperature: -1.0 given"),
        ({"temperature": float("nan")}, "temperature: nan given"),
        ({"temperature": float("inf")}, "temperature: inf given"),
        ({"top_k": -1}, "top_k: -1 given.*whole number"),
        ({"top_k": 2.5}, "top_k: 2.5 given"),
        ({"top_p": 0.0}, "top_p: 0.0 given.*up to 1"),
        ({"top_p": 1.5}, "top_p: 1.5 given"),
        ({"min_p": -0.1}, "min_p: -0.1 given"),
        ({"min_p": 1.1}, "min_p: 1.1 given"),
        ({"repetition_penalty": 0}, "repetition_penalty: 0 given"),
    ],
)
def test_numbers_out_of_range_are_refused_by_name(wrong, said):
    with pytest.raises(ConfigurationError, match=said):
        Sampling(**wrong).check()


def test_numbers_in_range_pass_and_tensors_are_not_looked_at():
    for settings in SETTINGS:
        Sampling(**settings).check()
    Sampling(temperature=np.zeros(3)).check()
