"""Texts to streams of ids: cut in order, numbered by what train has, and refused where there is too little."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf
from pydantic import ValidationError

from data import corpus_leaks
from data.corpus import CorpusData
from data.corpus_options import CorpusOptions
from data.corpus_source import locate_corpus
from data.errors import DataError
from data.leaks import LeakError
from data.splits import PARTS
from data.streams import TokenStreams
from data.transforms.tokens import TokenTransform
from tests.data.corpora import corpus, text
from tests.data.tables import real

#: Parts of three documents each.
LENGTHS = {part: [40, 7, 90] for part in PARTS}
IDS = {part: np.random.default_rng(0).integers(2, 30, 137).astype("int32") for part in PARTS}


def repairs(data: CorpusData) -> dict[str, int]:
    return {r.what: r.count for r in data.repairs}


@pytest.mark.parametrize("tokens", ["characters", "bytes", "words", "subwords"])
def test_parts_follow_one_another_and_their_ids_are_their_texts(tokens):
    documents = [text(900), text(400, seed=1), text(700, seed=2)]
    data = corpus(documents, tokens=tokens, validation=0.1, test=0.2)
    whole = "".join(documents)
    assert "".join(data.text(part) for part in corpus_leaks.ORDER) == whole
    assert data.characters("test") == len(whole) - int(0.8 * len(whole))
    assert data.characters("validation") == int(0.1 * len(whole))
    for part in PARTS:
        assert sum(data.lengths(part)) == data.count(part) == len(data.ids(part))
        if not data.unknown(part):
            assert data.transform.text_numpy(data.ids(part)) == data.text(part)
    assert len(data.lengths("train")) == 3 and len(data.lengths("validation")) == 1, "documents stay apart"
    assert data.unit == tokens.removesuffix("s")
    assert [check.passed for check in data.checks] == [True] * 3


def test_it_starts_after_a_line():
    assert corpus().transform.text_numpy([corpus().start]) == "\n"
    lines = corpus(["abc" * 400])
    assert lines.start == lines.ids("train")[0]


def test_what_train_does_not_have_is_unknown_and_counted():
    data = corpus([text(2000) + "ЖЖЖ" * 20])
    assert data.unknown("test") == 60 / data.count("test")
    assert repairs(data) == {"characters of test that train does not have, read as unknown": 60}


def test_passages_that_train_has_too_are_counted():
    again = text(2000)
    data = corpus([again + again[1000:1350] + text(90, seed=3)], test=0.07)
    (said, count), *_ = repairs(data).items()
    assert count == 1 and said.startswith("passages of the test, 200 characters or more, that train has too, kept")


def test_passages_are_found_whole_wherever_they_stand():
    rng = np.random.default_rng(0)
    train = "".join(map(chr, rng.integers(97, 123, 3000)))
    for length, start in ((200, 17), (199, 17), (531, 1234), (200, 2800)):
        own = "".join(map(chr, rng.integers(65, 91, 400)))
        test = own[:77] + train[start : start + length] + own[77:]
        assert corpus_leaks.passages(train, test, 200) == ([(77, 77 + length)] if length >= 200 else [])
    assert corpus_leaks.passages("a" * 500, "a" * 300, 200) == [(0, 300)]
    assert corpus_leaks.passages("", "abc", 200) == corpus_leaks.passages("abc", "", 200) == []


class TestLeaks:
    """Each check finds what it is there for."""

    def test_parts_that_overlap(self, monkeypatch):
        parts = {"train": ["abcd"], "validation": ["ef"], "test": ["g"]}
        assert corpus_leaks.parts_do_not_overlap(parts, ["efa", "bcdg"]).passed
        assert not corpus_leaks.parts_do_not_overlap({**parts, "validation": ["efa"]}, ["efa", "bcdg"]).passed
        assert not corpus_leaks.parts_do_not_overlap({**parts, "test": [""]}, ["efa", "bcdg"]).passed

        def doubled(texts, options):
            return {"train": list(texts), "validation": [texts[0][-99:]], "test": [texts[0][-99:]]}

        monkeypatch.setattr("data.corpus._parts", doubled)
        with pytest.raises(LeakError, match="do not overlap"):
            corpus()

    @pytest.mark.parametrize("tokens", ["characters", "words", "subwords"])
    def test_a_vocabulary_of_all_texts(self, tokens):
        parts = {"train": [text()], "validation": [text(99, seed=1)], "test": ["Жж Жж Жж"]}
        options = CorpusOptions(tokens=tokens)

        def of_all(parts):
            return TokenTransform.fit([t for part in PARTS for t in parts[part]], options)

        def of_train(parts):
            return TokenTransform.fit(parts["train"], options)

        assert corpus_leaks.vocabulary_is_of_train(of_train(parts), of_train, parts).passed
        assert not corpus_leaks.vocabulary_is_of_train(of_all(parts), of_all, parts).passed

    @pytest.mark.parametrize("wrong", ["same", "two on", "across"])
    def test_targets_that_are_something_else(self, wrong):
        class Wrong(TokenStreams):
            def targets(self, part):
                found, ids = super().targets(part), self.ids(part)
                if wrong == "across":
                    return np.append(ids[1:], -1).astype("int32")
                return np.where(found < 0, -1, ids if wrong == "same" else np.roll(ids, -2)).astype("int32")

        assert corpus_leaks.targets_are_one_step_on(TokenStreams(IDS, LENGTHS, 16)).passed
        check = corpus_leaks.targets_are_one_step_on(Wrong(IDS, LENGTHS, 16))
        assert not check.passed and "something else" in check.detail

    @pytest.mark.parametrize("what", ["streams", "windows", "ordered"])
    def test_batches_that_are_shifted(self, what):
        def shifted(self, *given, **named):
            right = getattr(TokenStreams, what)(self, *given, **named)
            return right.map(lambda read, target: (read, tf.roll(target, 1, 1)))

        Wrong = type("Wrong", (TokenStreams,), {what: shifted})
        check = corpus_leaks.targets_are_one_step_on(Wrong(IDS, LENGTHS, 16))
        assert not check.passed and "are not what is read one step on" in check.detail


@pytest.mark.parametrize(
    "document, options, message",
    [
        ("a", {}, r"made leaves 0 characters to train on, and data.window=32 needs 33 or more. Give more text"),
        ("ab\n" * 9, {}, r"made leaves 24 characters to train on.*or take a smaller data.window"),
        ("word " * 30, {"tokens": "words"}, r"leaves 2\d words to train on"),
        (
            "abc" * 50,
            {"validation": 0.001},
            r"leaves [01] characters? for validation, and 2 or more.*larger data.validation",
        ),
        ("abc" * 50, {"test": 0.001}, r"leaves 1 character for test"),
        ("abcdef" * 50, {"fewest": 99}, r"No character occurs 99 times or more in the 261 characters of train"),
    ],
)
def test_too_little_text_is_refused(document, options, message):
    with pytest.raises(DataError, match=message):
        corpus([document], **options)


@pytest.mark.parametrize(
    "options", [{"test": 0.5, "validation": 0.5}, {"window": 0}, {"vocabulary": 2}, {"tokens": "word"}, {"files": []}]
)
def test_options_that_cannot_be(options):
    with pytest.raises(ValidationError):
        CorpusOptions(**options)


def test_tiny_shakespeare():
    path = real("text", "tinyshakespeare", "input.txt")
    documents, source, _ = locate_corpus("shakespeare", sample=None, data_dir=path.parents[2])
    data = CorpusData.prepare(documents, source, CorpusOptions())
    assert (data.count("train") + data.count("validation"), data.count("test")) == (1_003_854, 111_540), (
        "as nanoGPT cuts it"
    )
    assert data.transform.size == 65 + 2 and data.unknown("test") == 0
    assert len(data.streams(64, seed=0)) == data.stream_steps(64) == math.ceil(math.ceil(970_391 / 128) / 64)
