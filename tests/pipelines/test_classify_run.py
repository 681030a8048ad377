"""Texts to a classifier that is served from raw text: the command, its record, its exports, what they answer."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from pipelines.served_model import ServedModel
from tests.pipelines.command import seqlayers

#: Settings that make a run small enough for a test.
SMALL = [
    "--set", "train.epochs=2",
    "--set", "model.head={kind: naive_bayes, buckets: 4096}",
    "--set", "baselines.NB n-grams={kind: naive_bayes, buckets: 4096}",
    "--set", "model.branches=[{embedding: {kind: token, units: 8, mask_zero: true}, encoder: [], "
    "pooling: {kind: mean}, head: {kind: classify}}]",
]  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    answer = seqlayers("run", "sentiment", "--source", "sample", "--home", home, *SMALL, "--json")
    assert answer.code == 0, answer.err
    folder = home / "runs" / "sentiment" / "latest"
    return home, answer, json.loads((folder / "record.json").read_text()), folder


def test_the_last_line_tells_of_the_model_and_its_baselines(run):
    _, answer, _, _ = run
    found = answer.json
    assert found["task"] == "sentiment" and found["sample"] is True and found["status"] == "done"
    assert set(found["baselines"]) == {"majority class", "NB n-grams"}
    assert 0.6 < found["metrics"]["accuracy"] <= 1
    majority = found["baselines"]["majority class"]
    assert found["skill"] == pytest.approx(1 - found["metrics"]["error"] / majority["error"])


def test_every_signature_of_every_export_is_proven(run):
    _, _, record, _ = run
    assert [row["status"] for row in record["exports"]] == ["proven"] * 3, record["exports"]
    assert all(row["max_error"] <= 1e-5 for row in record["exports"] if row["format"] != "litert_int8")
    assert all(row["flex_ops"] in (0, None) for row in record["exports"])


def test_the_record_says_what_the_data_are(run):
    _, _, record, _ = run
    assert record["family"] == "classify" and record["texts"]["classes"] == ["negative", "positive"]
    assert sum(part["rows"] for part in record["splits"]) == record["source"]["rows"]
    for part in record["splits"]:
        assert sum(part["classes"].values()) == part["rows"]
    assert all(check["passed"] for check in record["checks"])
    assert 0 < record["texts"]["padding"] < 1


def test_a_mistake_names_words_that_stand_in_it(run):
    _, _, record, _ = run
    assert record["mistakes"], "the sample has noise that nobody can learn"
    for mistake in record["mistakes"]:
        assert mistake["label"] != mistake["predicted"] and mistake["confidence"] >= 0.5
        assert mistake["words"]
        for word in mistake["words"]:
            assert word["word"] in mistake["text"].lower()
    falls = [[abs(word["weight"]) for word in mistake["words"]] for mistake in record["mistakes"]]
    assert all(sorted(f, reverse=True) == f for f in falls)


def test_the_report_and_the_card_are_there(run):
    _, _, _, folder = run
    page, card = (folder / "report.html").read_text(), (folder / "model_card.md").read_text()
    assert "NB n-grams" in page and "majority class" in page
    assert "SAMPLE" in card and "negative" in card


def test_the_saved_model_answers_strings_and_ids(run):
    _, _, _, folder = run
    loaded = tf.saved_model.load(str(folder / "exports" / "saved_model"))
    texts = ["I can only recommend it.", "The film is awful!", ""]
    found = loaded.signatures["serving_default"](text=tf.constant(texts))
    assert set(found["label"].numpy()) <= {b"negative", b"positive"}
    np.testing.assert_allclose(found["probabilities"].numpy().sum(1), 1, rtol=1e-5)
    np.testing.assert_allclose(found["score"], found["probabilities"].numpy().max(1))
    from data.transforms.text import TextTransform

    contract = json.loads((folder / "exports" / "model.json").read_text())
    ids = TextTransform.from_json(contract["transform"]).ids_numpy(texts)
    padded = np.zeros((3, max(map(len, ids))), "int32")
    for row, tokens in zip(padded, ids, strict=True):
        row[: len(tokens)] = tokens
    again = loaded.signatures["ids"](ids=tf.constant(padded))
    np.testing.assert_allclose(again["probabilities"], found["probabilities"], atol=1e-6)


def test_predict_answers_texts_from_either_export(run, tmp_path):
    _, _, _, folder = run
    text = "The film is awful! I found the script bland."
    tables = []
    for model in (folder, folder / "exports" / "model_float32.tflite"):
        table = tmp_path / f"{model.name}.csv"
        answer = seqlayers("predict", model, "--text", text, "--text", "Warm, moving.", "--output", table, "--json")
        assert answer.code == 0, answer.err
        assert answer.json["rows"] == 2
        tables.append(pd.read_csv(table))
    pd.testing.assert_frame_equal(*tables, atol=1e-5)


def test_predict_answers_a_file_of_texts(run, tmp_path):
    _, _, _, folder = run
    texts = ["Warm, moving.", None, "I can only recommend it. 👍"]
    pd.DataFrame({"id": [1, 2, 3], "text": texts}).to_csv(tmp_path / "reviews.csv", index=False)
    answer = seqlayers("predict", folder, "--input", tmp_path / "reviews.csv", "--output", tmp_path / "labels.csv")
    assert answer.code == 0, answer.err
    found = pd.read_csv(tmp_path / "labels.csv")
    assert len(found) == 3 and set(found["label"]) <= {"negative", "positive"}
    np.testing.assert_allclose(found["p(negative)"] + found["p(positive)"], 1, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "takes --text"),
        (["--text", "a", "--input", "b.csv"], "takes --text"),
        (["--text", "a", "--picture", "p.png"], "--picture"),
        (["--input", "nowhere.csv"], "nowhere.csv"),
    ],
)
def test_predict_refuses_what_does_not_suit_a_classifier(run, arguments, said):
    _, _, _, folder = run
    answer = seqlayers("predict", folder, *arguments)
    assert answer.code == 2 and said in answer.out + answer.err


def test_the_registered_model_answers_strings(run):
    """As MLflow's server calls it: a mapping of names to arrays of strings."""
    _, _, _, folder = run
    served = ServedModel(str(folder / "exports" / "saved_model"))
    found = served.predict({"text": np.array(["Warm, moving.", "Dull."], object)})
    assert set(found["label"]) <= {"negative", "positive"}
    frame = pd.DataFrame({"text": ["Warm, moving.", "Dull."]})
    np.testing.assert_array_equal(served.predict(frame)["label"], found["label"])


