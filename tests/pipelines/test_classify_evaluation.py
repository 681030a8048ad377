"""Figures of classifiers: intervals, calibration, comparison text by text, and the words behind a mistake."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit

from data.transforms.text import TextTransform
from pipelines.task import Candidate, Evaluation
from pipelines.tasks.calibration import Calibration
from pipelines.tasks.classify import ACCURACY, LOG_LOSS
from pipelines.tasks.classify_evaluation import ClassifyEvaluator, Majority
from pipelines.tasks.classify_serving import TextServable
from pipelines.tasks.classify_statistics import (
    best_threshold,
    calibration_error,
    paired,
    per_class,
    precision_recall,
    reliability,
    roc,
    temperature,
    wilson,
)
from pipelines.tasks.paired_verdict import Measure, verdict
from seqlayers.model import SequenceModel
from tests.data.text_tables import prepared, reviews


def test_wilsons_interval_is_that_of_his_paper():
    """10 of 20: (0.2993, 0.7007), as in Newcombe 1998's method 3; nought of ten ends at 0.2775."""
    assert wilson(10, 20) == pytest.approx((0.2993, 0.7007), abs=1e-4)
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)


def test_the_difference_is_taken_text_by_text():
    ours, theirs = np.array([1, 1, 1, 0, 1, 0], bool), np.array([1, 0, 0, 1, 1, 0], bool)
    found = paired("other", ours, theirs)
    assert (found["better"], found["worse"]) == (2, 1)
    assert found["difference"] == pytest.approx(1 / 6)
    # Agresti and Min 2005: half a text more in each of the four cells, n = 8, b = 2.5, c = 1.5
    middle, spread = (2.5 - 1.5) / 8, np.sqrt(((2.5 + 1.5) / 8 - (1 / 8) ** 2) / 8)
    assert (found["low"], found["high"]) == pytest.approx((middle - 1.959964 * spread, middle + 1.959964 * spread))


def test_classifiers_that_never_differ_are_not_surely_equal():
    same = np.array([1, 1, 0, 1], bool)
    few, many = paired("other", same, same), paired("other", np.tile(same, 5000), np.tile(same, 5000))
    assert few["difference"] == many["difference"] == 0
    assert few["low"] < -0.2 and few["high"] > 0.2
    assert -1e-3 < many["low"] < 0 < many["high"] < 1e-3


def test_the_temperature_is_the_one_that_was_hidden():
    draw = np.random.default_rng(0)
    z = draw.normal(0, 2, 20_000)
    truth = (draw.random(20_000) < expit(z)).astype(int)
    assert temperature(np.stack([0 * z, 3.0 * z], 1), truth) == pytest.approx(3.0, rel=0.05)


def test_few_texts_that_are_all_right_do_not_make_a_classifier_certain():
    truth = np.arange(24) % 3
    logits = 4.0 * np.eye(3)[truth]
    told = Calibration(temperature(logits, truth)).probabilities(logits)
    np.testing.assert_allclose(told.max(1), 9 / 10, atol=1e-3)  # of 8 texts of a class: (8 + 1) / (8 + 2)


def test_logits_that_are_hundreds_too_large_are_brought_down():
    draw = np.random.default_rng(2)
    z = draw.normal(0, 2, 5000)
    truth = (draw.random(5000) < expit(z)).astype(int)
    assert temperature(np.stack([0 * z, 300 * z], 1), truth) == pytest.approx(300, rel=0.1)


