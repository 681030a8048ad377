"""Candidates of a classify run: calibrated on the validation part, judged on any part, their mistakes explained."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn import metrics

from data.texts import TextData
from pipelines.evaluate import skill
from pipelines.task import Candidate, Evaluation
from seqlayers.model import SequenceModel

#: Texts a batch.
BATCH = 256
#: 97.5 % quantile of the normal distribution, of 95 % intervals.
Z = 1.959964
#: Bins of equal width of the reliability diagram.
BINS = 10
#: Points a curve keeps at most.
POINTS = 200
#: Mistakes told, and the words of each that are.
MISTAKES, WORDS = 8, 12
#: Different words of a mistake that are tried.
TRIED = 400


class Majority:
    """Always the share that each class has in training."""

    def __init__(self, counts: np.ndarray):
        self.shares = (counts + 1) / (counts + 1).sum()

    def logits(self, count: int) -> np.ndarray:
        return np.tile(np.log(self.shares), (count, 1))


@dataclasses.dataclass(frozen=True)
class Calibration:
    """Found on the validation part: probabilities are softmax(z / temperature), and of two classes the second is said
    from `threshold` on; None: the likelier."""

    temperature: float = 1.0
    threshold: float | None = None

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        return np.exp(log_softmax(logits.astype(np.float64) / self.temperature, axis=-1))

    def decide(self, probabilities: np.ndarray) -> np.ndarray:
        if self.threshold is None:
            return probabilities.argmax(-1)
        return (probabilities[:, 1] >= self.threshold).astype(int)


class ClassifyEvaluator:
    """What is asked of the candidates once they are fitted; each one's logits of a part are computed once.

    Args:
        data: the prepared data.
    """

    def __init__(self, data: TextData):
        self.data = data
        self._logits: dict[tuple[int, str], np.ndarray] = {}

    @property
    def binary(self) -> bool:
        return len(self.data.classes) == 2

    def logits(self, candidate: Candidate, part: str) -> np.ndarray:
        """(texts, classes) in the part's order."""
        key = id(candidate.predictor), part
        if key not in self._logits:
            self._logits[key] = self._predict(candidate.predictor, part)
        return self._logits[key]

    def _predict(self, predictor: Any, part: str) -> np.ndarray:
        if not isinstance(predictor, SequenceModel):
            return predictor.logits(self.data.count(part))
        fixed = any("dynamic_time" in kind.refusals() for kind in predictor.kinds())
        specs = [tf.TensorSpec([None, self.data.options.longest if fixed else None], tf.int32)]
        graph = tf.function(lambda ids: predictor(ids, training=False), input_signature=specs, autograph=False)
        found = [graph(ids).numpy() for ids, _ in self.data.dataset(part, BATCH)]
        return np.concatenate(found)

    def calibrate(self, candidates: Sequence[Candidate], threshold: float | str) -> None:
        """Each candidate's temperature by validation log loss, and its threshold (`auto`: by validation accuracy)."""
        truth = self.data.labels("validation")
        for candidate in candidates:
            logits = self.logits(candidate, "validation")
            found = Calibration(_temperature(logits, truth))
            if self.binary and threshold != 0.5:
                chosen = _best_threshold(found.probabilities(logits)[:, 1], truth) if threshold == "auto" else threshold
                found = dataclasses.replace(found, threshold=float(chosen))
            candidate.calibration = found

    def evaluate(self, part: str, candidates: Sequence[Candidate]) -> Evaluation:
        truth = self.data.labels(part)
        said: dict[str, np.ndarray] = {}
        rows: list[dict[str, Any]] = []
        for candidate in candidates:
            probabilities = candidate.calibration.probabilities(self.logits(candidate, part))
            said[candidate.name] = candidate.calibration.decide(probabilities)
            rows.append(self._row(candidate, truth, probabilities, said[candidate.name]))
        for row in rows:
            row["skill"] = skill(row["error"], rows[0]["error"])
        model = candidates[-1].name
        details = {
            "best_naive": candidates[0].name,
            "comparison": [paired(c.name, said[model] == truth, said[c.name] == truth) for c in candidates[:-1]],
            "without_shared": self._without_shared(part, truth, said),
            "roc": self._curves(candidates, part, truth, _roc),
            "precision_recall": self._curves(candidates, part, truth, _precision_recall),
        }
        return Evaluation(rows, details)

    def _row(self, candidate: Candidate, truth: np.ndarray, probabilities: np.ndarray, said: np.ndarray) -> dict:
        right = said == truth
        low, high = wilson(int(right.sum()), len(right))
        classes = np.arange(len(self.data.classes))
        return {
            "name": candidate.name,
            "role": candidate.role,
            "accuracy": float(right.mean()),
            "accuracy_low": low,
            "accuracy_high": high,
            "error": float(1 - right.mean()),
            "log_loss": float(metrics.log_loss(truth, probabilities, labels=classes)),
            "f1": float(metrics.f1_score(truth, said, labels=classes, average="macro", zero_division=0)),
            "auc": float(metrics.roc_auc_score(truth, probabilities[:, 1])) if self._both(truth) else None,
            "ece": calibration_error(reliability(probabilities, truth)),
            "seconds": candidate.seconds,
        }

    def _both(self, truth: np.ndarray) -> bool:
        return self.binary and 0 < truth.mean() < 1

    def _without_shared(self, part: str, truth: np.ndarray, said: Mapping[str, np.ndarray]) -> dict[str, Any] | None:
        """Accuracy on the test texts that did not also stand in the training file."""
        if part != "test" or not self.data.also_in_train.any():
            return None
        kept = ~self.data.also_in_train
        found = {name: float((labels == truth)[kept].mean()) for name, labels in said.items()}
        return {"rows": int(kept.sum()), "accuracy": found}

    def _curves(self, candidates: Sequence[Candidate], part: str, truth: np.ndarray, curve: Any) -> Any:
        if not self._both(truth):
            return None
        return {c.name: curve(truth, c.calibration.probabilities(self.logits(c, part))[:, 1]) for c in candidates[1:]}

    def shipped(self, candidate: Candidate) -> dict[str, Any]:
        """What the report tells of the candidate that is shipped: calibration, confusion, mistakes."""
        truth, logits = self.data.labels("test"), self.logits(candidate, "test")
        calibration: Calibration = candidate.calibration
        probabilities = calibration.probabilities(logits)
        said = calibration.decide(probabilities)
        classes = np.arange(len(self.data.classes))
        before, after = (reliability(p, truth) for p in (Calibration().probabilities(logits), probabilities))
        precision, recall, f1, count = metrics.precision_recall_fscore_support(
            truth, said, labels=classes, zero_division=0
        )
        return {
            "temperature": calibration.temperature,
            "reliability": {
                "before": before,
                "after": after,
                "ece_before": calibration_error(before),
                "ece_after": calibration_error(after),
            },
            "threshold": self._threshold(candidate),
            "confusion": {
                "classes": list(self.data.classes),
                "matrix": metrics.confusion_matrix(truth, said, labels=classes).tolist(),
            },
            "per_class": [
                {"class": name, "precision": float(p), "recall": float(r), "f1": float(f), "count": int(n)}
                for name, p, r, f, n in zip(self.data.classes, precision, recall, f1, count, strict=True)
            ],
            "mistakes": self._mistakes(candidate, truth, probabilities, said),
        }

    def _threshold(self, candidate: Candidate) -> dict[str, Any] | None:
        """How accuracy, precision and recall of the second class move with the threshold, on the validation part."""
        truth = self.data.labels("validation")
        if not self._both(truth):
            return None
        calibration: Calibration = candidate.calibration
        scores = calibration.probabilities(self.logits(candidate, "validation"))[:, 1]
        curve = []
        for threshold in np.linspace(0.02, 0.98, 49):
            said = scores >= threshold
            hits = float((said & (truth == 1)).sum())
            curve.append(
                {
                    "threshold": float(threshold),
                    "accuracy": float((said == truth).mean()),
                    "precision": hits / said.sum() if said.any() else None,
                    "recall": hits / float((truth == 1).sum()),
                }
            )
        chosen = 0.5 if calibration.threshold is None else calibration.threshold
        best = _best_threshold(scores, truth)
        by = "the likelier class"
        if calibration.threshold is not None:
            by = "the highest validation accuracy" if chosen == best else "as the configuration sets it"
        return {"chosen": chosen, "best": best, "by": by, "curve": curve}

    def _mistakes(
        self, candidate: Candidate, truth: np.ndarray, probabilities: np.ndarray, said: np.ndarray
    ) -> list[dict[str, Any]]:
        """The mistakes made with most confidence, and the words that drove them."""
        confidence = probabilities[np.arange(len(said)), said]
        wrong = np.flatnonzero(said != truth)
        worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:MISTAKES]
        texts, ids = self.data.texts("test"), self.data.ids("test")
        return [
            {
                "text": texts[i],
                "label": self.data.classes[truth[i]],
                "predicted": self.data.classes[said[i]],
                "confidence": float(confidence[i]),
                "words": self._words(candidate, ids[i], int(said[i])),
            }
            for i in worst
        ]

    def _words(self, candidate: Candidate, ids: np.ndarray, said: int) -> list[dict[str, Any]]:
        """By how much the log-odds of what was said fall when a word is made unknown wherever it stands."""
        if not isinstance(candidate.predictor, SequenceModel):
            return []
        different = np.unique(ids[ids > 1])[:TRIED]
        variants = np.stack([ids, *(np.where(ids == word, 1, ids) for word in different)]).astype("int32")
        found = [
            candidate.predictor(tf.constant(variants[i : i + 64]), training=False).numpy()
            for i in range(0, len(variants), 64)
        ]
        logs = log_softmax(np.concatenate(found).astype(np.float64) / candidate.calibration.temperature, axis=-1)
        odds = logs[:, said] - np.log1p(-np.exp(np.minimum(logs[:, said], -1e-12)))
        falls = odds[0] - odds[1:]
        order = np.argsort(-np.abs(falls), kind="stable")[:WORDS]
        vocabulary = self.data.transform.vocabulary
        return [{"word": vocabulary[different[i] - 2], "weight": float(falls[i])} for i in order]


