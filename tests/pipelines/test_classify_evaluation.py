"""Figures of classifiers: intervals, calibration, comparison text by text, and the words behind a mistake."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from pipelines.tasks.classify_evaluation import (
    Calibration,
    _best_threshold,
    _temperature,
    calibration_error,
    paired,
    reliability,
    wilson,
)
from pipelines.tasks.classify_verdict import verdict


def test_wilsons_interval_is_that_of_his_paper():
    """10 of 20: (0.2993, 0.7007), as in Newcombe 1998's method 3; nought of ten ends at 0.2775."""
    assert wilson(10, 20) == pytest.approx((0.2993, 0.7007), abs=1e-4)
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)


def test_the_difference_is_taken_text_by_text():
    ours, theirs = np.array([1, 1, 1, 0, 1, 0], bool), np.array([1, 0, 0, 1, 1, 0], bool)
    found = paired("other", ours, theirs)
    assert (found["better"], found["worse"]) == (2, 1)
    assert found["difference"] == pytest.approx(1 / 6)
    spread = np.sqrt((3 / 6 - (1 / 6) ** 2) / 6)  # (b + c)/n − ((b − c)/n)², over n
    assert found["high"] - found["low"] == pytest.approx(2 * 1.959964 * spread)


def test_the_temperature_is_the_one_that_was_hidden():
    draw = np.random.default_rng(0)
    z = draw.normal(0, 2, 20_000)
    truth = (draw.random(20_000) < expit(z)).astype(int)
    assert _temperature(np.stack([0 * z, 3.0 * z], 1), truth) == pytest.approx(3.0, rel=0.05)


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
    chosen = _best_threshold(scores, truth)
    assert 0.6 < chosen <= 0.62
    assert Calibration(threshold=chosen).decide(np.stack([1 - scores, scores], 1)).tolist() == truth.tolist()
    assert Calibration().decide(np.array([[0.4, 0.35, 0.25]])).tolist() == [0]


def row(name, accuracy, role="baseline", seconds=10.0):
    return {"name": name, "role": role, "accuracy": accuracy, "seconds": seconds}


def pair(name, low, high):
    return {"name": name, "difference": (low + high) / 2, "low": low, "high": high, "better": 1, "worse": 1}


ROWS = [row("majority class", 0.5), row("n-grams", 0.9), row("m", 0.92, "model", 60.0)]


@pytest.mark.parametrize(
    ("low", "high", "chosen", "words"),
    [
        (0.01, 0.03, "m", "earns its time: right in 92.00% of the texts, 2.00 points above the n-grams"),
        (-0.01, 0.02, "n-grams", "cannot be told apart"),
        (-0.03, -0.01, "n-grams", "Use the n-grams"),
    ],
)
def test_the_model_is_shipped_where_chance_does_not_explain_its_lead(low, high, chosen, words):
    found = verdict(ROWS, [pair("majority class", 0.4, 0.45), pair("n-grams", low, high)])
    assert found.chosen == chosen
    assert words in found.text
    kept = verdict(ROWS, [pair("majority class", 0.4, 0.45), pair("n-grams", low, high)], "model")
    assert kept.chosen == "m"
    assert (chosen == "m") == ("as export.candidate asks" not in kept.text)


def test_a_model_no_better_than_the_commonest_class_must_not_be_used():
    rows = [row("majority class", 0.6), row("m", 0.6, "model")]
    found = verdict(rows, [pair("majority class", -0.01, 0.01)])
    assert "must not be used" in found.text
