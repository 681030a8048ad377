"""Generation by steps is that by the whole: each row by itself, from its own seed, to its own end."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import tensorflow as tf

from seqlayers.errors import ConfigurationError
from seqlayers.generation import NoteChoice, TokenChoice, generate, read, streamed
from seqlayers.loop import BLOCK
from seqlayers.model import SequenceModel
from seqlayers.sampling import Sampling
from seqlayers.testing import equal
from tests.seqlayers import generated
from tests.seqlayers.generated import CAPACITY, ENCODERS, LENGTHS, PITCHES, PROMPT, SAMPLING, SEEDS, WORDS

GREEDY = Sampling(top_k=1)
WARY = Sampling(top_k=1, repetition_penalty=3.0)


@cache
def streaming(encoder):
    """A model, and its step compiled, which is quicker."""
    model = generated.language_model(encoder)
    return model, tf.function(model.step, reduce_retracing=True)


def run(encoder, prompt=PROMPT, most=8, sampling=SAMPLING, seeds=SEEDS, lengths=LENGTHS, **given):
    """The tokens after a prompt, by `generate`."""
    model, step = streaming(encoder)
    output, state, seen = read(step, model.initial_state(len(prompt)), prompt, lengths, WORDS)
    choose = TokenChoice(model.head, sampling, seeds[: len(prompt)])
    return np.asarray(generate(step, output, state, most, choose, seen=seen, **given))


@pytest.mark.parametrize(
    ("encoder", "sampling"), [*((encoder, SAMPLING) for encoder in ENCODERS), ("gru", WARY), ("window", GREEDY)]
)
def test_steps_give_what_the_whole_text_gives(encoder, sampling):
    found, model = run(encoder, most=6, sampling=sampling), generated.language_model(encoder)
    assert found.dtype == "int32" and not np.isin(found, (0, 1)).any()
    for row, prompt, length, seed in zip(found, PROMPT, LENGTHS, SEEDS, strict=True):
        text, choose = np.array([[*prompt[:length], *row]]), TokenChoice(model.head, sampling, [seed])
        whole = model(text)
        for t in range(6):
            before = text[:, : length + t]
            seen = np.isin(np.arange(WORDS), before)[None]
            assert int(choose(whole[:, length + t - 1], t, seen)[0]) == row[t]


def test_a_row_alone_is_the_same_as_in_a_batch():
    together = run("gru")
    for i, n in enumerate(LENGTHS):
        alone = run("gru", PROMPT[i : i + 1, :n], seeds=SEEDS[i:], lengths=None)
        assert alone.tolist() == together[i : i + 1].tolist()


def test_seeds_decide_and_nothing_else():
    prompt = np.repeat(PROMPT[:1], 40, 0)
    drawn = run("gru", prompt, seeds=np.arange(40, dtype="int32"), lengths=None)
    assert len(np.unique(drawn, axis=0)) > 35
    same = run("gru", prompt, seeds=np.full(40, 7, "int32"), lengths=None)
    assert (same == drawn[7]).all()


@pytest.mark.parametrize("encoder", ["gru", "window"])
def test_what_is_read_is_what_the_whole_says_and_each_row_as_far_as_it_goes(encoder):
    model = generated.language_model(encoder)
    output, state, seen = read(model.step, model.initial_state(3), PROMPT, LENGTHS, WORDS)
    whole = np.asarray(model(PROMPT))
    for i, n in enumerate(LENGTHS):
        equal(output[i], whole[i, n - 1], f"row {i}")
        assert np.flatnonzero(seen[i]).tolist() == sorted({*PROMPT[i, :n]})
    after, _ = model.step(np.array([3, 3, 3], "int32"), state)
    for i, n in enumerate(LENGTHS):
        equal(after[i], model(np.array([[*PROMPT[i, :n], 3]]))[0, -1], f"a step after row {i}")
    full, _, nothing = read(model.step, model.initial_state(3), PROMPT)
    equal(full, whole[:, -1], "all of it")
    assert nothing is None


def test_a_stop_is_kept_and_ends_its_row_alone():
    free = run("gru", most=14)
    stop = int(free[0, 4])
    found = run("gru", most=14, stop=stop)
    ends = [np.flatnonzero(row == stop)[0] if stop in row else 13 for row in free]
    assert len(set(ends)) > 1
    for row, other, end in zip(found, free, ends, strict=True):
        assert row[: end + 1].tolist() == other[: end + 1].tolist() and not row[end + 1 :].any()
    either = run("gru", most=14, stop=(stop, int(free[1, 1])))
    assert (either[1, 2:] == 0).all()


def test_a_loop_ends_when_all_rows_have():
    (model, compiled), steps = streaming("gru"), []

    def step(token, state):
        steps.append(token)
        return compiled(token, state)

    output, state, _ = read(compiled, model.initial_state(3), PROMPT)
    choose = TokenChoice(model.head, GREEDY, SEEDS)
    found = generate(step, output, state, 1000, choose, lengths=[3, 1, 2])
    assert len(steps) == 2 and found.shape == (3, 1000)
    assert (np.count_nonzero(found, axis=1) == [3, 1, 2]).all()


def test_lengths_end_rows_and_change_nothing_before():
    model, step = streaming("gru")
    free = run("gru")
    output, state, seen = read(step, model.initial_state(3), PROMPT, LENGTHS, WORDS)
    choose = TokenChoice(model.head, SAMPLING, SEEDS)
    lengths = np.array([4, 0, 8], "int32")
    found = generate(step, output, state, 8, choose, seen=seen, lengths=lengths)
    assert np.asarray(found).tolist() == np.where(np.arange(8) < lengths[:, None], free, 0).tolist()


def test_tokens_one_after_the_other_are_the_same_and_end_as_early():
    model, step = streaming("window")
    expected = run("window", most=14, stop=7)
    output, state, seen = read(step, model.initial_state(3), PROMPT, LENGTHS, WORDS)
    choose = TokenChoice(model.head, SAMPLING, SEEDS)
    for one in (choose, tf.function(choose)):
        found = np.stack(list(streamed(step, output, state, 14, one, seen=seen, stop=7)), 1)
        assert found.tolist() == expected[:, : found.shape[1]].tolist() and not expected[:, found.shape[1] :].any()


@pytest.mark.parametrize("encoder", ["gru", "window"])
def test_compiled_for_any_batch_prompt_and_length_it_is_the_same(encoder):
    model = generated.language_model(encoder)

    def whole(prompt, lengths, most, seeds, temperature, top_k, top_p):
        state = model.initial_state(tf.shape(prompt)[0])
        output, state, seen = read(model.step, state, prompt, lengths, WORDS)
        choose = TokenChoice(model.head, Sampling(temperature, top_k, top_p, 0.0, 1.2), seeds)
        return generate(model.step, output, state, most, choose, seen=seen, stop=8, lengths=tf.fill([len(seeds)], most))

    integers = tf.TensorSpec([None], "int32")
    numbers = tf.TensorSpec([None], "float32")
    signature = [tf.TensorSpec([None, None], "int32"), integers, tf.TensorSpec([], "int32")]
    compiled = tf.function(whole, [*signature, integers, numbers, integers, numbers])
    for rows, most in ((3, 8), (1, 5)):
        settings = [np.full(rows, v, d) for v, d in ((1.3, "float32"), (6, "int32"), (0.95, "float32"))]
        found = compiled(PROMPT[:rows], LENGTHS[:rows], most, SEEDS[:rows], *settings)
        expected = run(encoder, PROMPT[:rows], most, lengths=LENGTHS[:rows], stop=8)
        assert np.asarray(found).tolist() == expected.tolist()


@pytest.mark.parametrize("conditioned", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_notes_by_steps_are_those_of_the_whole(conditioned):
    model, opening = generated.note_model(conditioned), generated.frames()
    output, state, _ = read(model.step, model.initial_state(3), opening)
    choose = NoteChoice(model.head, None, SEEDS)
    found = np.asarray(generate(model.step, output, state, 6, choose))
    assert found.dtype == "float32" and found.shape == (3, 6, PITCHES) and set(found.ravel()) == {0, 1}
    heard = opening
    for t in range(6):
        heard = np.concatenate([heard, np.asarray(choose(model(heard)[:, -1], t))[:, None]], 1)
    assert (found == heard[:, 4:]).all()
    one_by_one = np.stack(list(streamed(model.step, output, state, 6, choose)), 1)
    compiled = tf.function(lambda output, state: generate(model.step, output, state, 6, choose))
    assert (one_by_one == found).all() and (np.asarray(compiled(output, state)) == found).all()
    ended = np.asarray(generate(model.step, output, state, 6, choose, lengths=[2, 6, 1]))
    assert (ended == np.where(np.arange(6)[:, None] < np.array([2, 6, 1])[:, None, None], found, 0)).all()


@pytest.mark.parametrize("conditioned", [True, False])
def test_notes_have_a_temperature_for_each_row(conditioned):
    head = generated.note_model(conditioned).head
    output = np.random.default_rng(19).normal(size=(3, head.width)).astype("float32")
    of_rows = np.asarray(NoteChoice(head, np.array([1e-6, 1.0, 50.0], "float32"), SEEDS)(output, 2))
    for i, temperature in enumerate((1e-6, None, 50.0)):
        alone = NoteChoice(head, temperature, SEEDS[i : i + 1])(output[i : i + 1], 2)
        assert np.asarray(alone).tolist() == of_rows[i : i + 1].tolist()
    cold = NoteChoice(head, 1e-6, SEEDS)(output, 2)
    assert (np.asarray(cold) == (np.asarray(head.predict(output)) > 0.5)).all()


@pytest.mark.parametrize("lengths", [[1, BLOCK - 1, BLOCK + 1], [2 * BLOCK] * 3, [3 * BLOCK + 7] * 3], ids=str)
def test_long_ones_are_written_whole(lengths):
    def step(token, state):
        return tf.cast(token[:, None] + 1, "float32"), state

    def count(output, t, seen):
        return tf.cast(output[:, 0], "int32")

    most = 3 * BLOCK + 7
    compiled = tf.function(lambda most: generate(step, tf.ones((3, 1)), [], most, count, lengths=lengths))
    numbers = np.arange(1, most + 1)
    expected = np.where(numbers <= np.array(lengths)[:, None], numbers, 0)
    assert np.asarray(compiled(tf.constant(most))).tolist() == expected.tolist()


def test_a_target_is_generated_beside_a_source():
    model = SequenceModel(
        embedding={"kind": "value", "units": 8},
        encoder=[{"kind": "gru", "units": 8}],
        decoder=[{"kind": "recurrent", "units": 8, "heads": 2}],
        head={"kind": "notes", "pitches": PITCHES, "conditioned": False},
    )
    source, start = generated.frames(), np.zeros((3, 1, PITCHES), "float32")
    generated.filled(model, {"past": source, "target": start})
    output, state, _ = read(model.step, model.initial_state(3, source), start)
    choose = NoteChoice(model.head, None, SEEDS)
    found = np.asarray(generate(model.step, output, state, 4, choose))
    target = np.concatenate([start, found[:, :-1]], 1)
    whole = model({"past": source, "target": target})
    for t in range(4):
        assert (np.asarray(choose(whole[:, t], t)) == found[:, t]).all()


def test_a_stream_beyond_its_capacity_is_refused_or_gives_no_tokens():
    model = generated.language_model("capacity")
    output, state, _ = read(model.step, model.initial_state(3), PROMPT)
    choose = TokenChoice(model.head, GREEDY, SEEDS)
    full = CAPACITY - PROMPT.shape[1] + 1  # the last one is not read again
    assert (np.asarray(generate(model.step, output, state, full, choose)) > 1).all()
    with pytest.raises(ValueError, match="capacity of 10 steps"):
        generate(model.step, output, state, full + 1, choose)
    compiled = tf.function(lambda most: generate(model.step, output, state, most, choose), [tf.TensorSpec([], "int32")])
    beyond = np.asarray(compiled(full + 3))
    assert (beyond[:, :full] > 1).all() and (beyond[:, full:] == -1).all()
    with pytest.raises(ValueError, match="output is no number"):
        generate(model.step, np.full((3, WORDS), np.nan, "float32"), state, 1, choose)
    with pytest.raises(ValueError, match="output is no number"):
        next(streamed(model.step, np.full((3, WORDS), np.nan, "float32"), state, 1, choose))


def test_what_cannot_be_asked_for_is_refused():
    model = generated.language_model("gru")
    output, state, _ = read(model.step, model.initial_state(3), PROMPT)
    with pytest.raises(ConfigurationError, match="temperature: 0 given"):
        TokenChoice(model.head, Sampling(temperature=0), SEEDS)
    with pytest.raises(ConfigurationError, match="temperature: -1 given"):
        NoteChoice(generated.note_model().head, -1, SEEDS)
    with pytest.raises(ConfigurationError, match="all 9 ids are ruled out"):
        generate(model.step, output, state, 1, TokenChoice(model.head, GREEDY, SEEDS, forbidden=range(WORDS)))
    with pytest.raises(ConfigurationError, match="most: 0 given"):
        generate(model.step, output, state, 0, TokenChoice(model.head, GREEDY, SEEDS))


@pytest.mark.slow
def test_what_is_generated_on_jax_is_the_same(tmp_path):
    here, there = generated.of_this_backend(), generated.on_backend("jax", tmp_path)
    assert here.keys() == there.keys()
    for name, tokens in here.items():
        assert (there[name] == tokens).all(), name
