"""Texts to ids: what a token is, and that the graph form and the NumPy form agree on every text."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from data.text_options import TextOptions
from data.text_source import locate_texts
from data.transforms import characters
from data.transforms.text import TextTransform, padded
from data.transforms.vocabulary import PADDING, UNKNOWN
from tests.data.tables import real

HARD = [
    "Don't stop!!<br /><BR>It's 'quoted', rock'n'roll’s — 100% fun…",
    "ÀÉÎ Straße ΣΑΣ İSTANBUL ǅ café cafe\u0301 ＦＵＬＬ",
    "😀😀👍🏽 👩‍👩‍👧 ✌️ 🇩🇪",
    "你好，世界。これはペンです。 안녕하세요 สวัสดี",
    "مرحبا؟ हिन्दी। שלום",
    "a\x00b \x07\x1b[0m tab\tline\r\nfeed\u2028\u00a0\u200b\ufeffend",
    b"caf\xe9 \xff\xfe bad \xed\xa0\x80 \xf0\x9f cut \xc0\xaf \xf4\x90\x80\x80 end \xe2\x82",
    "\ufffd\ufffd lost \ufffe\uffff \ufdd0",
    "",
    " \t ",
    "\x00",
    "'",
    "''' ' a' 'b a''b",
    "<br/ > <br> <br/> < br> <br<br />>",
    '[]\\^-]^ {}()*+?.|$ # & ~ " / \\0 \\1',
    "x" * 5000,
    "one two three four five six seven",
]
TOKENS = ("words", "subwords", "characters", "bytes")


def raw(texts: list[str | bytes]) -> list[bytes]:
    return [t if isinstance(t, bytes) else t.encode() for t in texts]


def fitted(texts: list[str | bytes], **options: object) -> TextTransform:
    return TextTransform.fit(texts, TextOptions(**{"fewest": 1, **options}))


def require_equal(transform: TextTransform, texts: list[str | bytes]) -> None:
    """The NumPy form of strings and of bytes, and the graph form, in a function and padded."""
    expected = transform.ids_numpy(texts)
    found = tf.function(transform.ids)(tf.constant(raw(texts))).numpy()
    assert found.dtype == np.int32
    assert found.shape == (len(texts), max(map(len, expected)))
    for text, ids, row in zip(texts, expected, found, strict=True):
        np.testing.assert_array_equal(row[: len(ids)], ids, err_msg=repr(text[:80]))
        assert not row[len(ids) :].any()
        assert ids.all(), "padding inside a text"
    for ids, of_bytes in zip(expected, transform.ids_numpy(raw(texts)), strict=True):
        np.testing.assert_array_equal(ids, of_bytes)


@pytest.mark.parametrize("tokens", TOKENS)
@pytest.mark.parametrize("options", [{}, {"keep": "both", "longest": 5}, {"lower": False}], ids=str)
def test_the_graph_form_equals_the_numpy_form(tokens, options):
    require_equal(fitted(HARD[::2], tokens=tokens, **options), HARD)


@pytest.mark.parametrize("tokens", TOKENS)
def test_both_forms_agree_on_bytes_drawn_at_random(tokens):
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, rng.integers(1, 60)).astype(np.uint8).tobytes() for _ in range(200)]
    pieces = [
        b"\xf0\x9f\x98\x80",
        b"\xe4\xbd",
        b"\xa0",
        b"\xed\xbf\xbf",
        b"a",
        b" ",
        b"'",
        b"\xc3\xa9",
        b"\x80",
        b"<br>",
    ]
    mixed = [b"".join(pieces[i] for i in rng.integers(0, len(pieces), 12)) for _ in range(300)]
    require_equal(fitted([*noise, *mixed], tokens=tokens), [*noise, *mixed])


@pytest.mark.parametrize(("tokens", "vocabulary"), [("words", 200_000), ("subwords", 50_000)])
def test_both_forms_read_every_character_alike(tokens, vocabulary):
    """Each code point of the first plane, one in 64 of the others, and what is no character, between two letters."""
    ends = [plane * 0x10000 + end for plane in range(1, 17) for end in (0xFFFE, 0xFFFF)]
    points = [c for c in [*range(0x10000), *range(0x10000, 0x110000, 64), *ends] if not 0xD800 <= c <= 0xDFFF]
    texts = [" ".join(f"q{chr(c)}z" for c in points[i : i + 500]) for i in range(0, len(points), 500)]
    transform = fitted(texts, tokens=tokens, vocabulary=vocabulary, longest=5000)
    expected = transform.ids_numpy(texts)
    found = transform.ragged(tf.constant(texts))
    np.testing.assert_array_equal(found.row_lengths(), [len(i) for i in expected])
    np.testing.assert_array_equal(found.values, np.concatenate(expected))


def test_what_a_word_is():
    said = fitted([]).words_of("Don't STOP!!<br />It’s 'good', 'n' Café—5½/10 😀👍 你好 a_b x\x00y z\u200bz")
    spaced = "don't stop ! ! it's ' good ' , ' n ' café — 5 ½ / 10 😀 👍 你 好 a _ b x y z z"
    assert said == spaced.split(" ")
    assert fitted([], lower=False).words_of("Not BAD<br>") == ["Not", "BAD"]


def test_what_a_character_and_a_byte_is():
    assert fitted([], tokens="characters").words_of(" Aé<br /> \n 😀") == ["a", "é", " ", "😀"]
    assert fitted([], tokens="bytes").words_of("Aé") == ["a", "\xc3", "\xa9"]
    ids = fitted([], tokens="bytes").ids_numpy(["a b"])[0]
    np.testing.assert_array_equal(ids, np.frombuffer(b"a b", np.uint8) - 0x20 + 2)


def test_what_a_subword_is():
    """Of a word that train has often enough as it is learnt to be cut, of another one its letters."""
    transform = fitted(["Lower LOWEST!"] * 3 + ["low <br />🙂 你好"], tokens="subwords", fewest=2, vocabulary=13)
    assert " ".join(transform.words_of("Lowest,<br>lower 你 low")) == "lowe ##s ##t , lowe ##r 你 l ##o ##w"
    assert transform.length("Lowest lower") == 5
    np.testing.assert_array_equal(transform.ids_numpy(["lower 你"])[0][2:], [UNKNOWN])
    assert fitted(["Not"], tokens="subwords", lower=False).words_of("Not not") == ["Not", "n", "##o", "##t"]


def test_bytes_that_are_not_utf8_end_a_word():
    assert fitted([]).words_of(b"caf\xe9s were good") == ["caf", "s", "were", "good"]


def test_the_vocabulary_is_by_frequency_then_by_name():
    texts = ["b b b a a c c d", "a c e"]
    transform = fitted(texts, fewest=2)
    assert (transform.vocabulary, transform.size) == (("a", "b", "c"), 5)
    np.testing.assert_array_equal(transform.ids_numpy(["c a d b zzz"])[0], [4, 2, UNKNOWN, 3, UNKNOWN])
    assert fitted(texts, vocabulary=4).vocabulary == ("a", "b")


@pytest.mark.parametrize("tokens", ["words", "subwords"])
@pytest.mark.parametrize("text", ["", "   ", "\x00\x01", "<br />", b"\xff"], ids=repr)
def test_a_text_without_a_token_is_one_unknown_and_never_all_padding(text, tokens):
    transform = fitted(["a b"], tokens=tokens)
    np.testing.assert_array_equal(transform.ids_numpy([text])[0], [UNKNOWN])
    np.testing.assert_array_equal(transform.ids(tf.constant(raw([text, "a b"]))), [[UNKNOWN, PADDING], [2, 3]])


@pytest.mark.parametrize(
    ("keep", "kept"), [("start", [0, 1, 2, 3, 4]), ("end", [5, 6, 7, 8, 9]), ("both", [0, 1, 2, 8, 9])]
)
def test_a_long_text_is_cut(keep, kept):
    words = [f"w{i}" for i in range(10)]
    transform = fitted([" ".join(words)], keep=keep, longest=5)
    assert transform.words_of(" ".join(words)) == [words[i] for i in kept]
    assert transform.length(" ".join(words)) == 10
    require_equal(transform, [" ".join(words), " ".join(words[:5]), "w1"])


def test_a_review_of_200_000_words():
    words = [f"w{i % 1000}" for i in range(200_000)]
    text = " ".join(words)
    transform = fitted([text])
    found = transform.words_of(text)
    assert found == words[:1000] + words[-1000:]
    require_equal(transform, [text, "w1 w2"])


def test_subwords_of_a_review_of_20_000_words():
    """Words that are pieces, words of several and words of letters alone, of which pieces are kept, not words."""
    words = [("help", "helpful", "unhelpful", f"n{i}")[i % 4] for i in range(20_000)]
    text, train = " ".join(words), ["help helpful help! unhelpful"] * 5 + ["n0 n12 n3456789"]
    transform = fitted(train, tokens="subwords", fewest=2, vocabulary=18, longest=3001)
    assert "helpful" not in transform.vocabulary and "help ##ful" in transform.cuts and transform.size <= 18
    found = transform.words_of(text)
    assert len(found) == 3001 and transform.length(text) > 20_000
    assert " ".join(found[:3] + found[-6:]) == "help help ##ful n ##1 ##9 ##9 ##9 ##9"
    require_equal(transform, [text, "help", *HARD])


@pytest.mark.slow
@pytest.mark.parametrize("tokens", ["words", "subwords"])
def test_both_forms_agree_on_reviews_of_films(tokens):
    frame, _ = locate_texts("imdb", sample=None, data_dir=real("imdb"))
    train, test = (frame.loc[frame["split"] == part, "text"].tolist() for part in ("train", "test"))
    transform = fitted(train[::5], tokens=tokens, fewest=2, vocabulary=8000)
    some = test[:: len(test) // 2000]
    assert len(some) >= 2000
    for i in range(0, len(some), 250):
        require_equal(transform, some[i : i + 250])


@pytest.mark.parametrize("tokens", TOKENS)
def test_constants_survive_json(tokens):
    transform = fitted(HARD, tokens=tokens, keep="end", longest=9, lower=False)
    again = TextTransform.from_json(json.loads(json.dumps(transform.to_json())))
    assert again == transform
    np.testing.assert_array_equal(padded(again.ids_numpy(HARD)), padded(transform.ids_numpy(HARD)))


@pytest.mark.parametrize("tokens", ["words", "subwords"])
def test_the_graph_form_lives_in_a_saved_model(tmp_path, tokens):
    transform = fitted(HARD, tokens=tokens, vocabulary=150)

    class Served(tf.Module):
        def __init__(self):
            super().__init__()
            self.held = transform.trackables()

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def ids(self, texts):
            return transform.ids(texts)

    tf.saved_model.save(Served(), str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    np.testing.assert_array_equal(loaded.ids(tf.constant(raw(HARD))), transform.ids(tf.constant(raw(HARD))))


def test_the_numpy_form_needs_no_tensorflow():
    code = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "from data.transforms.text import TextTransform\n"
        "print(TextTransform('words', True, 9, 'end', ('good',)).ids_numpy(['Good one'])[0].tolist())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[2, 1]"


def test_letters_are_folded_one_to_one():
    table = characters.fold(True)
    assert "".join(chr(table[ord(c)]) for c in "AÉΣЯİ’\x00") == "aéσяi' "
    assert (table[table] == table).all()
