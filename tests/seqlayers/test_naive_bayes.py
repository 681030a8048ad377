"""Naive Bayes is its equation over the different n-grams of a text, by counting alone or weighed by a regression."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from seqlayers import slots
from seqlayers.embedding import ngram_buckets
from seqlayers.embedding.ngrams import HASHES
from seqlayers.errors import ConfigurationError
from seqlayers.model import SequenceModel
from seqlayers.testing import equal

VOCABULARY, BUCKETS = 30, 2**21


def texts(seed, count=60, classes=2, time=14):
    """Texts whose words lean towards their class, padded with zeros."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, count).astype("int32")
    ids = rng.integers(1, VOCABULARY, (count, time))
    leaning = 1 + labels[:, None] + classes * rng.integers(0, 5, (count, time))
    ids = np.where(rng.random((count, time)) < 0.25, leaning, ids)
    lengths = rng.integers(1, time + 1, count)
    return np.where(np.arange(time) < lengths[:, None], ids, 0).astype("int32"), labels


def batches(ids, labels, size=16):
    return [(ids[i : i + size], labels[i : i + size]) for i in range(0, len(ids), size)]


def head(classes=2, **settings):
    given = {
        "kind": "naive_bayes",
        "classes": classes,
        "vocabulary": VOCABULARY,
        "buckets": BUCKETS,
        "fewest": 1,
        "longest": 3,
        **settings,
    }
    return slots.build("head", given, "model.head")


def adapted(classes=2, count=60, **settings):
    layer, train, validation = head(classes, **settings), texts(0, count, classes), texts(1, 40, classes)
    layer.adapt(batches(*train), batches(*validation))
    return layer, train, validation


def grams(ids, longest=3):
    """The different n-grams of a text, as they stand in it, and their hashes."""
    words, hashes = [int(i) for i in ids if i], ngram_buckets(ids[ids != 0], longest, HASHES)
    ends = [(end, n) for n in range(1, longest + 1) for end in range(n, len(words) + 1)]
    return {tuple(words[end - n : end]): int(hashes[end - 1, n - 1]) for end, n in ends}


def presence(ids, training, longest=3):
    """(texts, n-grams of training) of zeros and ones, the n-grams by themselves and not by any hash."""
    columns = {gram: i for i, gram in enumerate(sorted(set().union(*(grams(row, longest) for row in training))))}
    found = np.zeros((len(ids), len(columns)))
    for row, text in zip(found, ids, strict=True):
        row[[columns[gram] for gram in grams(text, longest) if gram in columns]] = 1
    return found


def logits(z):
    """Of two classes −z/2, z/2."""
    return np.stack([-z / 2, z / 2], axis=-1) if z.ndim == 1 else z


def paper(x, y, smoothing):
    """(r, b) of Wang and Manning 2012, equation by equation, in float64."""
    p, q = smoothing + x[y == 1].sum(0), smoothing + x[y == 0].sum(0)
    return np.log((p / np.abs(p).sum()) / (q / np.abs(q).sum())), np.log((y == 1).sum() / (y == 0).sum())


@pytest.mark.parametrize("smoothing", [1.0, 0.25])
@pytest.mark.parametrize("longest", [1, 3])
def test_two_classes_by_ratios_alone_are_the_papers_equation(smoothing, longest):
    layer, (ids, labels), (new, _) = adapted(solve="ratios", smoothing=smoothing, longest=longest)
    r, b = paper(presence(ids, ids, longest), labels, smoothing)
    equal(layer(new), logits(presence(new, ids, longest) @ r + b), "the logits", tolerance=1e-5)


def test_more_classes_by_ratios_alone_are_multinomial_naive_bayes():
    layer, (ids, labels), (new, _) = adapted(classes=4, solve="ratios")
    x = presence(ids, ids)
    joint = np.zeros((len(new), 4))
    for c in range(4):
        count = 1.0 + x[labels == c].sum(0)
        joint[:, c] = np.log(np.mean(labels == c)) + presence(new, ids) @ np.log(count / count.sum())
    expected = np.exp(joint) / np.exp(joint).sum(axis=1, keepdims=True)
    equal(layer.predict(layer(new)), expected, "the probabilities")


