"""The catalogue as a table: every kind, with every option that changes what it does."""

from __future__ import annotations

from seqlayers.testing import Example

FORECAST = {"horizon": 6, "targets": 2}

CASES: dict[str, Example] = {
    "normalise none": Example("normalise", {"kind": "none"}),
    "reversible": Example("normalise", {"kind": "reversible"}),
    "reversible last": Example("normalise", {"kind": "reversible", "subtract": "last", "scale": False}),
    "reversible affine": Example("normalise", {"kind": "reversible", "affine": True}),
    "value": Example("embedding", {"kind": "value", "units": 8}),
    "value tanh": Example("embedding", {"kind": "value", "units": 8, "activation": "tanh"}),
    "patch": Example("embedding", {"kind": "patch", "length": 4, "stride": 4, "units": 8}),
    "patch overlapping": Example("embedding", {"kind": "patch", "length": 6, "stride": 4, "units": 8}),
    "position none": Example("position", {"kind": "none"}),
    "sinusoidal": Example("position", {"kind": "sinusoidal"}),
    "sinusoidal odd": Example("position", {"kind": "sinusoidal", "period": 100.0}, features=5),
    "learned": Example("position", {"kind": "learned", "length": 24}),
    "simple_rnn": Example("encoder", {"kind": "simple_rnn", "units": 6}),
    "simple_rnn relu": Example("encoder", {"kind": "simple_rnn", "units": 6, "activation": "relu"}),
    "lstm": Example("encoder", {"kind": "lstm", "units": 6}),
    "gru": Example("encoder", {"kind": "gru", "units": 6}),
    "gru reset before": Example("encoder", {"kind": "gru", "units": 6, "reset_after": False}),
    "segment_gru": Example("encoder", {"kind": "segment_gru", "units": 6, "segment": 4}),
    "convolution": Example("encoder", {"kind": "convolution", "units": 6, "kernel": 3}),
    "convolution dilated": Example("encoder", {"kind": "convolution", "units": 6, "kernel": 2, "dilation": 4}),
    "convolution of one": Example("encoder", {"kind": "convolution", "units": 6, "kernel": 1, "activation": "gelu"}),
    "convolution same": Example("encoder", {"kind": "convolution", "units": 6, "kernel": 4, "padding": "same"}),
    "convolution pooled": Example("encoder", {"kind": "convolution", "units": 6, "pool": 2}),
    "mixer": Example("encoder", {"kind": "mixer"}),
    "mixer inner": Example(
        "encoder", {"kind": "mixer", "time_units": 7, "feature_units": 9, "activation": "gelu"}, features=5
    ),
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
    "last": Example("pooling", {"kind": "last"}),
    "mean": Example("pooling", {"kind": "mean"}),
    "forecast": Example("head", {"kind": "forecast", **FORECAST}),
    "forecast ahead": Example("head", {"kind": "forecast", **FORECAST, "loss": "mae"}, known=3),
    "forecast hidden": Example("head", {"kind": "forecast", **FORECAST, "hidden": 5, "loss": "huber"}, known=3),
    "forecast sequence": Example("head", {"kind": "forecast", **FORECAST, "hidden": 5}, pooled=False),
    "quantile": Example("head", {"kind": "quantile", **FORECAST}),
    "quantile five": Example(
        "head", {"kind": "quantile", **FORECAST, "quantiles": [0.05, 0.25, 0.5, 0.75, 0.95], "hidden": 5}, known=3
    ),
    "linear": Example("head", {"kind": "linear", **FORECAST}, pooled=False),
    "linear per channel": Example(
        "head", {"kind": "linear", **FORECAST, "share": "per_channel", "subtract": "mean"}, pooled=False, known=3
    ),
    "linear all": Example("head", {"kind": "linear", **FORECAST, "channels": "all"}, pooled=False, known=3),
    "linear trend": Example(
        "head", {"kind": "linear", **FORECAST, "trend": 5, "subtract": "none", "loss": "mae"}, pooled=False, known=3
    ),
    "linear trend all": Example(
        "head", {"kind": "linear", **FORECAST, "trend": 5, "channels": "all", "bias": True}, pooled=False
    ),
    "ridge": Example("head", {"kind": "linear", **FORECAST, "solve": "ridge"}, pooled=False),
    "random_features": Example("head", {"kind": "random_features", **FORECAST, "units": 5}, pooled=False, known=3),
    "random_features none": Example(
        "head", {"kind": "random_features", **FORECAST, "units": 5, "subtract": "none", "bins": [1, 3]}, pooled=False
    ),
    "random_features mean": Example(
        "head", {"kind": "random_features", **FORECAST, "units": 0, "subtract": "mean"}, pooled=False
    ),
}

#: One of each way of computing, for what takes seconds a kind.
REPRESENTATIVE = (
    "reversible affine",
    "gru",
    "convolution dilated",
    "transformer window",
    "quantile five",
    "linear trend",
)

#: Arguments whose values change nothing that the harness could compare, or that tests of their own change.
ELSEWHERE = {
    "dropout": "random: tests/seqlayers/test_dropout.py",
    "recurrent_dropout": "random: tests/seqlayers/test_dropout.py",
    "eps": "test_normalise.py",
    "strengths": "test_ridge.py",
}
