"""What tells how good a classifier is: intervals, calibration, comparison text by text, curves over thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn import metrics

#: 97.5 % quantile of the normal distribution, of 95 % intervals.
Z = 1.959964
#: Bins of equal width of the reliability diagram.
BINS = 10
#: Points a curve keeps at most.
POINTS = 200
#: Temperatures that are tried; sums of log ratios over a long text can be hundreds too large.
LEAST_T, MOST_T = 0.02, 1000.0


def per_class(classes: Sequence[str], truth: np.ndarray, said: np.ndarray) -> list[dict[str, Any]]:
    """Precision, recall, F1 and count of each class; None where no text is called the class, or none is of it."""
    found = []
    for number, name in enumerate(classes):
        hits, called, count = (
            int(a.sum()) for a in ((said == number) & (truth == number), said == number, truth == number)
        )
        found.append(
            {
                "class": name,
                "precision": hits / called if called else None,
                "recall": hits / count if count else None,
                "f1": 2 * hits / (called + count) if count else None,
                "count": count,
            }
        )
    return found


def wilson(right: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    share, z2 = right / count, Z * Z / count
    middle, half = share + z2 / 2, Z * np.sqrt(share * (1 - share) / count + z2 / (4 * count))
    return float((middle - half) / (1 + z2)), float((middle + half) / (1 + z2))


def paired(name: str, ours: np.ndarray, theirs: np.ndarray) -> dict[str, Any]:
    """How much more often `ours` is right than `theirs`, and the 95 % interval of it over the same texts.

    The interval is that of Agresti and Min (2005), with half a text more in each of the four cells, so that few texts,
    or none of which only one is right, give no certainty.
    """
    better, worse, count = int((ours & ~theirs).sum()), int((theirs & ~ours).sum()), len(ours)
    middle = (better - worse) / (count + 2)
    half = Z * float(np.sqrt((better + worse + 1) / (count + 2) - middle**2) / np.sqrt(count + 2))
    return {
        "name": name,
        "difference": (better - worse) / count,
        "low": max(-1.0, middle - half),
        "high": min(1.0, middle + half),
        "better": better,
        "worse": worse,
    }


def reliability(probabilities: np.ndarray, truth: np.ndarray) -> list[dict[str, Any]]:
    """Texts by the confidence in what is said of them, in bins of equal width: mean confidence, accuracy, count."""
    said = probabilities.argmax(-1)
    confidence = probabilities[np.arange(len(said)), said]
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return [
        {
            "confidence": float(confidence[bins == b].mean()),
            "accuracy": float((said == truth)[bins == b].mean()),
            "count": int((bins == b).sum()),
        }
        for b in range(BINS)
        if (bins == b).any()
    ]


def calibration_error(bins: list[dict[str, Any]]) -> float:
    """The expected calibration error: |confidence − accuracy|, the mean over texts (Naeini et al. 2015)."""
    count = sum(b["count"] for b in bins)
    return sum(b["count"] * abs(b["confidence"] - b["accuracy"]) for b in bins) / count


def temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    """The T of least log loss (Guo et al. 2017).

    Of a class of n texts the target is (n + 1) / (n + 2), not 1 (Platt 1999): where all of few texts are right, they do
    not say that everything will be.
    """
    count, classes = np.bincount(truth, minlength=logits.shape[1]), logits.shape[1]
    spared = 1 / (count[truth] + 2)[:, None]
    target = np.where(np.arange(classes) == truth[:, None], 1 - spared, spared / (classes - 1))

    def loss(log_t: float) -> float:
        return -float((target * log_softmax(logits.astype(np.float64) / np.exp(log_t), axis=-1)).sum(-1).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(np.log(LEAST_T), np.log(MOST_T)), method="bounded").x))


def best_threshold(scores: np.ndarray, truth: np.ndarray) -> float:
    """The threshold of highest accuracy, the nearest to a half of equals."""
    tried = np.linspace(0.02, 0.98, 97)
    accuracy = np.array([((scores >= t) == truth).mean() for t in tried])
    best = tried[accuracy == accuracy.max()]
    return float(best[np.argmin(np.abs(best - 0.5))])


def roc(truth: np.ndarray, scores: np.ndarray) -> dict[str, Any]:
    x, y, _ = metrics.roc_curve(truth, scores)
    return {"points": _thinned(x, y), "area": float(metrics.auc(x, y))}


def precision_recall(truth: np.ndarray, scores: np.ndarray) -> dict[str, Any]:
    precision, recall, _ = metrics.precision_recall_curve(truth, scores)
    area = float(metrics.average_precision_score(truth, scores))
    return {"points": _thinned(recall[::-1], precision[::-1]), "area": area}


def _thinned(x: np.ndarray, y: np.ndarray) -> list[list[float]]:
    kept = np.unique(np.linspace(0, len(x) - 1, min(POINTS, len(x))).round().astype(int))
    return [[float(x[i]), float(y[i])] for i in kept]
