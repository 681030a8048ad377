"""The four mappings, each on small problems with exact answers, trained as anybody would train them.

Which real task uses which mapping: one to one, a forecast from a single reading (tests/pipelines/test_one_to_one.py);
one to many, music from a start token; many to one, the sentiment of a review; many to many, aligned, text and its next
token; encoder–decoder, a melody and its harmony.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.seqlayers import problems, solving

GATED = ("lstm", "gru", "min_gru", "min_lstm", "gated_linear")


SLOWER = [pytest.param(kind, marks=pytest.mark.slow) for kind in ("simple_rnn", "gru")]


@pytest.mark.parametrize("kind", [*SLOWER, "min_gru"])
def test_one_to_one_a_single_step_is_a_function_of_it(kind):
    outcome, _ = solving.solve("six bits at once", kind)
    assert outcome.solved, outcome


def test_many_to_many_short_numbers_are_added():
    outcome, _ = solving.solve("addition", "gru", time=9, steps=400)
    assert outcome.solved, outcome


@pytest.mark.slow
@pytest.mark.parametrize("kind", GATED)
def test_many_to_one_gated_kinds_add_over_200_steps(kind):
    outcome, _ = solving.solve("adding", kind)
    assert outcome.solved, outcome


@pytest.mark.slow
def test_many_to_one_the_plain_recurrence_does_not_add_over_200_steps():
    outcome, _ = solving.solve("adding", "simple_rnn")
    assert not outcome.solved and outcome.figures["error"] > 0.1, outcome


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_many_to_one_parity_of_64_bits(kind):
    outcome, _ = solving.solve("parity", kind)
    assert outcome.solved, outcome


@pytest.mark.slow
@pytest.mark.parametrize("name, kind", [("running parity", "lstm"), ("running parity", "gru"), ("addition", "gru")])
def test_many_to_many_aligned(name, kind):
    outcome, _ = solving.solve(name, kind)
    assert outcome.solved, outcome


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_one_to_many_a_song_from_its_start_token(kind):
    outcome, _ = solving.solve("songs", kind)
    assert outcome.solved, outcome


@pytest.mark.slow
@pytest.mark.parametrize("name, kind", [("copy", "gru"), ("reverse", "gru"), ("reverse", "transformer")])
def test_encoder_and_decoder(name, kind):
    outcome, _ = solving.solve(name, kind)
    assert outcome.solved, outcome


def test_the_problems_are_what_they_say():
    rng = np.random.default_rng(0)
    (numbers, marks), total = np.moveaxis(problems.adding(rng, 5, 20)[0], -1, 0), problems.adding(rng, 5, 20)[1]
    assert (marks.sum(axis=1) == 2).all() and total.shape == (5, 1, 1) and (numbers < 1).all()
    bits, odd = problems.running_parity(rng, 4, 9)
    assert [sum(row[: i + 1]) % 2 for row in bits.tolist() for i in range(9)] == odd.ravel().tolist()
    digits, total = problems.binary_addition(rng, 6, 9)
    weights = 2 ** np.arange(9)
    assert ((digits * weights[:, None]).sum(axis=(1, 2)) == (total * weights).sum(axis=1)).all()
    given, target = problems.reverse(rng, 3, 7)
    assert (given["past"][:, ::-1] == target).all() and (given["target"][:, 1:] == target[:, :-1]).all()
    words, odd = problems.parity(rng, 50, 9, longest=5)
    assert ((words == 2).sum(axis=1) % 2 == odd).all() and (words[:, 5:] == 0).all()