def test_each_ngram_counts_once_and_padding_changes_nothing():
    layer, _, _ = adapted(solve="ratios", longest=2)
    once, again = np.array([[3, 4, 3, 4]], "int32"), np.array([[3, 4, 3, 4, 3, 4, 3]], "int32")
    assert grams(once[0], 2).keys() == grams(again[0], 2).keys()
    equal(layer(again), layer(once), "the same n-grams more often", tolerance=1e-6)
    equal(layer(np.pad(once, ((0, 0), (0, 9)))), layer(once), "padding")
    mask = np.arange(7) < 4
    equal(layer(again, mask=keras.ops.convert_to_tensor(mask[None])), layer(again[:, :4]), "a mask")
    table, rest = np.asarray(layer.table, np.float64), np.asarray(layer.rest)
    seen = [h for h in grams(once[0], 2).values() if rest[h % BUCKETS] == h // BUCKETS]
    assert len(seen) >= 2
    equal(layer(once)[0, 1] * 2, sum(table[h % BUCKETS] for h in seen) + np.asarray(layer.offset), "the sum")


@pytest.mark.parametrize("fewest", [1, 3])
def test_a_bucket_belongs_to_the_ngram_in_the_most_texts_and_to_no_other(fewest):
    layer, (ids, _), (new, _) = adapted(solve="ratios", buckets=101, fewest=fewest)
    texts_of: dict[int, int] = {}
    for row in ids:
        for h in grams(row).values():
            texts_of[h] = texts_of.get(h, 0) + 1
    rest, table = np.asarray(layer.rest), np.asarray(layer.table, np.float64)
    for bucket in range(101):
        rivals = {h: n for h, n in texts_of.items() if h % 101 == bucket and n >= fewest}
        owner = bucket + 101 * int(rest[bucket])
        assert rivals[owner] == max(rivals.values()) if rivals else (rest[bucket], table[bucket]) == (-1, 0)
    expected = [sum(table[h % 101] for h in grams(row).values() if rest[h % 101] == h // 101) for row in new]
    equal(layer(new), logits(np.array(expected) + np.asarray(layer.offset)), "it")
    assert len(texts_of) > 300, "rivals that are to count for nothing"


def test_the_regression_is_that_of_scikit_learn_on_the_weighted_features():
    linear = pytest.importorskip("sklearn.linear_model")
    layer, (ids, labels), (new, _) = adapted(strengths=[0.5])
    x = presence(ids, ids)
    r, _ = paper(x, labels, 1.0)
    model = linear.LogisticRegression(C=2.0, tol=1e-8, max_iter=1000).fit(x * r, labels)
    equal(layer(new), logits(model.decision_function(presence(new, ids) * r)), "it", tolerance=0.03)


def test_the_strength_is_that_of_the_lowest_loss_on_validation():
    strengths = [100.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.01]
    layer, _, (new, labels) = adapted(strengths=strengths[::-1])
    tried = [strength for strength, _ in layer.tried]
    assert tried == strengths[: len(tried)] and layer.strength == min(layer.tried, key=lambda pair: pair[1])[0]
    assert layer.strength == tried[-2], "the search ends where validation gains no more"
    for strength, loss in layer.tried:
        alone, _, _ = adapted(strengths=[strength])
        equal(np.mean(alone.loss(labels, alone(new))), loss, f"λ = {strength}", tolerance=2e-3)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("solve", ["logistic", "ratios"])
def test_it_learns_what_texts_lean_on(classes, solve):
    layer, _, _ = adapted(classes, count=600, solve=solve)
    ids, labels = texts(2, 300, classes)
    assert np.mean(np.argmax(layer(ids), axis=-1) == labels) > (0.7 if classes == 2 else 0.55)


@pytest.mark.parametrize("classes", [2, 3])
def test_by_gradient_it_starts_at_scaled_ratios_and_trains_on(classes):
    task = {"classes": classes, "vocabulary": VOCABULARY}
    model = SequenceModel.for_task(
        {"head": {"kind": "naive_bayes", "fewest": 1, "longest": 3, "buckets": BUCKETS, "solve": "gradient"}}, **task
    )
    (ids, labels), (new, truth) = texts(0, 60, classes), texts(1, 40, classes)
    model(ids)
    model.adapt(batches(ids, labels), batches(new, truth))
    counted, _, _ = adapted(classes, solve="ratios")
    factor = np.asarray(model.head.table).max() / np.asarray(counted.table).max()
    equal(model(new), factor * np.asarray(counted(new)), "scaled ratios")
    around = [np.mean(model.loss_function(truth, f * counted(new))) for f in (0.9 * factor, factor, 1.1 * factor)]
    assert np.argmin(around) == 1, "the scale is the likeliest on validation"
    assert model.needs_fit and not model.rows[0].solved
    model.compile(keras.optimizers.Adam(0.01), model.loss_function)
    losses = model.fit(ids, labels, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_a_text_of_ngrams_that_training_has_not_has_the_odds_of_the_classes():
    layer = head(solve="ratios", buckets=2**20)
    ids, labels = np.array([[1, 2], [1, 3], [2, 0]], "int32"), np.array([1, 1, 0])
    layer.adapt(batches(ids, labels), batches(ids, labels))
    equal(layer(np.array([[20, 21]], "int32")), logits(np.log([2.0])), "the odds")


def test_a_solution_survives_saving(tmp_path):
    model = SequenceModel.for_task(
        {"head": {"kind": "naive_bayes", "buckets": BUCKETS}}, classes=3, vocabulary=VOCABULARY
    )
    train, (new, labels) = texts(0, 60, 3), texts(1, 40, 3)
    model.adapt(batches(*train), batches(new, labels))
    assert not model.needs_fit and np.isfinite(model(new)).all()
    model.save(tmp_path / "model.keras")
    equal(keras.saving.load_model(tmp_path / "model.keras")(new), model(new), "loaded", tolerance=0)


def test_before_it_is_solved_nothing_looks_like_a_class():
    assert np.isnan(head()(texts(0)[0])).all()


def test_an_unknown_id_is_refused_or_spoils_its_text_alone():
    layer, (ids, _), _ = adapted(solve="ratios")
    wrong = ids[:3].copy()
    wrong[1, 0] = VOCABULARY
    with pytest.raises(ValueError, match=r"head 'naive_bayes' has a vocabulary of 30, ids 0 to 29.*the id 30"):
        layer(wrong)
    tf = pytest.importorskip("tensorflow")
    y = tf.function(layer)(tf.constant(wrong)).numpy()
    assert np.isnan(y).any(axis=1).tolist() == [False, True, False]
    equal(y[::2], layer(ids[:3:2]), "the others")


def test_what_cannot_be_solved_is_refused_with_the_reason():
    good = batches(*texts(0))
    with pytest.raises(ValueError, match="no validation texts"):
        head().adapt(good, [])
    with pytest.raises(ValueError, match="no n-gram is in 99 training texts"):
        head(fewest=99).adapt(good, good)
    with pytest.raises(ValueError, match="no training text is of class 2"):
        head(3).adapt(good, good)
    with pytest.raises(ValueError, match="takes as targets the ids 0 … 1"):
        head().adapt([(texts(0)[0], np.full(60, 2))], good)
    with pytest.raises(ValueError, match="takes ids, whole numbers"):
        head()(np.zeros((2, 5, 3), "float32"))
    with pytest.raises(ConfigurationError, match=r"model\.head\.strengths: \[\] given"):
        head(strengths=[])


def test_nothing_may_stand_before_it():
    row = {"embedding": {"kind": "token", "units": 4}, "head": {"kind": "naive_bayes"}}
    with pytest.raises(ConfigurationError, match=r"'naive_bayes' is counted from the ids.*embedding 'token' stands"):
        SequenceModel.for_task(row, classes=2, vocabulary=5)
