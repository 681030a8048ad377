"""Heads that give classes, tokens, notes and labels."""

from __future__ import annotations

from seqlayers.testing import Example

NGRAM = {"kind": "ngram", "vocabulary": 5, "context": 2, "nodes": 97}
REGIONS = {"kind": "regions", "vocabulary": 11, "units": 5}
NAIVE = {"kind": "naive_bayes", "vocabulary": 11, "buckets": 97}

CASES: dict[str, Example] = {
    "classify": Example("head", {"kind": "classify", "classes": 3}),
    "classify hidden": Example("head", {"kind": "classify", "classes": 2, "hidden": 5, "label_smoothing": 0.1}),
    "naive_bayes": Example("head", {**NAIVE, "classes": 2}, vocabulary=11),
    "naive_bayes three": Example("head", {**NAIVE, "classes": 3, "longest": 1}, vocabulary=11),
    "naive_bayes ratios": Example("head", {**NAIVE, "classes": 2, "solve": "ratios"}, vocabulary=11),
    "naive_bayes trained": Example("head", {**NAIVE, "classes": 2, "solve": "gradient"}, vocabulary=11),
    "naive_bayes three trained": Example("head", {**NAIVE, "classes": 3, "solve": "gradient"}, vocabulary=11),
    "regions": Example("head", {**REGIONS, "classes": 2}, vocabulary=11),
    "regions pairs": Example("head", {**REGIONS, "classes": 3, "kernel": 2, "label_smoothing": 0.1}, vocabulary=11),
    "tag": Example("head", {"kind": "tag", "classes": 3}, pooled=False),
    "tag hidden": Example("head", {"kind": "tag", "classes": 5, "hidden": 4, "label_smoothing": 0.2}, pooled=False),
    "tokens": Example("head", {"kind": "tokens", "vocabulary": 11}, pooled=False),
    "tokens smoothed": Example("head", {"kind": "tokens", "vocabulary": 11, "label_smoothing": 0.1}, pooled=False),
    "ngram": Example("head", NGRAM, vocabulary=5, adapted=True),
    "ngram kneser_ney": Example("head", {**NGRAM, "smoothing": "kneser_ney"}, vocabulary=5, adapted=True),
    "notes": Example("head", {"kind": "notes", "pitches": 7, "hidden": 5}, pooled=False),
    "note_counts": Example("head", {"kind": "note_counts", "pitches": 4}, pooled=False),
    "notes independent": Example("head", {"kind": "notes", "pitches": 7, "conditioned": False}, pooled=False),
}

#: What is tried of this file where a trial takes seconds.
REPRESENTATIVE: tuple[str, ...] = ("classify hidden", "naive_bayes", "naive_bayes three trained", "notes")
