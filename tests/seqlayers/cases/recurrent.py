"""Recurrences."""

from __future__ import annotations

from seqlayers.testing import Example

CASES: dict[str, Example] = {
    "simple_rnn": Example("encoder", {"kind": "simple_rnn", "units": 6}),
    "simple_rnn relu": Example("encoder", {"kind": "simple_rnn", "units": 6, "activation": "relu"}),
    "lstm": Example("encoder", {"kind": "lstm", "units": 6}),
    "gru": Example("encoder", {"kind": "gru", "units": 6}),
    "gru reset before": Example("encoder", {"kind": "gru", "units": 6, "reset_after": False}),
    "segment_gru": Example("encoder", {"kind": "segment_gru", "units": 6, "segment": 4}),
}

#: What is tried of this file where a trial takes seconds.
REPRESENTATIVE: tuple[str, ...] = ("gru",)
