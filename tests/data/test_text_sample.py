"""The built-in reviews: the same each time, balanced, and harder for words than for their pairs."""

from __future__ import annotations

import numpy as np

from data.text_options import TextOptions
from data.text_sample import FILMS, ROWS, sample
from data.texts import TextData
from data.transforms.text import TextTransform


def accuracy(longest: int) -> float:
    """Of naive Bayes on n-grams, fitted on half of the films."""
    frame, _ = sample()
    split = TextTransform.fit([], TextOptions()).words_of
    held = frame["film"].isin(sorted(set(frame["film"]))[::2]).to_numpy()
    positive = (frame["label"] == "positive").to_numpy()
    grams = []
    for text in frame["text"]:
        words = split(text)
        grams.append({tuple(words[i : i + n]) for n in range(1, longest + 1) for i in range(len(words) - n + 1)})
    number = {g: i for i, g in enumerate(sorted(set().union(*grams)))}
    counts = np.zeros((len(grams), len(number)))
    for row, found in enumerate(grams):
        counts[row, [number[g] for g in found]] = 1
    rates = [(1 + counts[~held & (positive == p)].sum(axis=0)) / (2 + (~held & (positive == p)).sum()) for p in (0, 1)]
    guess = counts @ np.log(rates[1] / rates[0]) > 0
    return float((guess == positive)[held].mean())


def test_the_sample_is_marked_and_the_same_each_time():
    (frame, source), (again, other) = sample(), sample()
    assert source.sample
    assert source == other
    assert frame.equals(again)
    assert (len(frame), frame["film"].nunique()) == (ROWS, FILMS)
    assert 0.45 < (frame["label"] == "positive").mean() < 0.55


def test_pairs_of_words_tell_more_than_words_and_nothing_is_perfect():
    words, grams = accuracy(1), accuracy(3)
    assert 0.6 < words < grams - 0.05
    assert grams < 0.97


def test_the_sample_is_prepared_without_a_word_of_advice():
    data = TextData.prepare(*sample(), TextOptions())
    assert (data.options.text, data.options.label, data.options.group) == ("text", "label", "film")
    assert data.classes == ("negative", "positive")
    assert all(check.passed for check in data.checks)