def test_three_classes_of_ones_own(tmp_path):
    """Tickets with teams for labels: no threshold, no curves of two classes, everything else as for two."""
    draw = np.random.default_rng(0)
    words = {"billing": "invoice refund", "login": "password key", "shipping": "parcel van"}
    rows = [
        {"body": f"my {draw.choice(words[team].split())} number {draw.integers(10_000)} is {w}", "team": team}
        for team in words
        for w in draw.choice(["late", "wrong", "missing", "lost", "blocked"], 80)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "tickets.csv", index=False)
    answer = seqlayers(
        "run", "classify", "--source", tmp_path / "tickets.csv", "--home", tmp_path,
        "--set", "data.text=body", "--set", "data.label=team", *SMALL, "--json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    record = json.loads((tmp_path / "runs" / "classify" / "latest" / "record.json").read_text())
    assert record["threshold"] is None and record["roc"] is None
    assert len(record["confusion"]["matrix"]) == 3
    assert record["metrics"][1]["accuracy"] > 0.95, "a word tells the team"
    assert [row["status"] for row in record["exports"]] == ["proven"] * 3, record["exports"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({"text": ["good", "bad"] * 50, "label": ["a"] * 100}, "class"),
        ({"text": ["good", "bad"] * 50}, "label"),
        ({"label": ["a", "b"] * 50}, "text"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused_before_anything_is_written(tmp_path, rows, said):
    pd.DataFrame(rows).to_csv(tmp_path / "texts.csv", index=False)
    answer = seqlayers("run", "classify", "--source", tmp_path / "texts.csv", "--home", tmp_path)
    assert answer.code == 2 and said in answer.out + answer.err
    assert not (tmp_path / "runs").exists()


def test_a_backtest_of_texts_is_refused(tmp_path):
    answer = seqlayers("backtest", "sentiment", "--source", "sample", "--home", tmp_path)
    assert answer.code == 2 and "no order in time" in answer.out + answer.err
