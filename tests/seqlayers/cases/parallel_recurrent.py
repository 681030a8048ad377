"""Recurrences that are computed for all steps at once."""

from __future__ import annotations

from seqlayers.testing import Example

MIN_GRU = {"kind": "min_gru", "units": 6}
MIN_LSTM = {"kind": "min_lstm", "units": 6}
GATED = {"kind": "gated_linear", "units": 6, "heads": 1}

CASES: dict[str, Example] = {
    "min_gru": Example("encoder", MIN_GRU),
    "min_gru tanh": Example("encoder", {**MIN_GRU, "proposal": "tanh", "memory": 30}),
    "min_gru positive": Example("encoder", {**MIN_GRU, "proposal": "positive"}, time=17),
    "min_lstm": Example("encoder", MIN_LSTM),
    "min_lstm tanh": Example("encoder", {**MIN_LSTM, "proposal": "tanh", "memory": 30}),
    "min_lstm positive": Example("encoder", {**MIN_LSTM, "proposal": "positive"}, time=17),
    "gated_linear": Example("encoder", GATED),
    "gated_linear chunks": Example("encoder", {**GATED, "heads": 3, "key_units": 6, "chunk": 4, "memory": 30}),
    "gated_linear last chunk short": Example("encoder", {**GATED, "heads": 2, "key_units": 8, "chunk": 7}),
    "bidirectional min_gru": Example("encoder", {"kind": "bidirectional", "layer": MIN_GRU}),
    "bidirectional min_lstm": Example("encoder", {"kind": "bidirectional", "layer": MIN_LSTM, "merge": "sum"}),
    "bidirectional gated_linear": Example(
        "encoder", {"kind": "bidirectional", "layer": {**GATED, "heads": 2, "key_units": 4, "chunk": 4}}
    ),
    "recurrent decoder min_lstm": Example(
        "decoder", {"kind": "recurrent", "layer": {**MIN_LSTM, "proposal": "tanh"}, "units": 8, "heads": 2}, memory=7
    ),
}

#: What is tried of this file where a trial takes seconds.
REPRESENTATIVE: tuple[str, ...] = ("min_lstm", "gated_linear chunks")