def wilson(right: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    share, z2 = right / count, Z * Z / count
    middle, half = share + z2 / 2, Z * np.sqrt(share * (1 - share) / count + z2 / (4 * count))
    return float((middle - half) / (1 + z2)), float((middle + half) / (1 + z2))


def paired(name: str, ours: np.ndarray, theirs: np.ndarray) -> dict[str, Any]:
    """How much more often `ours` is right than `theirs`, and the 95 % interval of it over the same texts."""
    difference = ours.astype(float) - theirs.astype(float)
    mean, half = float(difference.mean()), Z * float(difference.std()) / np.sqrt(len(difference))
    return {
        "name": name,
        "difference": mean,
        "low": float(mean - half),
        "high": float(mean + half),
        "better": int((difference > 0).sum()),
        "worse": int((difference < 0).sum()),
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


def _temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    """The T of least log loss (Guo et al. 2017)."""

    def loss(log_t: float) -> float:
        scaled = log_softmax(logits.astype(np.float64) / np.exp(log_t), axis=-1)
        return -float(scaled[np.arange(len(truth)), truth].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded").x))


def _best_threshold(scores: np.ndarray, truth: np.ndarray) -> float:
    """The threshold of highest accuracy, the nearest to a half of equals."""
    tried = np.linspace(0.02, 0.98, 97)
    accuracy = np.array([((scores >= t) == truth).mean() for t in tried])
    best = tried[accuracy == accuracy.max()]
    return float(best[np.argmin(np.abs(best - 0.5))])


def _roc(truth: np.ndarray, scores: np.ndarray) -> dict[str, Any]:
    x, y, _ = metrics.roc_curve(truth, scores)
    return {"points": _thinned(x, y), "area": float(metrics.auc(x, y))}


def _precision_recall(truth: np.ndarray, scores: np.ndarray) -> dict[str, Any]:
    precision, recall, _ = metrics.precision_recall_curve(truth, scores)
    area = float(metrics.average_precision_score(truth, scores))
    return {"points": _thinned(recall[::-1], precision[::-1]), "area": area}


def _thinned(x: np.ndarray, y: np.ndarray) -> list[list[float]]:
    kept = np.unique(np.linspace(0, len(x) - 1, min(POINTS, len(x))).round().astype(int))
    return [[float(x[i]), float(y[i])] for i in kept]
