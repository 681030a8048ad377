"""Heads that forecast."""

from __future__ import annotations

from seqlayers.testing import Example

FORECAST = {"horizon": 6, "targets": 2}

CASES: dict[str, Example] = {
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

#: What is tried of this file where a trial takes seconds.
REPRESENTATIVE: tuple[str, ...] = ("quantile five", "linear trend")
