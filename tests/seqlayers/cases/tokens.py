"""Embeddings of ids, and poolings."""

from __future__ import annotations

from seqlayers.testing import Example

CASES: dict[str, Example] = {
    "last": Example("pooling", {"kind": "last"}),
    "mean": Example("pooling", {"kind": "mean"}),
}

#: What is tried of this file where a trial takes seconds.
REPRESENTATIVE: tuple[str, ...] = ()
