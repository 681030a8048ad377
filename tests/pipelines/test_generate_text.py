"""`seqlayers generate` writes text, the same from every file of a model, and says what it cannot do."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from pipelines.generate.make import make
from pipelines.generate.order import Order
from pipelines.generate.tokens import Writer
from pipelines.tasks.generate_serving import TokenServable
from tests.pipelines import generators
from tests.pipelines.command import seqlayers
from tests.pipelines.export.toy import Toy


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    data = generators.corpus()
    servable = TokenServable("text", generators.of_tokens(data.transform.size), data, "character")
    return generators.export(servable, tmp_path_factory.mktemp("text"))


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """A model of a context of 40 bytes."""
    data = generators.corpus("bytes")
    encoder = {**generators.RING, "window": None, "capacity": 40}
    model = generators.of_tokens(data.transform.size, encoder, position={"kind": "rotary"})
    return generators.export(TokenServable("text", model, data, "byte"), tmp_path_factory.mktemp("short"))


def test_the_same_seed_gives_the_same_text_from_every_file(exports):
    """As the SavedModel's own loop, which is proven equal to Keras, and as each of several samples."""
    asked = ["--prompt", "the d", "--length", "40", "--temperature", "0.9", "--top-p", "0.95", "--seed", "11", "--json"]
    found = seqlayers("generate", exports, *asked, "--samples", "2").json["texts"]
    alone = seqlayers("generate", exports / "model_float32.tflite", *asked).json
    loop = tf.saved_model.load(str(exports / "saved_model")).signatures["generate"](
        prompt=tf.constant(["the d"] * 2),
        length=tf.constant([40, 40]),
        temperature=tf.constant([0.9, 0.9]),
        top_k=tf.constant([0, 0]),
        top_p=tf.constant([0.95, 0.95]),
        seed=tf.constant([11, 12]),
    )
    assert found == [text.decode() for text in loop["text"].numpy()]
    assert alone["texts"] == found[:1]
    assert alone["sample"] is True
    assert alone["tokens"] == len(found[0]) == 40
    assert found[0] != found[1]


def test_text_appears_as_it_is_written(exports):
    pieces = []
    found = make(exports, Order(prompt="the cat", length=20), pieces.append)
    assert pieces[0] == "the cat"
    assert len(pieces) == 22
    assert "".join(pieces) == "the cat" + found.texts[0] + "\n"
    answer = seqlayers("generate", exports, "--prompt", "the cat", "--length", "20")
    assert answer.code == 0
    assert answer.out.startswith("the cat" + found.texts[0] + "\n")
    assert "SAMPLE" in answer.out


def test_with_json_the_text_goes_elsewhere(exports, capfd):
    answer = seqlayers("generate", exports, "--prompt", "the cat", "--length", "5", "--json")
    assert json.loads(answer.out)["prompt"] == "the cat"
    assert capfd.readouterr().err.startswith("the cat")


def test_a_stop_ends_each_sample(exports):
    order = Order(prompt="the c", length=200, samples=3, temperature=1.5)
    free = make(exports, order).texts
    stop = next(pair for pair in (free[0][i : i + 2] for i in range(20, 60)) if all(pair in text for text in free))
    found = make(exports, Order(**{**order.__dict__, "stop": stop}))
    assert found.texts == [text[: text.index(stop) + 2] for text in free]
    assert found.steps == max(map(len, found.texts))


def test_a_beam_finds_what_is_likelier_than_the_greedy_text(exports):
    greedy = make(exports, Order(prompt="the c", length=6, greedy=True)).texts[0]
    found = make(exports, Order(prompt="the c", length=6, beam=8, samples=3))
    score = tf.saved_model.load(str(exports / "saved_model")).signatures["serving_default"]

    def likelihood(text: str) -> float:
        given = score(text=tf.constant(["the c" + text, "the c"]))["log_likelihood"].numpy()
        return float(given[0] - given[1])

    for text, log_p in zip(found.texts, found.log_probabilities, strict=True):
        assert likelihood(text) == pytest.approx(log_p, abs=1e-3)
    assert sorted(found.log_probabilities, reverse=True) == found.log_probabilities
    assert found.log_probabilities[0] >= likelihood(greedy) - 1e-4
    single = make(exports / "model_float32.tflite", Order(prompt="the c", length=6, beam=1))
    assert single.texts == [greedy]


