"""Made records of classifiers, as real as a record can be without a run: what the report of texts is given."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tests.pipelines.record_parts import export, learning

TAG = "token>gru>max>classify"
BAYES = "NB n-grams"
MAJORITY = "majority class"
SENTIMENT = ("negative", "positive")
TOPICS = ("billing", "delivery", "login", "other", "refunds")
PROVEN = "2,000 examples, in a fresh process"

CHECKS = [
    ("no text on both sides of a border", "49,877 texts compared by their SHA-256."),
    ("no group on both sides of a border", "14,127 values of movie, each in one part."),
    ("the vocabulary is of train alone", "Learnt again from the 22,386 train texts it is the same."),
    ("the label is not read as text", "The column label is not among what is read."),
]
FILM = (
    "I expected a great film: a great cast, a wonderful director.<br /><br />What a disappointment. It is not bad to "
    "look at, and the music is lovely, but nobody seems to know what the story is about, and after an hour I did not "
    "care either. "
)
PRAISE = "wonderful 1.31, great 0.94, lovely 0.5"
#: Text, label, prediction, confidence, and each word with what it pushed.
MISTAKES = [
    (FILM * 4 + "Wonderful? Hardly.", 0, 1, 0.998, f"{PRAISE}, not bad 0.4, disappointment -1.2"),
    ("Terrible people, a horrid war, one of the best films.", 1, 0, 0.991, "terrible 1.9, horrid 1.2, best -0.8"),
    ("7/10", 1, 0, 0.955, "7 0.61, 10 0.33"),
    ("The worst is that it ends. I laughed 😂 and I want more!", 1, 0, 0.942, "worst 2.2, 😂 -0.4, ! -0.1"),
    ("", 0, 1, 0.51, ""),
    ("很好看, très drôle, but a waste of a good cast", 1, 0, 0.93, "waste 1.7, 好 -0.3, drôle -0.2, good -0.2"),
    ("If only it had been as funny as its trailer.", 0, 1, 0.92, "funny 1.02, only -0.4"),
]


def record(
    *,
    classes: tuple[str, ...] = SENTIMENT,
    tested: int = 25_000,
    sample: bool = False,
    groups: bool = True,
    temperature: float = 1.42,
    seed: int = 0,
    **changes: Any,
) -> dict[str, Any]:
    """A record of `seqlayers run sentiment`, or of one with more classes; other keyword arguments replace entries."""
    random = np.random.default_rng(seed)
    count, binary = len(classes), len(classes) == 2
    labels = random.integers(count, size=tested)
    strength = {MAJORITY: 0.0, BAYES: 3.6 if binary else 3.2, TAG: 4.6 if binary else 4.1}
    made = {name: _probabilities(labels, count, d, random) for name, d in strength.items()}
    sure = made[TAG] ** temperature / (made[TAG] ** temperature).sum(axis=1, keepdims=True)
    rows = [_row(name, p, labels) for name, p in made.items()]
    for row in rows:
        row["skill"] = 1 - row["error"] / rows[0]["error"]
    matrix = np.zeros((count, count), int)
    np.add.at(matrix, (labels, made[TAG].argmax(axis=1)), 1)
    train = round(0.9 * tested)
    found = {
        "family": "classify",
        "task": "sentiment" if binary else "classify",
        "title": "Sentiment of film reviews" if binary else "Topics of tickets",
        "run_id": "7e0c6c3c1d3e4b2f9a8e7d6c5b4a3928",
        "status": "done",
        "seed": seed,
        "started": "2026-01-31T14:25:30",
        "seconds": 421.0,
        "command": f"seqlayers run sentiment --source {'sample' if sample else 'imdb'}",
        "versions": {"seqlayers": "0.1.0", "tensorflow": "2.21.0", "keras": "3.15.1", "numpy": "2.4.6"},
        "commit": "3f2a9c1",
        "source": {
            "name": "sample" if sample else "imdb" if binary else "tickets.csv",
            "sha256": "9b1d6c0f" * 8,
            "sample": sample,
            "note": "Reviews made by code, seed 0." if sample else "",
            "rows": 2 * tested,
        },
        "repairs": [
            {"what": "texts of test that stood in train as well, dropped from train", "count": 123, "column": None},
            {"what": "empty texts, kept", "count": 2, "column": "text"},
        ],
        "splits": [
            _part("train", train, classes, 2_519 if groups else None),
            _part("validation", tested - train, classes, 286 if groups else None),
            _part("test", tested, classes, 2_803 if groups else None),
        ],
        "checks": [{"name": name, "passed": True, "detail": detail} for name, detail in CHECKS],
        "unlabelled": {
            "name": "more.jsonl",
            "sha256": "1c" * 32,
            "texts": 50_000,
            "teacher": "NB n-grams",
            "repairs": [{"what": "further texts that stand in test, left out", "count": 270, "column": "text"}],
        },
        "texts": {
            "classes": list(classes),
            "tokens": "words",
            "vocabulary": 50_000,
            "longest": 2_000,
            "median_length": 204,
            "p95_length": 690,
            "cut": 0.0004,
            "unknown": 0.0117,
            "padding": 0.081,
            "duplicates": 96,
        },
        "model": {
            "tag": TAG,
            "parameters": 3_231_256,
            "configuration": "task: sentiment\nmodel:\n  encoder:\n  - {kind: gru, units: 64}\n",
            "slots_table": [
                {"branch": 0, "slot": "embedding", "kind": "token", "settings": {"units": 64}},
                {"branch": 0, "slot": "encoder", "kind": "gru", "settings": {"units": 64, "dropout": 0.1}},
                {"branch": 0, "slot": "pooling", "kind": "max", "settings": {}},
                {"branch": 0, "slot": "head", "kind": "classify", "settings": {"classes": count}},
            ],
        },
        "metrics": rows,
        "validation": [row | {"accuracy": row["accuracy"] + 0.004} for row in rows],
        "best_naive": MAJORITY,
        "verdict": (
            f"The trained model earns its time: it is right in {100 * rows[2]['accuracy']:.1f}% of the texts, "
            f"{100 * (rows[2]['accuracy'] - rows[1]['accuracy']):.1f} points more often than the {BAYES}, for 92 s of "
            "training against 14 s."
        ),
        "chosen": {"name": TAG, "role": "model"},
        "comparison": [_compared(name, made[TAG], made[name], labels) for name in (MAJORITY, BAYES)],
        "without_shared": {
            "rows": tested - 123,
            "accuracy": {row["name"]: row["accuracy"] - 0.0004 for row in rows},
        },
        "temperature": temperature,
        "reliability": {
            "before": _bins(sure, labels),
            "after": _bins(made[TAG], labels),
            "ece_before": _ece(_bins(sure, labels)),
            "ece_after": _ece(_bins(made[TAG], labels)),
        },
        "threshold": _threshold(made[TAG], labels) if binary else None,
        "roc": {name: _roc(p[:, 1], labels) for name, p in made.items() if name != MAJORITY} if binary else None,
        "precision_recall": {name: _pr(p[:, 1], labels) for name, p in made.items() if name != MAJORITY}
        if binary
        else None,
        "confusion": {"classes": list(classes), "matrix": matrix.tolist()},
        "per_class": [_of_class(name, i, matrix) for i, name in enumerate(classes)],
        "mistakes": [
            {
                "text": text,
                "label": classes[label],
                "predicted": classes[predicted],
                "confidence": confidence,
                "words": _words(words),
            }
            for text, label, predicted, confidence, words in MISTAKES
        ],
        "curves": _curves(random),
        "exports": [
            export("saved_model", 2.4e-7, rows[2]["log_loss"], 12_841.0, 3.92, flex=None, note=PROVEN),
            export("litert_float32", 4.1e-7, rows[2]["log_loss"], 12_639.0, 2.61, note=PROVEN),
        ],
        "resumed": 0,
    }
    return found | changes


def _words(said: str) -> list[dict[str, Any]]:
    pairs = (entry.rpartition(" ") for entry in filter(None, said.split(", ")))
    return [{"word": word, "weight": float(weight)} for word, _, weight in pairs]


def _probabilities(labels: np.ndarray, count: int, strength: float, random: np.random.Generator) -> np.ndarray:
    """Of normal logits with the label's raised, the true posterior: calibrated by construction."""
    if not strength:
        wide = np.full((len(labels), count), 0.98 / count)
        wide[:, 0] += 0.02
        return wide
    scale = strength / 1.4
    noise = random.normal(0, math.sqrt(scale), (len(labels), count))
    noise[np.arange(len(labels)), labels] += scale
    odds = np.exp(noise - noise.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def _row(name: str, p: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    right, n = float((p.argmax(axis=1) == labels).mean()), len(labels)
    middle, half = right + 1.92 / n, 1.96 * math.sqrt(right * (1 - right) / n + 0.96 / n**2)
    auc = _roc(p[:, 1], labels)["area"] if p.shape[1] == 2 else None
    return {
        "name": name,
        "role": "model" if name == TAG else "baseline",
        "accuracy": right,
        "accuracy_low": (middle - half) / (1 + 3.84 / n),
        "accuracy_high": (middle + half) / (1 + 3.84 / n),
        "error": 1 - right,
        "log_loss": float(-np.log(p[np.arange(n), labels]).mean()),
        "f1": right - 0.002 if name != MAJORITY else 1 / 3,
        "auc": auc,
        "ece": _ece(_bins(p, labels)),
        "seconds": {MAJORITY: 0.0, BAYES: 14.2, TAG: 92.4}[name],
    }


def _compared(name: str, ours: np.ndarray, theirs: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    a, b = (p.argmax(axis=1) == labels for p in (ours, theirs))
    difference, half = float(a.mean() - b.mean()), 1.96 * float((1.0 * a - b).std()) / math.sqrt(len(labels))
    return {
        "name": name,
        "difference": difference,
        "low": difference - half,
        "high": difference + half,
        "better": int((a & ~b).sum()),
        "worse": int((b & ~a).sum()),
    }


def _bins(p: np.ndarray, labels: np.ndarray, bins: int = 10) -> list[dict[str, float]]:
    sure, right = p.max(axis=1), p.argmax(axis=1) == labels
    at = np.minimum((sure * bins).astype(int), bins - 1)
    return [
        {
            "confidence": float(sure[at == i].mean()) if (at == i).any() else (i + 0.5) / bins,
            "accuracy": float(right[at == i].mean()) if (at == i).any() else None,
            "count": int((at == i).sum()),
        }
        for i in range(bins)
    ]


def _ece(bins: list[dict[str, float]]) -> float:
    total = sum(b["count"] for b in bins)
    return sum(b["count"] * abs(b["confidence"] - b["accuracy"]) for b in bins if b["count"]) / total


def _threshold(p: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    found = []
    for threshold in np.linspace(0.02, 0.98, 49):
        called = p[:, 1] >= threshold
        found.append(
            {
                "threshold": float(threshold),
                "accuracy": float((called == labels).mean()),
                "precision": float(labels[called].mean()),
                "recall": float(called[labels == 1].mean()),
            }
        )
    return {"chosen": 0.47, "best": 0.49, "by": "the likelier class", "curve": found}


def _roc(score: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    order = np.argsort(-score)
    found, false = (np.cumsum(labels[order] == side) / (labels == side).sum() for side in (1, 0))
    area = float(np.trapezoid(found, false)) if score.std() else 0.5
    points = [[0.0, 0.0], *np.stack([false, found], axis=1)[:: max(1, len(labels) // 100)].tolist(), [1.0, 1.0]]
    return {"points": points, "area": area}


def _pr(score: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    hits = np.cumsum(labels[np.argsort(-score)])
    precision, recall = hits / np.arange(1, len(labels) + 1), hits / labels.sum()
    kept = np.stack([recall, precision], axis=1)[len(labels) // 50 :: max(1, len(labels) // 100)]
    return {"points": kept.tolist(), "area": float(np.trapezoid(precision, recall))}


def _part(part: str, rows: int, classes: tuple[str, ...], groups: int | None) -> dict[str, Any]:
    counts = {name: rows // len(classes) for name in classes}
    counts[classes[0]] += rows - sum(counts.values())
    return {"part": part, "rows": rows, "groups": groups, "classes": counts}


def _of_class(name: str, i: int, matrix: np.ndarray) -> dict[str, Any]:
    precision, recall = matrix[i, i] / matrix[:, i].sum(), matrix[i, i] / matrix[i].sum()
    f1 = 2 * precision * recall / (precision + recall)
    count = int(matrix[i].sum())
    return {"class": name, "precision": float(precision), "recall": float(recall), "f1": float(f1), "count": count}


def _curves(random: np.random.Generator) -> dict[str, Any]:
    at = np.arange(6)
    held = 0.24 + 0.2 * np.exp(-at) + 0.01 * np.maximum(0, at - 3) + random.normal(0, 0.002, 6)
    return learning(0.12 + 0.4 * np.exp(-at / 2), held, np.full(6, 15.4))
