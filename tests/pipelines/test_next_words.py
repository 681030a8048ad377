"""`seqlayers predict --text` tells the next word of a language model, whatever its tokens are."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

from pipelines.predict.words import _Search, next_words
from pipelines.tasks.generate_serving import TokenServable
from tests.pipelines import generators
from tests.pipelines.command import seqlayers


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    data = generators.corpus("words")
    servable = TokenServable("text", generators.of_tokens(data.transform.size), data, "word")
    return generators.export(servable, tmp_path_factory.mktemp("words"))


class Table:
    """A stream that remembers the last ids and has the chances of a table: what a test can count by hand."""

    def __init__(self, chances):
        self.chances = chances
        self.contract = {"start": 2, "vocabulary": len(next(iter(chances.values())))}

    def start(self, rows):
        return {"state_0": np.zeros((rows, 1), "int32")}

    def token(self, ids, state):
        ids = np.asarray(ids)
        logits = np.log(np.array([self.chances.get(int(id), self.chances[None]) for id in ids]) + 1e-30)
        return logits.astype("float32"), {"state_0": ids[:, None].astype("int32")}


class Letters:
    """A tokenizer of some letters."""

    tokens = "characters"

    def __init__(self, letters):
        self.texts_of_ids = ("", "\ufffd", *letters)


def test_a_word_is_the_product_of_its_letters_and_its_end():
    """Of letters in a chain: every word up to a length, by brute force."""
    letters = [" ", "a", "b", "."]
    rng = np.random.default_rng(0)
    chances = {}
    for last in (None, 2, 3, 4, 5):
        drawn = rng.dirichlet(np.ones(4))
        chances[last] = [0, 0, *drawn]
    found = dict(_Search(Table(chances), Letters(letters))(np.array([3, 4])))
    expected = {}
    for length in range(1, 9):
        for word in product((3, 4), repeat=length):
            chance, last = chances[4][2], 2
            for id in word:
                chance, last = chance * chances[last][id], id
            chance *= chances[last][2] + chances[last][5]
            text = "".join(letters[id - 2] for id in word)
            expected[text] = expected.get(text, 0) + chance
    spaces = sum(chances[2][2] ** n for n in range(20))  # more white space before the word
    best = sorted(expected, key=expected.get, reverse=True)[:5]
    assert list(found) == best
    for word in best:
        assert found[word] == pytest.approx(expected[word] * spaces, rel=1e-2)


def test_a_model_of_words_tells_the_five_likeliest(exports):
    answer = seqlayers("predict", exports, "--text", "the cat sat on a", "--json")
    words = answer.json["words"]
    assert len(words) == 5
    assert [w["probability"] for w in words] == sorted((w["probability"] for w in words), reverse=True)
    assert 0 < sum(w["probability"] for w in words) <= 1
    assert all(w["word"].isalpha() for w in words)
    shown = seqlayers("predict", exports, "--text", "the cat sat on a").out
    assert f"{words[0]['probability']:.1%}  {words[0]['word']}" in shown


def test_a_litert_file_tells_the_same(exports, tmp_path):
    found = next_words(exports, ["the cat ", "a dog"], output=tmp_path / "words.csv")
    single = next_words(exports / "model_float32.tflite", ["the cat", "a dog"])
    assert [row["word"] for row in found.table] == [row["word"] for row in single.table]
    table = pd.read_csv(tmp_path / "words.csv")
    assert list(table.columns) == ["text", "word", "probability"]
    assert len(table) == 10


@pytest.mark.parametrize(
    "tokens", ["characters", *(pytest.param(tokens, marks=pytest.mark.slow) for tokens in ("bytes", "subwords"))]
)
def test_pieces_become_words(tokens, tmp_path):
    data = generators.corpus(tokens)
    model = generators.of_tokens(data.transform.size)
    for weight in model.predictor.trainable_variables:
        weight.assign(weight / 2.5)
    exports = generators.export(TokenServable("text", model, data, tokens[:-1]), tmp_path)
    found = next_words(exports, ["the cat sat"]).table
    assert len(found) == 5
    assert all(row["word"] and " " not in row["word"] and row["probability"] > 0 for row in found)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "--text is missing"),
        (["--input", "recent.csv"], "--input: a model that generates takes --text"),
        (["--text", "a", "--picture", "a.png"], "--picture: a model that generates"),
    ],
)
def test_bad_options_are_refused(exports, options, said):
    answer = seqlayers("predict", exports, *options)
    assert answer.code == 2
    assert said in " ".join(answer.out.split())
