"""Texts to a classifier that is served from raw text: the command, its record, its exports, what they answer."""

from __future__ import annotations

import gzip
import json

import mlflow
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from mlflow.pyfunc import scoring_server

from data.transforms.text import TextTransform, padded
from pipelines import promote
from pipelines.served_model import ServedModel
from pipelines.store import uri_of
from tests.pipelines.command import seqlayers

#: Settings that make a run small enough for a test.
SMALL = [
    "--set", "train.epochs=2",
    "--set", "model.head={kind: naive_bayes, buckets: 4096}",
    "--set", "baselines.NB n-grams={kind: naive_bayes, buckets: 4096}",
    "--set", "model.branches=[{head: {kind: regions, units: 16, dropout: 0.5, token_dropout: 0.3}}]",
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
    contract = json.loads((folder / "exports" / "model.json").read_text())
    ids = padded(TextTransform.from_json(contract["transform"]).ids_numpy(texts))
    again = loaded.signatures["ids"](ids=tf.constant(ids))
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
    found = served.predict({"text": np.array(["Warm, moving.", "Dull."])})
    assert set(found["label"]) <= {"negative", "positive"}
    frame = pd.DataFrame({"text": ["Warm, moving.", "Dull."]})
    np.testing.assert_array_equal(served.predict(frame)["label"], found["label"])


@pytest.mark.parametrize(
    "asked",
    [
        {"inputs": {"text": ["Warm, moving.", "Dull."]}},
        {"dataframe_split": {"columns": ["text"], "data": [["Warm, moving."], ["Dull."]]}},
    ],
    ids=lambda asked: next(iter(asked)),
)
def test_the_registered_model_answers_what_mlflows_server_is_asked(run, monkeypatch, asked):
    """What `mlflow models serve` does with a request, without the server around it."""
    home, _, _, folder = run
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri_of(home))
    model = mlflow.pyfunc.load_model("models:/seqlayers-sentiment-sample/1")
    answer = scoring_server.invocations(json.dumps(asked), "application/json", model, model.metadata.get_input_schema())
    assert answer.status == 200, answer.response
    found = json.loads(answer.response)["predictions"]
    expected = ServedModel(str(folder / "exports" / "saved_model")).predict({"text": ["Warm, moving.", "Dull."]})
    assert found["label"] == expected["label"].tolist()
    np.testing.assert_allclose(found["probabilities"], expected["probabilities"], atol=1e-6)


def test_predict_answers_a_text_that_the_terminal_could_not_read(run, tmp_path):
    """Bytes that are not UTF-8 reach Python as halves of letters."""
    _, _, _, folder = run
    tables = []
    for model in (folder, folder / "exports" / "model_float32.tflite"):
        table = tmp_path / f"{model.name}.csv"
        answer = seqlayers("predict", model, "--text", "It is dull caf\udce9\udcff!", "--output", table)
        assert answer.code == 0, answer.err
        assert "texts that are not UTF-8, the letters that were lost replaced: 1" in answer.out
        tables.append(pd.read_csv(table))
    pd.testing.assert_frame_equal(*tables, atol=1e-5)


def test_predict_tells_of_every_text_where_no_table_is_written(run):
    _, _, _, folder = run
    texts = [part for i in range(25) for part in ("--text", f"dull {i}")]
    answer = seqlayers("predict", folder, *texts, "--json")
    assert len(answer.json["labels"]) == answer.json["rows"] == 25


WORDS = {10: "invoice refund", 9: "password key", 2: "parcel van"}
#: What is found in people's files: texts of one team each, and what each of them holds.
ODD = {"nothing": "", "a review of 200,000 words": "parcel " * 200_000, "a null byte": "parcel\0van", "lost": "van CUT"}


