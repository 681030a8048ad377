"""A table of texts becomes parts: columns are found, copies counted, nothing held out is left in train."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from data.errors import DataError
from data.splits import PARTS
from data.text_options import TextOptions
from data.text_splits import draw, together
from tests.data.text_tables import prepared, repairs, reviews


def halves(frame: pd.DataFrame, test: int) -> pd.DataFrame:
    """With a column that says that the last rows are the test."""
    return frame.assign(split=["train"] * (len(frame) - test) + ["test"] * test)


class TestParts:
    def test_every_row_is_in_one_part_and_classes_keep_their_shares(self):
        data = prepared(reviews(1000, films=200), validation=0.1, test=0.2)
        assert sum(map(data.count, PARTS)) == 1000
        for name in data.classes:
            of = {part: counts[name] for part, counts in data.counts().items()}
            assert of["test"] == pytest.approx(0.2 * sum(of.values()), abs=4)
            assert of["validation"] == pytest.approx(0.1 * (of["train"] + of["validation"]), abs=4)

    def test_texts_labels_ids_and_groups_stand_in_one_order_the_shortest_first(self):
        frame = reviews()
        data = prepared(frame)
        rows = {row.text: row for row in frame.itertuples()}
        films = {}
        for part in PARTS:
            lengths = [len(i) for i in data.ids(part)]
            assert lengths == sorted(lengths)
            told = zip(data.texts(part), data.labels(part), data.ids(part), data.groups(part), strict=True)
            for text, label, ids, film in told:
                assert data.classes[label] == rows[text].label
                assert films.setdefault(rows[text].film, film) == film
                np.testing.assert_array_equal(ids, data.transform.ids_numpy([text])[0])
        assert len(set(films.values())) == len(films)

    def test_texts_of_one_length_stay_as_they_came(self):
        frame = pd.DataFrame({"text": [f"w{i} w" for i in range(60)], "label": ["a", "b"] * 30})
        texts = prepared(frame).texts("train")
        assert texts == sorted(texts, key=lambda t: int(t.split()[0][1:]))

    def test_the_seed_decides_what_is_held_out(self):
        first, again, other = (set(prepared(seed=s).texts("test")) for s in (1, 1, 2))
        assert first == again != other

    def test_rows_of_one_text_stay_together_where_there_is_no_group(self):
        frame = reviews(300).drop(columns="film")
        frame["text"] = [f"text number {i % 100}" for i in range(300)]
        data = prepared(frame)
        sides = [set(data.texts(part)) for part in PARTS]
        assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])
        assert all(data.texts(part).count(text) == 3 for part in PARTS for text in data.texts(part))

    def test_units_join_over_texts_and_groups(self):
        units = together(np.array([0, 1, 1, 2, 3, 4]), np.array([0, 0, 1, 1, 2, 3]))
        assert (units[:4] == units[0]).all()
        assert len(set(units)) == 3

    def test_no_unit_is_drawn_in_part_and_one_too_large_is_not_drawn(self):
        units = np.array([0] * 60 + [*range(1, 41)])
        taken = draw(units, np.zeros(100, int), 0.1, np.random.default_rng(0))
        assert taken.sum() == 10
        assert not taken[:60].any()

    def test_parts_that_are_named_are_kept(self):
        frame = reviews(100, films=100)
        frame["part"] = ["Train"] * 60 + ["dev"] * 20 + ["Testing"] * 20
        frame["film"] = range(100)
        data = prepared(frame)
        assert [data.count(p) for p in PARTS] == [60, 20, 20]
        assert set(data.texts("validation")) == set(frame["text"][60:80])

    def test_rows_of_no_part_are_left_out_and_counted(self):
        frame = halves(reviews(100), 20).drop(columns="film")
        frame.loc[:9, "split"] = "unsup"
        data = prepared(frame)
        assert sum(map(data.count, PARTS)) == 90
        assert repairs(data)["rows of no part ('unsup'), left out"] == 10

    def test_a_column_that_names_no_train_is_not_taken_for_one_of_parts(self):
        data = prepared(reviews(split=["a", "b"] * 100))
        assert data.options.split is None


class TestDuplicates:
    def test_a_text_of_test_is_dropped_from_train_and_counted(self):
        frame = halves(reviews(200).drop(columns="film"), 50)
        frame.loc[[0, 1, 2], "text"] = frame["text"][160]
        frame.loc[3, "text"] = frame["text"][170]
        data = prepared(frame)
        assert repairs(data)["train rows dropped, since their text stands in test too (2 texts)"] == 4
        assert data.count("test") == 50
        assert data.count("train") + data.count("validation") == 146
        shared = set(frame["text"][[160, 170]])
        assert [text in shared for text in data.texts("test")] == data.also_in_train.tolist()
        assert data.also_in_train.sum() == 2

    def test_a_group_of_test_is_dropped_from_train_and_counted(self):
        frame = halves(reviews(200, films=150), 50)
        frame["film"] = np.arange(200)
        frame.loc[:6, "film"] = 199
        data = prepared(frame)
        assert repairs(data)["train rows dropped, since their group stands in test too (1 groups)"] == 7

    def test_copies_inside_a_part_and_conflicting_labels_are_counted_and_kept(self):
        frame = halves(reviews(100).drop(columns="film"), 20)
        frame.loc[80:83, "text"] = "the same"
        frame.loc[80:83, "label"] = ["good", "bad", "good", "good"]
        data = prepared(frame)
        assert data.texts("test").count("the same") == 4
        assert repairs(data)["test rows whose text stands in test before, kept"] == 3
        assert repairs(data)["texts with more than one label, kept"] == 1

    def test_empty_texts_are_kept_and_counted(self):
        frame = reviews(100).drop(columns="film")
        frame["text"] = frame["text"].astype(object)
        frame.loc[3, "text"], frame.loc[4, "text"], frame.loc[5, "text"] = "", "  ", None
        data = prepared(frame)
        assert repairs(data)["empty texts, kept"] == 3
        assert sum(map(data.count, PARTS)) == 100

    def test_what_is_not_utf8_is_replaced_and_counted(self):
        frame = reviews(100)
        frame["text"] = frame["text"].astype(object)
        frame.loc[3, "text"], frame.loc[4, "text"] = b"caf\xe9", "half an emoji \ud83d"
        data = prepared(frame)
        assert repairs(data)["texts that are not UTF-8, the letters that were lost replaced"] == 2
        texts = {text for part in PARTS for text in data.texts(part)}
        assert {"caf\ufffd", "half an emoji \ufffd"} <= texts


class TestColumns:
    def test_columns_are_found_by_name_or_length(self):
        frame = reviews(label2=0).rename(columns={"text": "Review", "label": "Sentiment", "film": "Movie"})
        found = prepared(frame).options
        assert (found.text, found.label, found.group) == ("Review", "Sentiment", "Movie")
        frame = reviews().drop(columns="film").rename(columns={"text": "said", "label": "kind"})
        assert (prepared(frame).options.text, prepared(frame).options.label) == ("said", "kind")

    def test_rows_without_a_group_are_no_group(self):
        frame = reviews(200, films=20)
        frame.loc[:149, "film"] = np.resize(["", " ", None], 150)
        data = prepared(frame)
        groups = np.concatenate([data.groups(part) for part in PARTS])
        assert len(set(groups)) == 150 + frame["film"][150:].nunique()

    def test_a_text_of_200_000_words_is_cut_and_nothing_else_is(self):
        frame = reviews(100)
        frame.loc[7, "text"] = "end " * 200_000
        data = prepared(frame)
        lengths = [len(ids) for part in PARTS for ids in data.ids(part)]
        assert sorted(lengths)[-2:] == [max(len(t.split()) for t in frame["text"].drop(7)), data.options.longest]

    def test_a_group_can_be_refused(self):
        data = prepared(reviews(200, films=2), group="none")
        assert (data.options.group, data.groups("test")) == (None, None)
        assert [data.count(p) for p in PARTS] == [144, 16, 40]

    def test_classes_are_sorted_numbers_as_numbers(self):
        frame = reviews(300).drop(columns="film")
        frame["label"] = np.resize([10, 9, 2], 300)
        assert prepared(frame).classes == ("2", "9", "10")
        assert prepared(frame.assign(label=frame["label"].astype(float))).classes == ("2", "9", "10")
        assert prepared(frame.assign(label=frame["label"] == 2)).classes == ("False", "True")

    @pytest.mark.parametrize(
        ("change", "options", "message"),
        [
            (lambda f: f.assign(label="good"), {}, "holds one class only: 'good'"),
            (lambda f: f.assign(label=[None, "", *f["label"][2:]]), {}, r"2 of 200 labels are missing \(rows '1', '2'"),
            (lambda f: f.assign(label=[np.nan, *[1.0, 2.0] * 99, 1.0]), {}, "1 of 200 labels are missing"),
            (lambda f: f.drop(columns="label").assign(a=1, b=2), {}, "Which column holds the labels.*'text'.*'a', 'b'"),
            (
                lambda f: f.drop(columns="text"),
                {},
                r"Which column holds the texts\? no column could.*Columns: 'label', 'film'",
            ),
            (lambda f: f[["label"]].assign(x=1), {"label": "label"}, "no column could"),
            (
                lambda f: f.assign(label=[["a", "b"], ["a"]] * 100),
                {},
                r"'label' holds lists or objects \(row 1\), and a class is a single value",
            ),
            (lambda f: f.assign(text=[["w", "w"]] * 200), {}, "'text' holds lists .* and a text is a single value"),
            (
                lambda f: f.assign(more=f["text"]).rename(columns={"text": "x"}),
                {},
                r"several columns could \('x', 'more'",
            ),
            (lambda f: f, {"text": "txt"}, "No column 'txt'. Did you mean 'text'"),
            (lambda f: f, {"text": "text", "label": "text"}, "Column 'text' is both text and label"),
            (lambda f: f.assign(text=1.5), {}, "Column 'text' holds float64, not texts"),
            (lambda f: f.assign(label=np.linspace(0, 1, 200)), {}, "numbers with a fraction, not classes"),
            (lambda f: f.assign(label=[f"id {i}" for i in range(200)]), {}, "200 different values in 200 rows"),
            (
                lambda f: f.assign(text=[f"x{i}" for i in range(200)]),
                {},
                "No token occurs 2 times or more in the .* texts of train .*from 'text'",
            ),
            (lambda f: pd.concat([halves(f[:50], 0), halves(f[:50], 50)]), {}, "Every row of train has a text or"),
            (lambda f: f[:19], {}, "19 rows given, and at least 20"),
            (lambda f: f.assign(film="one"), {}, "The validation part has no row.*one 'film' are too many.*data.group"),
            (lambda f: f, {"split": "film"}, "Column 'film' names no row of train: 'film .*Accepted: train, test"),
            (
                lambda f: halves(f, 100).assign(label=["a", "b"] * 50 + ["c"] * 100, film=range(200)),
                {},
                "No text of train is of class 'c'",
            ),
        ],
    )
    def test_what_cannot_be_used_is_refused(self, change, options, message):
        with pytest.raises(DataError, match=message):
            prepared(change(reviews()), **options)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"buckets": [64, 32]}, "each longer than the one before"),
            ({"tokens": "letters"}, "'words', 'subwords'"),
            ({"longest": 0}, "greater than or equal to 1"),
            ({"txt": "a"}, "Extra inputs"),
        ],
    )
    def test_options_are_checked(self, options, message):
        with pytest.raises(ValidationError, match=message):
            TextOptions(**options)