def test_a_repetition_penalty_counts_the_prompt(exports):
    asked = {"prompt": "the cat sat on a mat", "length": 30}
    free = make(exports, Order(**asked, top_k=1)).texts[0]
    penalised = make(exports, Order(**asked, top_k=1, repetition_penalty=50.0)).texts[0]
    assert len(set(penalised)) > len(set(free))


def test_texts_are_put_into_files(exports, tmp_path):
    found = seqlayers("generate", exports, "--length", "5", "--samples", "2", "--output", tmp_path / "t.txt", "--json")
    paths = [tmp_path / "t-1.txt", tmp_path / "t-2.txt"]
    assert found.json["output"] == [str(path) for path in paths]
    assert [path.read_text() for path in paths] == found.json["texts"]


def test_unknown_characters_of_a_prompt_are_told(exports):
    answer = seqlayers("generate", exports, "--prompt", "the Æther § Æ", "--length", "3", "--json")
    assert answer.code == 0
    (note,) = answer.json["notes"]
    assert note == "3 of the 13 characters given were not in training, and are read as unknown: 'Æ', '§'"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--temperature", "0"], "temperature: 0.0 given. Accepted: a number above 0; for the likeliest"),
        (["--temperature", "-1"], "temperature: -1.0 given"),
        (["--top-p", "1.1"], "top_p: 1.1 given"),
        (["--top-k", "-1"], "top_k: -1 given"),
        (["--min-p", "2"], "min_p: 2.0 given"),
        (["--repetition-penalty", "0"], "repetition_penalty: 0.0 given"),
        (["--length", "1000000"], "--length: 1,000,000 given. Accepted: 1 to 100,000."),
        (["--length", "0"], "--length: 0 given"),
        (["--samples", "0"], "--samples: 0 given"),
        (["--beam", "4", "--temperature", "2"], "--temperature: --beam searches"),
        (["--beam", "2", "--samples", "3"], "--samples: 3 given"),
        (["--beam", "2", "--stop", "mat"], "--stop: 'mat' is 3 tokens"),
        (["--greedy", "--top-k", "3"], "--top-k: --greedy takes"),
        (["--stop", ""], "--stop: nothing given"),
        (["--seed", str(2**31)], "--seed: 2147483648 given"),
        (["--opening", "a.mid"], "--opening: this model writes text"),
        (["--given", "a.mid"], "--given: this model writes text"),
    ],
)
def test_bad_options_are_refused_by_name(exports, options, said):
    answer = seqlayers("generate", exports, *options)
    assert answer.code == 2
    assert said in " ".join(answer.out.split())


def test_a_prompt_longer_than_the_context_is_refused(short):
    answer = seqlayers("generate", short, "--prompt", "a" * 60, "--length", "5")
    assert answer.code == 2
    assert "The prompt has 60 bytes, and this model can hold 40" in " ".join(answer.out.split())
    answer = seqlayers("generate", short, "--prompt", "a" * 30, "--length", "11")
    assert "Accepted: up to 10." in " ".join(answer.out.split())
    assert seqlayers("generate", short, "--prompt", "a" * 30, "--length", "10").code == 0


def test_other_models_are_refused(tmp_path):
    exports = generators.export(Toy(), tmp_path)
    answer = seqlayers("generate", exports, "--length", "5")
    assert answer.code == 2
    assert "does not generate (its family is 'forecast'). Use seqlayers predict --input" in " ".join(answer.out.split())
    answer = seqlayers("generate", tmp_path / "nothing")
    assert answer.code == 2
    assert "no such file or folder" in answer.out


def test_bytes_appear_as_whole_characters():
    transform = generators.corpus("bytes").transform
    writer = Writer(transform)
    pieces = [writer.add(int(id)) for id in transform.ids_numpy("a—b")]
    assert pieces == ["a", "", "", "—", "b"]
    for id in transform.ids_numpy("—")[:2]:
        writer.add(int(id))
    assert writer.end() == "\ufffd"
    assert writer.text == "a—b\ufffd"


def test_the_loop_for_a_device_is_a_few_lines(exports, monkeypatch):
    """The block of the README, as it stands there, on a file that no Python of ours has to be beside."""
    from ai_edge_litert.interpreter import Interpreter

    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    (block,) = (code for code in blocks if "get_signature_runner" in code)
    monkeypatch.chdir(exports.parent)
    names = {"json": json, "Path": Path, "Interpreter": Interpreter, "np": np}
    exec(block.replace("exports/", f"{exports.name}/"), names)
    text = names["text"]
    assert text == make(exports, Order(length=30, greedy=True)).texts[0]
