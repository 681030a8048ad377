"""What reads a sequence without a loop over its steps, and without attention."""

from __future__ import annotations

from typing import Any

from seqlayers.testing import Example


def tcn(**configuration: Any) -> Example:
    return Example("encoder", {"kind": "temporal_convolution", **configuration})


CASES: dict[str, Example] = {
    "convolution": Example("encoder", {"kind": "convolution", "units": 6, "kernel": 3}),
    "convolution dilated": Example("encoder", {"kind": "convolution", "units": 6, "kernel": 2, "dilation": 4}),
    "convolution of one": Example("encoder", {"kind": "convolution", "units": 6, "kernel": 1, "activation": "gelu"}),
    "convolution same": Example("encoder", {"kind": "convolution", "units": 6, "kernel": 4, "padding": "same"}),
    "convolution pooled": Example("encoder", {"kind": "convolution", "units": 6, "pool": 2}),
    "temporal_convolution": tcn(units=6, dilations=[1, 2]),
    "temporal_convolution same width": tcn(units=4, kernel=2, dilations=[2], norm="none", activation="gelu"),
    "temporal_convolution layer norm": tcn(units=6, dilations=[1, 4], norm="layer"),
    "temporal_convolution of one": tcn(units=6, kernel=1, dilations=[1]),
    "mixer": Example("encoder", {"kind": "mixer"}),
    "mixer inner": Example(
        "encoder", {"kind": "mixer", "time_units": 7, "feature_units": 9, "activation": "gelu"}, features=5
    ),
}

#: What is tried of this file where a trial takes seconds.
REPRESENTATIVE: tuple[str, ...] = ("convolution dilated", "temporal_convolution")
