"""Attention, what is built of it, and positions."""

from __future__ import annotations

from seqlayers.testing import Example

CASES: dict[str, Example] = {
    "position none": Example("position", {"kind": "none"}),
    "sinusoidal": Example("position", {"kind": "sinusoidal"}),
    "sinusoidal odd": Example("position", {"kind": "sinusoidal", "period": 100.0}, features=5),
    "learned": Example("position", {"kind": "learned", "length": 24}),
    "transformer": Example("encoder", {"kind": "transformer", "units": 8, "heads": 2, "feed_forward": 12}, features=8),
    "transformer window": Example(
        "encoder", {"kind": "transformer", "units": 8, "heads": 2, "feed_forward": 12, "window": 5}, features=8
    ),
    "transformer capacity": Example(
        "encoder", {"kind": "transformer", "units": 8, "heads": 4, "feed_forward": 12, "capacity": 24}, features=8
    ),
    "transformer both ways": Example(
        "encoder", {"kind": "transformer", "units": 8, "heads": 2, "feed_forward": 12, "causal": False}, features=8
    ),
    "transformer post": Example(
        "encoder",
        {"kind": "transformer", "units": 8, "heads": 1, "feed_forward": 12, "norm": "post", "activation": "relu"},
        features=8,
    ),
}

#: What is tried of this file where a trial takes seconds.
REPRESENTATIVE: tuple[str, ...] = ("transformer window",)
