"""Recurrences, from one end and from both, and the decoder that is one."""

from __future__ import annotations

from seqlayers.testing import Example

GRU = {"kind": "gru", "units": 6}
LSTM = {"kind": "lstm", "units": 6}
RNN = {"kind": "simple_rnn", "units": 6}

CASES: dict[str, Example] = {
    "simple_rnn": Example("encoder", RNN),
    "simple_rnn relu": Example("encoder", {**RNN, "activation": "relu"}),
    "simple_rnn output": Example("encoder", {**RNN, "output_units": 3, "output_activation": "softmax"}),
    "simple_rnn norm": Example("encoder", {**RNN, "layer_norm": True}),
    "simple_rnn zoneout": Example("encoder", {**RNN, "zoneout": 0.3, "output_units": 3}),
    "lstm": Example("encoder", LSTM),
    "lstm norm": Example("encoder", {**LSTM, "layer_norm": True}),
    "lstm zoneout": Example("encoder", {**LSTM, "zoneout": 0.3}),
    "gru": Example("encoder", GRU),
    "gru reset before": Example("encoder", {**GRU, "reset_after": False}),
    "gru norm": Example("encoder", {**GRU, "layer_norm": True}),
    "gru norm reset before": Example("encoder", {**GRU, "layer_norm": True, "reset_after": False}),
    "gru zoneout": Example("encoder", {**GRU, "zoneout": 0.3}),
    "segment_gru": Example("encoder", {"kind": "segment_gru", "units": 6, "segment": 4}),
    "bidirectional": Example("encoder", {"kind": "bidirectional", "layer": GRU}),
    "bidirectional lstm": Example("encoder", {"kind": "bidirectional", "layer": LSTM, "merge": "sum"}),
    "bidirectional simple_rnn": Example("encoder", {"kind": "bidirectional", "layer": RNN, "merge": "mean"}),
    "bidirectional norm": Example(
        "encoder", {"kind": "bidirectional", "layer": {**GRU, "layer_norm": True}, "merge": "product"}
    ),
    "recurrent decoder": Example("decoder", {"kind": "recurrent", "layer": GRU, "units": 8}, memory=7),
    "recurrent decoder lstm": Example(
        "decoder", {"kind": "recurrent", "layer": LSTM, "units": 8, "heads": 2}, memory=7
    ),
    "recurrent decoder simple_rnn": Example("decoder", {"kind": "recurrent", "layer": RNN, "units": 5}, memory=7),
}

#: What is tried of this file where a trial takes seconds.
REPRESENTATIVE: tuple[str, ...] = ("gru", "lstm norm", "bidirectional", "recurrent decoder")
