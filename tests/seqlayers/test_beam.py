"""A beam finds what a search through everything finds, and of width one what is likeliest at each step."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
import pytest
import tensorflow as tf

from seqlayers.errors import ConfigurationError
from seqlayers.generation import TokenChoice, beam, generate, read
from seqlayers.sampling import Sampling
from seqlayers.testing import equal
from tests.seqlayers import generated
from tests.seqlayers.generated import LENGTHS, PROMPT, SEEDS, WORDS
from tests.seqlayers.reference_labels import log_softmax

STOP = 4
USUAL = range(2, WORDS)


@cache
def after_prompt(encoder="gru"):
    model = generated.language_model(encoder)
    step = tf.function(model.step, reduce_retracing=True)  # quicker
    return step, *read(step, model.initial_state(3), PROMPT, LENGTHS)[:2]


def everything(model, prompt, most, stop):
    """Every continuation with its log p in float64, by one call of the whole model."""
    found = {}
    texts = np.array(list(product(USUAL, repeat=most)), "int32")
    ids = np.concatenate([np.tile(prompt, (len(texts), 1)), texts], 1)
    log_p = log_softmax(np.asarray(model(ids), "float64"))
    for row, of_row in zip(texts, log_p, strict=True):
        end = np.flatnonzero(row == stop)[0] + 1 if stop in row else most
        kept = tuple(row[:end]) + (0,) * (most - end)
        found[kept] = sum(of_row[len(prompt) - 1 + t, row[t]] for t in range(end))
    return found


def test_of_width_one_it_is_greedy():
    step, output, state = after_prompt()
    greedy = generate(step, output, state, 12, TokenChoice(None, Sampling(top_k=1), SEEDS), stop=STOP)
    found, _ = beam(step, output, state, 12, 1, stop=STOP)
    assert found.shape == (3, 1, 12) and (np.asarray(found[:, 0]) == np.asarray(greedy)).all()


@pytest.mark.parametrize("encoder", ["gru", "window"])
@pytest.mark.parametrize("length_penalty", [0.0, 2.0])
def test_a_wide_one_finds_what_a_search_through_everything_finds(encoder, length_penalty):
    step, output, state = after_prompt(encoder)
    ids, log_p = beam(step, output, state, 3, 300, stop=STOP, length_penalty=length_penalty)
    ids, log_p = np.asarray(ids), np.asarray(log_p)
    for i, n in enumerate(LENGTHS):
        found = everything(generated.language_model(encoder), PROMPT[i, :n], 3, STOP)
        real = np.isfinite(log_p[i])
        assert real.sum() == len(found) and not ids[i, ~real].any()
        equal(log_p[i, real], np.array([found[tuple(row)] for row in ids[i, real]]), "log p")
        ranks = log_p[i, real] / ((5 + np.count_nonzero(ids[i, real], axis=1)) / 6) ** length_penalty
        assert (np.diff(ranks) < 1e-5).all() and len({*map(tuple, ids[i, real])}) == len(found)


def test_wider_finds_likelier_ones_and_the_penalty_longer_ones():
    step, output, state = after_prompt()
    best = [np.asarray(beam(step, output, state, 8, w)[1][:, 0]) for w in (1, 3, 40)]
    assert (best[2] >= np.maximum(best[0], best[1]) - 1e-5).all() and (best[2] > best[0]).any()
    lengths = [
        np.count_nonzero(beam(step, output, state, 8, 40, stop=(3, STOP), length_penalty=a)[0][:, 0], axis=1)
        for a in (0.0, 5.0)
    ]
    assert (lengths[1] >= lengths[0]).all() and (lengths[1] > lengths[0]).any()


def test_rows_are_searched_by_themselves_compiled_for_any_batch_or_not():
    model, together = generated.language_model("window"), beam(*after_prompt("window"), 6, 4, stop=STOP)

    def whole(prompt, lengths, most):
        output, state, _ = read(model.step, model.initial_state(tf.shape(prompt)[0]), prompt, lengths)
        return beam(model.step, output, state, most, 4, stop=STOP)

    signature = [tf.TensorSpec([None, None], "int32"), tf.TensorSpec([None], "int32"), tf.TensorSpec([], "int32")]
    compiled = tf.function(whole, signature)
    for rows in (slice(0, 3), slice(1, 2)):
        ids, log_p = compiled(PROMPT[rows], LENGTHS[rows], 6)
        assert (np.asarray(ids) == np.asarray(together[0])[rows]).all()
        equal(log_p, together[1][rows], "log p")


def test_what_is_forbidden_never_comes_and_takes_no_probability():
    step, output, state = after_prompt()
    ids, log_p = beam(step, output, state, 1, WORDS, forbidden=(0, 1, 5))
    expected = log_softmax(np.asarray(output, "float64"))
    for i in range(3):
        assert sorted(ids[i, :6, 0].numpy()) == [2, 3, 4, 6, 7, 8] and not np.asarray(ids[i, 6:]).any()
        equal(log_p[i, :6], expected[i, np.asarray(ids[i, :6, 0])], "log p")
        assert (np.asarray(log_p[i, 6:]) == -np.inf).all()


def test_beyond_a_capacity_there_are_no_tokens():
    model = generated.language_model("capacity")
    output, state, _ = read(model.step, model.initial_state(3), PROMPT)
    found = tf.function(lambda: beam(model.step, output, state, 7, 2))()
    assert (np.asarray(found[0][0]) == -1).all() and np.isnan(found[1][0]).all()
    with pytest.raises(ValueError, match="capacity of 10 steps"):
        beam(model.step, output, state, 7, 2)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"width": 0}, "width: 0 given"),
        ({"most": 0}, "most: 0 given"),
        ({"length_penalty": -1.0}, "length_penalty: -1.0 given"),
        ({"forbidden": range(WORDS)}, "all 9 ids are ruled out"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(wrong, said):
    step, output, state = after_prompt()
    with pytest.raises(ConfigurationError, match=said):
        beam(step, output, state, **({"most": 2, "width": 2} | wrong))