def test_a_class_that_is_not_tested_has_no_recall_and_one_never_said_no_precision():
    found = per_class(["a", "b", "c"], np.array([0, 0, 0, 1]), np.array([0, 0, 2, 0]))
    assert found[0] == {"class": "a", "precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3, "count": 3}
    assert found[1] == {"class": "b", "precision": None, "recall": 0.0, "f1": 0.0, "count": 1}
    assert found[2] == {"class": "c", "precision": 0.0, "recall": None, "f1": None, "count": 0}


def test_curves_keep_their_ends_and_their_area():
    draw = np.random.default_rng(3)
    truth = (draw.random(5000) < 0.3).astype(int)
    scores = truth + draw.normal(0, 1, 5000)
    ranked = roc(truth, scores)
    positive, negative = scores[truth == 1], scores[truth == 0]
    assert ranked["area"] == pytest.approx((positive[:, None] > negative).mean())
    assert (ranked["points"][0], ranked["points"][-1]) == ([0, 0], [1, 1])
    x, y = np.array(ranked["points"]).T
    assert len(x) <= 200 and np.trapezoid(y, x) == pytest.approx(ranked["area"], abs=0.01)
    found = precision_recall(truth, scores)
    recall, precision = np.array(found["points"]).T
    assert (np.diff(recall) >= 0).all() and precision[-1] == pytest.approx(0.3, abs=0.03)
    assert np.trapezoid(precision, recall) == pytest.approx(found["area"], abs=0.02)


def test_a_calibrated_candidate_has_no_calibration_error_and_an_overconfident_one_has():
    draw = np.random.default_rng(1)
    p = draw.random(50_000)
    truth = (draw.random(50_000) < p).astype(int)
    honest = np.stack([1 - p, p], 1)
    assert calibration_error(reliability(honest, truth)) < 0.01
    boastful = Calibration(temperature=1 / 3).probabilities(np.log(honest))
    assert calibration_error(reliability(boastful, truth)) > 0.1


def test_the_threshold_is_where_validation_accuracy_is_highest():
    truth = np.array([0] * 50 + [1] * 50)
    scores = np.concatenate([np.linspace(0, 0.6, 50), np.linspace(0.62, 1, 50)])
    chosen = best_threshold(scores, truth)
    assert 0.6 < chosen <= 0.62
    assert Calibration(threshold=chosen).decide(np.stack([1 - scores, scores], 1)).tolist() == truth.tolist()
    assert Calibration().decide(np.array([[0.4, 0.35, 0.25]])).tolist() == [0]


def row(name, accuracy, role="baseline", seconds=10.0):
    return {"name": name, "role": role, "accuracy": accuracy, "seconds": seconds}


def pair(name, low, high):
    return {"name": name, "difference": (low + high) / 2, "low": low, "high": high, "better": 1, "worse": 1}


ROWS = [row("majority class", 0.5), row("n-grams", 0.9), row("m", 0.92, "model", 60.0)]


def found(rows, pairs, validated=None, **kwargs):
    """The verdict on a test part, with the same or other differences on validation."""
    validation = Evaluation(rows, {"comparison": validated or pairs})
    return verdict(Evaluation(rows, {"comparison": pairs}), validation, ACCURACY, **kwargs)


NAIVE = pair("majority class", 0.4, 0.45)


@pytest.mark.parametrize(
    ("low", "high", "chosen", "words"),
    [
        (0.01, 0.03, "m", "it is 2.00 points above the n-grams (95 % interval +1.00 to +3.00): it earns its time"),
        (-0.01, 0.02, "n-grams", "cannot be told apart"),
        (-0.03, -0.01, "n-grams", "use the n-grams"),
    ],
)
def test_the_model_is_shipped_where_chance_does_not_explain_its_lead_on_validation(low, high, chosen, words):
    told = found(ROWS, [NAIVE, pair("n-grams", 0.005, 0.035)], [NAIVE, pair("n-grams", low, high)])
    assert told.chosen == chosen
    assert words in told.text
    assert "the trained model is right in 92.00% of the texts, 2.00 points above the n-grams" in told.text
    kept = found(ROWS, [NAIVE, pair("n-grams", low, high)], candidate="model")
    assert kept.chosen == "m"
    assert (chosen == "m") == ("as export.candidate asks" not in kept.text)


@pytest.mark.parametrize(
    ("low", "high", "chosen", "words"),
    [
        (-0.013, -0.005, "m", "not tell the two apart. It is at a log loss of 0.2000, 0.0090 below the n-grams"),
        (-0.013, 0.005, "n-grams", "the two cannot be told apart"),
        (0.005, 0.013, "n-grams", "0.0090 above the n-grams (95 % interval +0.0050 to +0.0130): use the n-grams."),
    ],
)
def test_of_two_that_are_right_about_equally_often_the_one_of_lower_log_loss_is_shipped(low, high, chosen, words):
    rows = [row | {"log_loss": loss} for row, loss in zip(ROWS, (0.69, 0.209, 0.2), strict=True)]
    pairs = [NAIVE, pair("n-grams", -0.01, 0.02)]
    part = Evaluation(rows, {"comparison": pairs, "log_losses": [pair("n-grams", low, high)]})
    told = verdict(part, part, ACCURACY, closer=LOG_LOSS)
    assert told.chosen == chosen
    assert words in told.text
    sure = Evaluation(rows, part.details | {"comparison": [NAIVE, pair("n-grams", 0.01, 0.03)]})
    assert verdict(part, sure, ACCURACY, closer=LOG_LOSS).chosen == "m", "right oftener, surely"


def test_two_that_are_right_equally_often_are_said_to_be():
    told = found(ROWS, [NAIVE, pair("n-grams", -0.01, 0.01)])
    assert "level with the n-grams (95 % interval -1.00 to +1.00)" in told.text


def test_a_model_no_better_than_the_commonest_class_must_not_be_used():
    rows = [row("majority class", 0.6), row("m", 0.6, "model")]
    assert "must not be used" in found(rows, [pair("majority class", -0.01, 0.01)]).text
    other = found([rows[0], row("n-grams", 0.9), rows[1]], [pair("majority class", -0.01, 0.01), NAIVE])
    assert other.chosen == "n-grams"


def test_of_a_loss_the_lower_one_is_better():
    nats = Measure("loss", -1, "{:.3f} nats".format, "{:.3f}".format, "{:+.3f}".format, "counting")
    rows = [{"name": n, "role": "baseline", "loss": v, "seconds": 1.0} for n, v in (("unigram", 3.3), ("n-grams", 1.7))]
    rows.append({"name": "m", "role": "model", "loss": 1.5, "seconds": 60.0})
    pairs = [pair("unigram", -1.9, -1.7), pair("n-grams", -0.25, -0.15)]
    part = Evaluation(rows, {"comparison": pairs})
    told = verdict(part, part, nats)
    assert told.chosen == "m" and "0.200 below the n-grams (95 % interval -0.250 to -0.150)" in told.text


class TestEvaluator:
    DATA = prepared(reviews(300, films=100), longest=48, buckets=[])

    def of(self, **model):
        return SequenceModel.for_task(model, classes=2, vocabulary=self.DATA.transform.size)

    def test_the_majority_class_is_said_whatever_the_threshold(self):
        counts = np.array([60, 40])
        majority = Candidate("majority class", "baseline", Majority(counts))
        ClassifyEvaluator(self.DATA).calibrate([majority], 0.2)
        said = majority.calibration.decide(majority.calibration.probabilities(majority.predictor.logits(5)))
        assert said.tolist() == [0] * 5

    def test_a_model_with_weights_for_one_length_is_evaluated_explained_and_served(self):
        model = self.of(
            embedding={"kind": "token", "units": 4},
            encoder=[{"kind": "mixer"}],
            pooling={"kind": "mean"},
            head={"kind": "classify"},
        )
        model(np.zeros((2, 48), "int32") + 1)
        candidate = Candidate("m", "model", model)
        evaluator = ClassifyEvaluator(self.DATA)
        evaluator.calibrate([candidate], 0.5)
        told = evaluator.shipped(candidate)
        assert told["mistakes"] and all(mistake["words"] for mistake in told["mistakes"])
        servable = TextServable("t", candidate, self.DATA)
        texts = self.DATA.texts("test")
        served = servable.serve({"text": tf.constant(texts)})["probabilities"]
        expected = candidate.calibration.probabilities(evaluator.logits(candidate, "test"))
        np.testing.assert_allclose(served, expected, atol=1e-5)

    def test_a_word_is_blamed_by_how_far_the_log_odds_fall_without_it(self):
        """Also where the model is so sure that its probability is 1 in float64."""

        class Sums(SequenceModel):
            def call(self, ids, training=False):
                hits = tf.reduce_sum(tf.cast(ids == 2, tf.float32), 1)
                return tf.stack([0 * hits, 100.0 * hits], 1)

        model = Sums(embedding={"kind": "token", "vocabulary": 9, "units": 1}, head={"kind": "classify", "classes": 2})
        candidate = Candidate("m", "model", model, calibration=Calibration(temperature=2.0))
        found = ClassifyEvaluator(self.DATA)._words(candidate, np.array([2, 3, 2]), 1)
        vocabulary = self.DATA.transform.vocabulary
        assert found == [{"word": vocabulary[0], "weight": 100.0}, {"word": vocabulary[1], "weight": 0.0}]

    def test_a_word_of_several_pieces_is_blamed_as_one(self):
        class Last(SequenceModel):
            def call(self, ids, training=False):
                hits = tf.reduce_sum(tf.cast(ids == 3, tf.float32), 1)
                return tf.stack([0 * hits, hits], 1)

        model = Last(embedding={"kind": "token", "vocabulary": 9, "units": 1}, head={"kind": "classify", "classes": 2})
        pieces = TextTransform("subwords", True, 9, "end", ("help", "##ful", "##s"), ("help ##ful",))
        data = dataclasses.replace(self.DATA, transform=pieces)
        ids = pieces.ids_numpy(["fuls help helpful helpful"])[0]
        found = ClassifyEvaluator(data)._words(Candidate("m", "model", model, calibration=Calibration()), ids, 1)
        assert found == [{"word": "helpful", "weight": 2.0}, {"word": "help", "weight": 0.0}]

    def test_a_device_reads_both_ends_of_a_text_that_is_too_long_for_it(self):
        model = self.of(embedding={"kind": "token", "units": 2}, pooling={"kind": "mean"}, head={"kind": "classify"})
        data = prepared(reviews(300, films=100, longest=60))
        servable = TextServable("t", Candidate("m", "model", model, calibration=Calibration()), data)
        assert servable.device_length == 64
        servable.device_length = 16
        ids = servable.device().examples(1000, 0)[0]["ids"]
        whole = data.ids("test")
        assert "(1, 16), by the transform with `longest` 16" in servable.contract()["device"]["ids"]
        assert ids.shape == (len(whole), 16)
        np.testing.assert_array_equal(ids[-1], [*whole[-1][:8], *whole[-1][-8:]])
        np.testing.assert_array_equal(ids[0], np.pad(whole[0], (0, 16 - len(whole[0]))))

    def test_what_is_served_says_the_second_class_from_the_threshold_on(self):
        model = self.of(embedding={"kind": "token", "units": 2}, pooling={"kind": "mean"}, head={"kind": "classify"})
        probabilities = tf.constant([[0.7, 0.3], [0.9, 0.1], [0.75, 0.25]])
        for threshold, labels, scores in [(0.25, [1, 0, 1], [0.3, 0.9, 0.25]), (None, [0, 0, 0], [0.7, 0.9, 0.75])]:
            calibration = Calibration(threshold=threshold)
            servable = TextServable("t", Candidate("m", "model", model, calibration=calibration), self.DATA)
            found = servable.labelled(probabilities)
            assert [label.decode() for label in found["label"].numpy()] == [self.DATA.classes[i] for i in labels]
            np.testing.assert_allclose(found["score"], scores)
            assert calibration.decide(probabilities.numpy()).tolist() == labels