@pytest.fixture(scope="module")
def tickets(tmp_path_factory):
    """A run on tickets whose labels are the numbers of teams, some of them odd: its record and its folder."""
    home = tmp_path_factory.mktemp("tickets")
    draw = np.random.default_rng(0)
    rows = [
        {"body": f"my {draw.choice(words.split())} number {draw.integers(10_000)} is {w}", "team": team}
        for team, words in WORDS.items()
        for w in draw.choice(["late", "wrong", "missing", "lost", "blocked"], 80)
    ]
    rows += [{"body": text, "team": 2} for text in ODD.values()]
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    (home / "tickets.jsonl").write_bytes(lines.replace(b"CUT", b"caf\xe9"))
    answer = seqlayers(
        "run", "classify", "--source", home / "tickets.jsonl", "--home", home,
        "--set", "data.text=body", "--set", "data.label=team", *SMALL, "--json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    folder = home / "runs" / "classify" / "latest"
    return json.loads((folder / "record.json").read_text()), folder


@pytest.mark.slow
def test_three_classes_of_ones_own(tickets):
    """No threshold, no curves of two classes, everything else as for two."""
    record, _ = tickets
    assert record["threshold"] is None and record["roc"] is None
    assert record["confusion"]["classes"] == ["2", "9", "10"]
    assert np.sum(record["confusion"]["matrix"], axis=1).tolist() == list(record["splits"][2]["classes"].values())
    assert record["metrics"][1]["accuracy"] > 0.9, "a word tells the team"
    assert [row["status"] for row in record["exports"]] == ["proven"] * 3, record["exports"]


@pytest.mark.slow
def test_texts_that_are_empty_endless_or_damaged_are_learnt_from_and_told(tickets):
    record, _ = tickets
    assert {r["what"]: r["count"] for r in record["repairs"]} == {"empty texts, kept": 1}
    assert "1 bytes or so are not UTF-8, and were replaced" in record["source"]["note"]
    assert record["source"]["rows"] == 244


@pytest.mark.slow
@pytest.mark.parametrize("file", [".", "exports/model_float32.tflite"])
def test_every_label_is_said_under_its_own_number(tickets, tmp_path, file):
    _, folder = tickets
    teams = {f"my {word} number 7 is late": str(team) for team, words in WORDS.items() for word in words.split()}
    given = [{"body": text} for text in [*teams, *ODD.values()]]
    (tmp_path / "new.jsonl").write_text("".join(json.dumps(row) + "\n" for row in given))
    answer = seqlayers(
        "predict", folder / file, "--input", tmp_path / "new.jsonl", "--output", tmp_path / "a.csv", "--json"
    )
    assert answer.code == 0, answer.err
    found = pd.read_csv(tmp_path / "a.csv", dtype={"label": str})
    assert found["label"][: len(teams)].tolist() == list(teams.values())
    assert set(found["label"]) <= {"2", "9", "10"}
    np.testing.assert_allclose(found["score"], found[["p(2)", "p(9)", "p(10)"]].max(axis=1), atol=1e-6)
    notes = " ".join(answer.json["notes"])
    assert "empty texts, kept: 1 in 'body'" in notes
    assert ("1 of 10 texts are longer than the" in notes) == file.endswith(".tflite")


def csv(**columns):
    return pd.DataFrame(columns).to_csv(index=False).encode()


TEXTS = [f"a text with the number {i}" for i in range(100)]
TEAMS = ["a", "b"] * 50


@pytest.mark.parametrize(
    ("name", "content", "settings", "said"),
    [
        ("a.csv", csv(text=TEXTS, label=["a"] * 100), [], "Column 'label' holds one class only: 'a'"),
        ("a.csv", csv(text=TEXTS), [], "Which column holds the labels? Set data.label. Columns: 'text'"),
        ("a.csv", csv(text=TEXTS, label=["", *TEAMS[1:]]), [], "1 of 100 labels are missing (rows '1')"),
        ("a.csv", csv(label=TEAMS), [], "Which column holds the texts? no column could. Set data.text"),
        ("a.csv", csv(body=TEXTS, label=TEAMS), ["data.text=boddy"], "No column 'boddy'. Did you mean 'body'?"),
        ("a.csv", csv(text=TEXTS, label=TEAMS).replace(b"7", b"\0"), [], "holds binary data, not a table"),
        ("a.csv.gz", gzip.compress(csv(text=TEXTS, label=TEAMS))[:-40], [], "is cut short"),
        ("a.csv", csv(text=TEXTS, label=["a", "b", "c", "d"] * 25), ["decision.threshold=auto"], "decision.threshold"),
        (
            "a.csv",
            csv(text=TEXTS, label=TEAMS),
            ["model={embedding: {kind: token, units: 8}, encoder: [{kind: mixer}], head: {kind: classify}}"],
            "data.buckets: encoder 'mixer' has weights for one length",
        ),
    ],
)
def test_what_cannot_be_learnt_from_is_refused_before_anything_is_written(tmp_path, name, content, settings, said):
    (tmp_path / name).write_bytes(content)
    chosen = [part for setting in settings for part in ("--set", setting)]
    answer = seqlayers("run", "classify", "--source", tmp_path / name, "--home", tmp_path, *chosen)
    assert answer.code == 2
    assert said in " ".join((answer.out + answer.err).split())
    assert not (tmp_path / "runs").exists()


def test_an_archive_of_imdb_with_a_wrong_checksum_is_refused(tmp_path):
    (tmp_path / "aclImdb_v1.tar.gz").write_bytes(gzip.compress(b"something else"))
    answer = seqlayers("run", "sentiment", "--source", "imdb", "--data-dir", tmp_path, "--home", tmp_path)
    assert answer.code == 2
    assert "is not the archive that is published" in " ".join((answer.out + answer.err).split())


def test_a_diagnosis_of_texts_is_refused(tmp_path):
    answer = seqlayers("diagnose", "sentiment", "--source", "sample", "--home", tmp_path)
    assert answer.code == 2 and "'sentiment' reads no series" in answer.out + answer.err


def test_a_backtest_of_texts_is_refused(tmp_path):
    answer = seqlayers("backtest", "sentiment", "--source", "sample", "--home", tmp_path)
    assert answer.code == 2 and "no order in time" in answer.out + answer.err


@pytest.mark.slow
def test_texts_without_labels_are_learnt_from_and_held_out_ones_among_them_left_out(run, tmp_path):
    _, _, before, _ = run
    from data.text_sample import sample

    frame, _ = sample()
    frame[["text"]].to_json(tmp_path / "more.jsonl", orient="records", lines=True)
    answer = seqlayers(
        "run", "sentiment", "--source", "sample", "--home", tmp_path, *SMALL, "--set", "export.formats=[]",
        "--unlabelled", tmp_path / "more.jsonl",
    )  # fmt: skip
    assert answer.code == 0, answer.out + answer.err
    record = json.loads((tmp_path / "runs" / "sentiment" / "latest" / "record.json").read_text())
    held = sum(part["rows"] for part in record["splits"] if part["part"] != "train")
    assert record["unlabelled"]["texts"] == len(frame) - held
    assert sum(r["count"] for r in record["unlabelled"]["repairs"] if "left out" in r["what"]) == held
    assert promote.test_of(record) == promote.test_of(before), (
        "texts that are learnt from change nothing in what is tested"
    )
    assert any("unlabelled" in check["name"] for check in record["checks"])
    assert record["curves"]["loss"] != before["curves"]["loss"], "the model saw more texts"


def test_texts_without_labels_that_nothing_would_learn_from_are_refused(tmp_path):
    (tmp_path / "more.jsonl").write_text('{"text": "one"}\n{"text": "two"}\n')
    answer = seqlayers(
        "run", "sentiment", "--source", "sample", "--home", tmp_path, "--unlabelled", tmp_path / "more.jsonl",
        "--set", "model={head: {kind: naive_bayes}}",
    )  # fmt: skip
    assert answer.code == 2 and "a model with a head that is trained" in " ".join((answer.out + answer.err).split())
    answer = seqlayers(
        "run", "sentiment", "--source", "sample", "--home", tmp_path, "--unlabelled", tmp_path / "more.jsonl",
        "--set", "baselines.NB n-grams=null",
    )  # fmt: skip
    assert answer.code == 2 and "there is no baseline" in " ".join((answer.out + answer.err).split())
