"""Exported models of tokens: the score, the loop in the graph and the step are those of Keras."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf

from pipelines.export import runner
from pipelines.tasks.generate_serving import TokenServable
from seqlayers.choices import TokenChoice
from seqlayers.generation import generate, read
from seqlayers.sampling import Sampling
from tests.pipelines import generators


@pytest.fixture(scope="module")
def servable() -> TokenServable:
    data = generators.corpus()
    return TokenServable("text", generators.of_tokens(data.transform.size), data, "character")


@pytest.fixture(scope="module")
def exports(servable, tmp_path_factory):
    return generators.export(servable, tmp_path_factory.mktemp("text"))


@pytest.fixture(scope="module")
def loaded(exports):
    return tf.saved_model.load(str(exports / "saved_model")).signatures


def settings(rows: int, **changed):
    given = {"length": 30, "temperature": 1.0, "top_k": 0, "top_p": 1.0, "seed": 0} | changed
    kinds = {"length": tf.int32, "top_k": tf.int32, "seed": tf.int32}
    return {name: tf.constant(np.resize(v, rows), kinds.get(name, tf.float32)) for name, v in given.items()}


def by_hand(servable, prompt: str, length: int, sampling: Sampling, seed: int) -> str:
    """A text by Keras, op by op."""
    model, transform = servable.model, servable.data.transform
    ids = np.concatenate([[servable.data.start], transform.ids_numpy(prompt)])[None].astype("int32")
    output, state, _ = read(model.step, model.initial_state(1), ids)
    choose = TokenChoice(model.head, sampling, np.array([seed], "int32"))
    return transform.text_numpy(np.asarray(generate(model.step, output, state, length, choose))[0])


def test_the_score_is_the_sum_of_log_probabilities(servable, loaded):
    texts = ["the cat sat", "", "a dog, who “ran” — xyz"]
    found = loaded["serving_default"](text=tf.constant(texts))
    for text, likelihood, count in zip(texts, found["log_likelihood"], found["tokens"], strict=True):
        ids = servable.data.transform.ids_numpy(text)
        assert int(count) == len(ids) == len(text)
        past = np.concatenate([[servable.data.start], ids])[None].astype("int32")
        logits = np.asarray(servable.model(past))[0, : len(ids)].astype("float64")
        chances = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
        expected = np.log(chances[np.arange(len(ids)), ids]).sum()
        assert float(likelihood) == pytest.approx(expected, rel=1e-5)


def test_the_same_seed_gives_the_same_text_as_keras(servable, loaded):
    """Rows of one call are each as if alone: prompts of different lengths, settings of their own."""
    prompts, temperatures, kept, seeds = ["the c", "", "a dog ran"], [1.0, 0.7, 1.4], [0, 4, 0], [3, 3, -9]
    lengths = [30, 12, 21]
    given = settings(3, temperature=temperatures, top_k=kept, seed=seeds, length=lengths)
    found = loaded["generate"](prompt=tf.constant(prompts), **given)["text"].numpy()
    for row, text in enumerate(found):
        sampling = Sampling(temperature=temperatures[row], top_k=kept[row])
        assert text.decode() == by_hand(servable, prompts[row], lengths[row], sampling, seeds[row])
        assert len(text.decode()) == lengths[row]


def test_another_seed_gives_another_text_and_top_k_one_does_not(loaded):
    prompt = tf.constant(["the c"] * 2)
    free, greedy = (loaded["generate"](prompt=prompt, **settings(2, seed=[1, 2], top_k=k))["text"] for k in (0, 1))
    assert free[0] != free[1]
    assert greedy[0] == greedy[1]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"temperature": 0}, "temperature must be above 0"),
        ({"temperature": -1}, "temperature must be above 0"),
        ({"top_p": 1.1}, "top_p must be above 0, and at most 1"),
        ({"top_p": 0}, "top_p must be above 0, and at most 1"),
        ({"top_k": -1}, "top_k must be 0"),
        ({"length": 0}, "length must be from 1 to 100,000"),
        ({"length": 1_000_000}, "length must be from 1 to 100,000"),
    ],
)
def test_settings_out_of_range_are_refused_in_the_graph(loaded, changed, said):
    with pytest.raises(tf.errors.InvalidArgumentError, match=said):
        loaded["generate"](prompt=tf.constant(["a"]), **settings(1, **changed))


def test_steps_are_the_whole(servable, loaded):
    ids = servable.stretches(60, 0, 15)[:, :-1]
    state = {name: x.numpy() for name, x in loaded["initial_state"](rows=tf.zeros(len(ids), tf.int32)).items()}
    found = runner.stepped(
        lambda given: {n: x.numpy() for n, x in loaded["step"](**given).items()}, {"token": ids} | state
    )
    np.testing.assert_allclose(found["logits"], servable.model(ids), rtol=1e-4, atol=1e-4)


def test_the_contract_says_what_a_caller_must_know(servable, exports):
    contract = json.loads((exports / "model.json").read_text())
    assert contract["family"] == "generate"
    assert contract["representation"] == "tokens"
    assert contract["start"] == servable.data.transform.ids_numpy("\n")[0]
    assert contract["state"] == [{"name": "state_0", "shape": [None, 12], "dtype": "float32"}]
    assert contract["device_state"] == [{"name": "state_0", "shape": [1, 12], "dtype": "float32"}]
    assert set(contract["signatures"]) == {"score", "generate", "step", "initial_state"}
    assert contract["no_stream"] is None
    assert type(servable.data.transform).from_json(contract["transform"]) == servable.data.transform


def test_a_model_that_does_not_stream_has_a_score_and_says_why(tmp_path):
    """Attention without a window or a capacity."""
    data = generators.corpus()
    endless = {**generators.RING, "window": None}
    model = generators.of_tokens(data.transform.size, endless, position={"kind": "sinusoidal"})
    servable = TokenServable("text", model, data, "character")
    exports = generators.export(servable, tmp_path)
    assert set(tf.saved_model.load(str(exports / "saved_model")).signatures) == {"serving_default", "score"}
    assert "capacity" in json.loads((exports / "model.json").read_text())["no_stream"]
    ids = servable.stretches(40, 1, 20)[:2, :-1]
    found = runner.one_by_one(runner.opened(exports / "model_float32.tflite")("window"), {"ids": ids}, 2)
    np.testing.assert_allclose(found["logits"], servable.model(ids), atol=1e-4)


def test_beyond_its_capacity_a_model_refuses(tmp_path):
    data = generators.corpus()
    short = {**generators.RING, "window": None, "capacity": 16}
    model = generators.of_tokens(data.transform.size, short, position={"kind": "rotary"})
    servable = TokenServable("text", model, data, "character")
    assert servable.context == 16
    given = {"prompt": tf.constant(["the cat sat"])}
    servable.generation().serve(given | settings(1, length=5))
    with pytest.raises(tf.errors.InvalidArgumentError, match="exceed the 16 tokens of this model"):
        servable.generation().serve(given | settings(1, length=6))
    with pytest.raises(tf.errors.InvalidArgumentError, match="more tokens than the 16"):
        servable.serve({"text": tf.constant(["the cat sat on the mat"])})
