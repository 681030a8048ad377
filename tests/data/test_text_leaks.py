"""Each leak check of texts finds what it is there for, and stops the run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data import text_leaks
from data.errors import DataError
from data.leaks import LeakError
from data.transforms.text import TextTransform
from tests.data.text_tables import prepared, reviews


class TestLeaks:
    """Each check finds what it is there for."""

    @pytest.mark.parametrize("what", ["text", "group"])
    def test_on_two_sides(self, what):
        values = np.array(["a", "b", "c", "d", "a"], object)
        parts = np.array(["train", "train", "validation", "test", "test"], object)
        assert text_leaks.nothing_on_two_sides(what, values[:4], parts[:4]).passed
        check = text_leaks.nothing_on_two_sides(what, values, parts)
        assert (check.passed, check.detail) == (False, f"1 {what}s stand in train and in test.")

    def test_a_split_that_leaks_stops_the_run(self, monkeypatch):
        def shuffled(table, options):
            parts = np.array(["train", "validation", "test"], object)[np.arange(len(table.texts)) % 3]
            return replace(table, parts=parts), np.zeros(len(parts), bool)

        monkeypatch.setattr("data.texts.split_texts", shuffled)
        with pytest.raises(LeakError, match="no group on both sides"):
            prepared()
        with pytest.raises(LeakError, match="no text on both sides"):
            prepared(reviews().drop(columns="film").assign(text=np.repeat(reviews()["text"][:100].to_numpy(), 2)))

    def test_a_vocabulary_of_all_texts(self):
        data = prepared(fewest=1)
        train = data.table.parts == "train"

        def of_train(texts):
            return TextTransform.fit(texts[train], data.options)

        def of_all(texts):
            return TextTransform.fit(texts, data.options)

        table = data.table
        assert text_leaks.vocabulary_is_of_train(of_train(table.texts), of_train, table.texts, table.parts).passed
        for transform, refit in [(of_all(table.texts), of_train), (of_all(table.texts), of_all)]:
            assert not text_leaks.vocabulary_is_of_train(transform, refit, table.texts, table.parts).passed

    @pytest.mark.parametrize("mark", ["__label__{} {}", "{}", "{1} ({0})", "{0}: {1}"])
    def test_a_label_in_the_text_stops_the_run(self, mark):
        frame = reviews()
        frame["text"] = [mark.format(label, text) for text, label in zip(frame["text"], frame["label"], strict=True)]
        frame = frame.drop(columns="film") if mark != "{}" else frame.drop(columns="film").assign(text=frame["label"])
        with pytest.raises((LeakError, DataError), match=r"the label does not stand in the text|part has no row"):
            prepared(frame)

    def test_a_text_may_say_its_class(self):
        frame = reviews()
        frame["text"] = [f"{t} so {c} a film {t}" for t, c in zip(frame["text"], frame["label"], strict=True)]
        assert prepared(frame).checks

    def test_a_word_that_all_classes_begin_with_tells_none(self):
        frame = reviews()
        frame["text"] = [f"good {text}" for text in frame["text"]]
        assert prepared(frame).checks

    def test_ids_that_depend_on_the_batch(self):
        transform = prepared().transform
        texts = ["w1 w2", "w3", "w4 w5 w6"]

        def padded(some):
            ids = transform.ids_numpy(some)
            return [np.pad(i, (0, max(map(len, ids)) - len(i))) for i in ids]

        assert text_leaks.ids_ignore_the_batch(transform.ids_numpy, transform.ids_numpy, texts).passed
        assert not text_leaks.ids_ignore_the_batch(padded, transform.ids_numpy, texts).passed

    def test_a_run_has_all_of_them(self):
        assert [check.name for check in prepared().checks] == [
            "no text on both sides of a border",
            "no group on both sides of a border",
            "the vocabulary is of train alone",
            "the label does not stand in the text",
            "a text's ids do not depend on the others of its batch",
        ]
