"""Tokens of a stream of text: nothing is lost on the way to ids and back, and both forms agree on every text."""

from __future__ import annotations

import json
import unicodedata

import numpy as np
import pytest
import tensorflow as tf

from data.corpus_options import CorpusOptions
from data.transforms import spaces
from data.transforms.tokens import LOST, TokenTransform
from tests.data.corpora import STRANGE, text
from tests.data.tables import real

KINDS = ("characters", "bytes", "words", "subwords")
#: Seen in no training text.
UNSEEN = "Ж ⟁⟁ never-seen ǅungla\t\t 0\0 1 \ufdd0\ufdd1x"


def fitted(tokens, texts=None, **options) -> TokenTransform:
    return TokenTransform.fit(
        [text(), STRANGE, STRANGE] if texts is None else texts, CorpusOptions(tokens=tokens, **options)
    )


def graph(transform, texts):
    """By functions of a signature, as a SavedModel has them."""
    ids = tf.function(transform.ids, input_signature=[tf.TensorSpec([None], tf.string)])(tf.constant(texts, tf.string))
    back = tf.function(transform.texts, input_signature=[tf.TensorSpec([None, None], tf.int32)])(ids.to_tensor(0))
    return [i.numpy() for i in ids], [t.decode() for t in back.numpy()]


@pytest.mark.parametrize("tokens", KINDS)
def test_texts_come_back_as_they_were(tokens):
    transform = fitted(tokens)
    for given in (text(), STRANGE, "", " ", "\n\n"):
        ids = transform.ids_numpy(given)
        assert ids.dtype == np.int32 and transform.text_numpy(ids) == given
        assert ((ids > 1) & (ids < transform.size)).all()


@pytest.mark.parametrize("tokens", KINDS)
def test_the_graph_gives_the_same_ids_and_the_same_texts(tokens):
    transform = fitted(tokens)
    lines = STRANGE.split("\n")
    texts = [STRANGE, "", UNSEEN, text(50, seed=1), " ", "\n\n", *lines, *(line[::-1] for line in lines)]
    texts += [unicodedata.normalize("NFD", t) for t in texts]
    ids, back = graph(transform, texts)
    for given, found, said in zip(texts, ids, back, strict=True):
        np.testing.assert_array_equal(found, transform.ids_numpy(given), err_msg=repr(given))
        assert said == transform.text_numpy(found), repr(given)


@pytest.mark.parametrize("tokens", KINDS)
def test_the_forms_agree_on_characters_drawn_from_everywhere(tokens):
    rng = np.random.default_rng(0)
    points = np.concatenate(
        [rng.integers(0x250, size=400), rng.integers(0x3000, size=300), rng.integers(0x110000, size=300)]
    )
    points = rng.permutation(points[(points < 0xD800) | (points > 0xDFFF)])
    texts = ["".join(map(chr, some)) for some in np.array_split(points, 40)]
    transform = fitted(tokens, texts)
    ids, back = graph(transform, texts)
    for given, found, said in zip(texts, ids, back, strict=True):
        np.testing.assert_array_equal(found, transform.ids_numpy(given), err_msg=repr(given))
        assert said == transform.text_numpy(found)
        if tokens != "bytes":
            assert len(transform.tokens_of(given)) == len(found)


def test_what_a_word_is():
    transform = fitted("words", ["Don’t  go, it's 3 o'clock!\n\n'Tis a   test"])
    found = transform.tokens_of("Don’t  go, it's 3 o'clock!\n\n'Tis a   test")
    assert found == ["Don’t", "  ", "go", ",", " it's", " 3", " o'clock", "!", "\n\n", "'", "Tis", " a", "   ", "test"]
    assert fitted("words").tokens_of("今天 x👍🏽") == ["今", "天", " x", "👍", "🏽"]
    assert fitted("words").unit == "word" and fitted("bytes").unit == "byte"


def test_subwords_are_pieces_of_words_and_rare_words_are_spelt():
    transform = fitted("subwords", ["low lower newest widest low lower\n" * 9 + "lone"], vocabulary=50)
    tokens = [transform.texts_of_ids[i] for i in transform.ids_numpy(" lower\n lone")]
    assert tokens == [" lower", "\n", " ", "l", "o", "n", "e"]
    assert transform.size <= 50 and fitted("subwords", vocabulary=30).size == 30


def test_unknown_tokens_are_one_and_come_back_as_lost():
    transform = fitted("characters", ["aab"])
    assert transform.ids_numpy("abc\0").tolist() == [2, 3, 1, 1]
    assert transform.text_numpy([2, 0, 1, 3, 0]) == f"a{LOST}b"
    assert fitted("words", ["one two"]).ids_numpy("one two three").tolist() == [3, 2, 1]
    assert fitted("bytes").ids_numpy("é\0").tolist() == [0xC3 + 2, 0xA9 + 2, 2], "bytes are never unknown"


def test_bytes_that_are_no_character_come_back_as_lost_in_both_forms():
    transform, rng = fitted("bytes"), np.random.default_rng(0)
    rows = rng.choice([1, 0, 0x41, 0x83, 0xC5, 0xE4, 0xF2, 0xFF, 0xBA], size=(200, 9)).astype("int32") + [0] * 9
    rows[:50] = rng.integers(258, size=(50, 9))
    for row, said in zip(rows, transform.texts(tf.constant(rows)).numpy(), strict=True):
        assert said.decode() == transform.text_numpy(row), row


@pytest.mark.parametrize("tokens", ("characters", "words"))
def test_the_most_frequent_are_kept_and_none_that_is_rare(tokens):
    few = fitted(tokens, ["c b b a a a"], vocabulary=4)
    assert len(few.vocabulary) == 2 and few.size == 4
    assert "c" not in "".join(fitted(tokens, ["c b b a a a"], fewest=2).vocabulary)


@pytest.mark.parametrize("tokens", KINDS)
def test_it_is_kept_as_json(tokens):
    transform = fitted(tokens)
    again = TokenTransform.from_json(json.loads(json.dumps(transform.to_json())))
    assert again == transform and again.ids_numpy(STRANGE).tolist() == transform.ids_numpy(STRANGE).tolist()


@pytest.mark.parametrize("tokens", KINDS)
def test_a_saved_model_holds_it(tokens, tmp_path):
    transform, module = fitted(tokens), tf.Module()
    module.held = transform.trackables()
    strings, rows = tf.TensorSpec([None], tf.string), tf.TensorSpec([None, None], tf.int32)
    module.ids = tf.function(lambda t: transform.ids(t).to_tensor(0), input_signature=[strings])
    module.texts = tf.function(transform.texts, input_signature=[rows])
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    ids = loaded.ids(tf.constant([STRANGE, "a"]))
    assert ids[0].numpy().tolist() == transform.ids_numpy(STRANGE).tolist()
    assert loaded.texts(ids)[0].numpy().decode() == STRANGE


def test_white_space_is_hidden_and_shown_again():
    assert spaces.shown(spaces.hidden(STRANGE)) == STRANGE
    assert not set(spaces.hidden("a b\n\tc\v\f\r")) & set(" \n\t\v\f\r")


@pytest.mark.parametrize("tokens", KINDS)
def test_tiny_shakespeare_comes_back_as_it_was(tokens):
    whole = real("text", "tinyshakespeare", "input.txt").read_text()
    transform = fitted(tokens, [whole], vocabulary=30_000, fewest=1)
    ids = transform.ids_numpy(whole)
    np.testing.assert_array_equal(transform.ids(tf.constant([whole]))[0], ids)
    assert transform.text_numpy(ids) == whole
