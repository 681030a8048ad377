"""Embeddings of ids, and poolings."""

from __future__ import annotations

from typing import Any

from seqlayers.testing import Example

IDS = 11


def of_ids(**configuration: Any) -> Example:
    """An embedding of ids below `IDS`."""
    return Example("embedding", {"vocabulary": IDS, **configuration}, vocabulary=IDS)


CASES: dict[str, Example] = {
    "one_hot": of_ids(kind="one_hot"),
    "one_hot padded": of_ids(kind="one_hot", mask_zero=True),
    "token": of_ids(kind="token", units=6),
    "token padded": of_ids(kind="token", units=6, mask_zero=True),
    "token scaled": of_ids(kind="token", units=6, scale=True),
    "ngrams": of_ids(kind="ngrams", units=6, buckets=40),
    "ngrams of one": of_ids(kind="ngrams", units=6, longest=1, buckets=40),
    "ngrams padded": of_ids(kind="ngrams", units=6, longest=4, buckets=40, mask_zero=True),
    "last": Example("pooling", {"kind": "last"}),
    "mean": Example("pooling", {"kind": "mean"}),
    "max": Example("pooling", {"kind": "max"}),
    "attention pooling": Example("pooling", {"kind": "attention", "units": 6}),
}

#: What is tried of this file where a trial takes seconds.
REPRESENTATIVE: tuple[str, ...] = ("token", "ngrams padded", "attention pooling")
