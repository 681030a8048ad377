"""Candidates of a classify run: calibrated on the validation part, judged on any part, their mistakes explained."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from scipy.special import logsumexp
from sklearn import metrics

from data.texts import TextData
from data.transforms.subwords import words_of
from pipelines.evaluate import skill
from pipelines.task import Candidate, Evaluation
from pipelines.tasks.calibration import Calibration
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
from pipelines.tasks.paired import paired as paired_losses
from seqlayers.model import SequenceModel

#: Texts a batch.
BATCH = 256
#: Mistakes told, and the words of each that are.
MISTAKES, WORDS = 8, 12
#: Different words of a mistake that are tried.
TRIED = 400
#: The least probability that a text's class is held to have been given.
LEAST = float(np.finfo(np.float64).eps)


class Majority:
    """Always the share that each class has in training."""

    def __init__(self, counts: np.ndarray):
        self.shares = (counts + 1) / (counts + 1).sum()

    def logits(self, count: int) -> np.ndarray:
        return np.tile(np.log(self.shares), (count, 1))


class ClassifyEvaluator:
    """What is asked of the candidates once they are fitted; each one's logits of a part are computed once.

    Args:
        data: the prepared data.
    """

    def __init__(self, data: TextData):
        self.data = data
        self._logits: dict[tuple[int, str], np.ndarray] = {}
        self._graphs: dict[int, Callable[[Any], tf.Tensor]] = {}

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
        return self._logits_of(predictor, self.data.labelled(part).dataset(BATCH))

    def _logits_of(self, model: SequenceModel, batches: Any) -> np.ndarray:
        graph = self._graph(model)
        return np.concatenate([graph(ids).numpy() for ids, _ in batches])

    def said_of(self, candidate: Candidate, ids: Sequence[np.ndarray]) -> np.ndarray:
        """Probabilities (texts, classes) of further texts, at the temperature that suits the validation part."""
        order = np.argsort([len(i) for i in ids], kind="stable")
        texts = self.data.batched([ids[i] for i in order], np.zeros(len(ids), np.int32))
        found = np.empty((len(ids), len(self.data.classes)))
        found[order] = self._tempered(candidate).probabilities(
            self._logits_of(candidate.predictor, texts.dataset(BATCH))
        )
        return found

    def _graph(self, model: SequenceModel) -> Callable[[Any], tf.Tensor]:
        """Ids → logits, traced once."""
        if id(model) not in self._graphs:
            specs = [tf.TensorSpec([None, fixed_length(model, self.data)], tf.int32)]
            call = tf.function(lambda ids: model(ids, training=False), input_signature=specs, autograph=False)
            self._graphs[id(model)] = call
        return self._graphs[id(model)]

    def _tempered(self, candidate: Candidate) -> Calibration:
        """At the temperature of the lowest validation log loss."""
        return Calibration(temperature(self.logits(candidate, "validation"), self.data.labels("validation")))

    def calibrate(self, candidates: Sequence[Candidate], threshold: float | str) -> None:
        """Each candidate's temperature by validation log loss, and its threshold (`auto`: by validation accuracy)."""
        truth = self.data.labels("validation")
        for candidate in candidates:
            logits, found = self.logits(candidate, "validation"), self._tempered(candidate)
            if self.binary and threshold != 0.5 and not isinstance(candidate.predictor, Majority):
                chosen = best_threshold(found.probabilities(logits)[:, 1], truth) if threshold == "auto" else threshold
                found = dataclasses.replace(found, threshold=float(chosen))
            candidate.calibration = found

    def evaluate(self, part: str, candidates: Sequence[Candidate]) -> Evaluation:
        truth = self.data.labels(part)
        said: dict[str, np.ndarray] = {}
        losses: dict[str, np.ndarray] = {}
        rows: list[dict[str, Any]] = []
        for candidate in candidates:
            probabilities = candidate.calibration.probabilities(self.logits(candidate, part))
            said[candidate.name] = candidate.calibration.decide(probabilities)
            losses[candidate.name] = -np.log(np.maximum(probabilities[np.arange(len(truth)), truth], LEAST))
            row = self._row(candidate, truth, probabilities, said[candidate.name])
            rows.append(row | {"log_loss": float(losses[candidate.name].mean())})
        for row in rows:
            row["skill"] = skill(row["error"], rows[0]["error"])
        model = candidates[-1].name
        details = {
            "best_naive": candidates[0].name,
            "comparison": [paired(c.name, said[model] == truth, said[c.name] == truth) for c in candidates[:-1]],
            "log_losses": [paired_losses(c.name, losses[model], losses[c.name], 1) for c in candidates[:-1]],
            "without_shared": self._without_shared(part, truth, said),
            "roc": self._curves(candidates, part, truth, roc),
            "precision_recall": self._curves(candidates, part, truth, precision_recall),
        }
        return Evaluation(rows, details)

    def _row(self, candidate: Candidate, truth: np.ndarray, probabilities: np.ndarray, said: np.ndarray) -> dict:
        right = said == truth
        low, high = wilson(int(right.sum()), len(right))
        tested = np.unique(truth)  # a class of which no text is tested is neither found nor missed
        return {
            "name": candidate.name,
            "role": candidate.role,
            "accuracy": float(right.mean()),
            "accuracy_low": low,
            "accuracy_high": high,
            "error": float(1 - right.mean()),
            "f1": float(metrics.f1_score(truth, said, labels=tested, average="macro", zero_division=0)),
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
            "per_class": per_class(self.data.classes, truth, said),
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
        best = best_threshold(scores, truth)
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
        vocabulary = ("", "", *self.data.transform.vocabulary)
        places: dict[str, list[int]] = {}
        for word, stands in words_of([vocabulary[i] for i in ids]):
            if ids[stands[0]] > 1:
                places.setdefault(word, []).extend(stands)
        tried = sorted(places, key=lambda word: ids[places[word][0]])[:TRIED]
        ids = np.pad(ids, (0, (fixed_length(candidate.predictor, self.data) or len(ids)) - len(ids)))
        variants = np.tile(ids, (1 + len(tried), 1)).astype("int32")
        for variant, word in zip(variants[1:], tried, strict=True):
            variant[places[word]] = 1
        graph = self._graph(candidate.predictor)
        found = [graph(tf.constant(variants[i : i + 64])).numpy() for i in range(0, len(variants), 64)]
        logits = np.concatenate(found).astype(np.float64) / candidate.calibration.temperature
        odds = logits[:, said] - logsumexp(np.delete(logits, said, axis=-1), axis=-1)
        falls = odds[0] - odds[1:]
        order = np.argsort(-np.abs(falls), kind="stable")[:WORDS]
        return [{"word": tried[i], "weight": float(falls[i])} for i in order]


def fixed_length(model: SequenceModel, data: TextData) -> int | None:
    """Tokens that every text must be padded to, for a model with a weight for each step; None: any number."""
    return data.options.longest if any("dynamic_time" in kind.refusals() for kind in model.kinds()) else None
