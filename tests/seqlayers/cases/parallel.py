"""What reads a sequence without a loop over its steps, and without attention."""

from __future__ import annotations

from seqlayers.testing import Example

CASES: dict[str, Example] = {
    "convolution": Example("encoder", {"kind": "convolution", "units": 6, "kernel": 3}),
    "convolution dilated": Example("encoder", {"kind": "convolution", "units": 6, "kernel": 2, "dilation": 4}),
    "convolution of one": Example("encoder", {"kind": "convolution", "units": 6, "kernel": 1, "activation": "gelu"}),
    "convolution same": Example("encoder", {"kind": "convolution", "units": 6, "kernel": 4, "padding": "same"}),
    "convolution pooled": Example("encoder", {"kind": "convolution", "units": 6, "pool": 2}),
    "mixer": Example("encoder", {"kind": "mixer"}),
    "mixer inner": Example(
        "encoder", {"kind": "mixer", "time_units": 7, "feature_units": 9, "activation": "gelu"}, features=5
    ),
}

#: What is tried of this file where a trial takes seconds.
REPRESENTATIVE: tuple[str, ...] = ("convolution dilated",)
