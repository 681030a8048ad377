"""The slots that series start with: normalise, and embeddings of readings."""

from __future__ import annotations

from seqlayers.testing import Example

CASES: dict[str, Example] = {
    "normalise none": Example("normalise", {"kind": "none"}),
    "reversible": Example("normalise", {"kind": "reversible"}),
    "reversible last": Example("normalise", {"kind": "reversible", "subtract": "last", "scale": False}),
    "reversible affine": Example("normalise", {"kind": "reversible", "affine": True}),
    "value": Example("embedding", {"kind": "value", "units": 8}),
    "value tanh": Example("embedding", {"kind": "value", "units": 8, "activation": "tanh"}),
    "time2vec": Example("embedding", {"kind": "time2vec", "units": 8}),
    "patch": Example("embedding", {"kind": "patch", "length": 4, "stride": 4, "units": 8}),
    "patch overlapping": Example("embedding", {"kind": "patch", "length": 6, "stride": 4, "units": 8}),
}

#: What is tried of this file where a trial takes seconds.
REPRESENTATIVE: tuple[str, ...] = ("reversible affine",)
