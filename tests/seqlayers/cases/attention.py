"""Attention, what is built of it, and positions."""

from __future__ import annotations

from typing import Any

from seqlayers.testing import Example


def attention(position: dict[str, Any] | None = None, **settings: Any) -> Example:
    return Example("encoder", {"kind": "attention", "units": 8, "heads": 2} | settings, position=position)


def transformer(position: dict[str, Any] | None = None, **settings: Any) -> Example:
    small = {"kind": "transformer", "units": 8, "heads": 2, "feed_forward": 12}
    return Example("encoder", small | settings, features=8, position=position)


def decoder(position: dict[str, Any] | None = None, **settings: Any) -> Example:
    small = {"kind": "transformer", "units": 8, "heads": 2, "feed_forward": 12}
    return Example("decoder", small | settings, features=8, memory=7, position=position)


ROTARY: dict[str, Any] = {"kind": "rotary"}
RELATIVE: dict[str, Any] = {"kind": "relative", "length": 6}
ALIBI: dict[str, Any] = {"kind": "alibi"}

CASES: dict[str, Example] = {
    "position none": Example("position", {"kind": "none"}),
    "sinusoidal": Example("position", {"kind": "sinusoidal"}),
    "sinusoidal odd": Example("position", {"kind": "sinusoidal", "period": 100.0}, features=5),
    "learned": Example("position", {"kind": "learned", "length": 24}),
    "rotary": Example("position", ROTARY),
    "relative": Example("position", RELATIVE),
    "alibi": Example("position", ALIBI),
    "attention": attention(),
    "attention window": attention(window=5, heads=1),
    "attention capacity": attention(capacity=24, heads=4),
    "attention both ways": attention(causal=False),
    "attention both ways window": attention(causal=False, window=3),
    "attention rotary": attention(ROTARY, window=5),
    "attention relative": attention(RELATIVE, window=9),
    "attention alibi": attention(ALIBI, window=5, units=9, heads=3),
    "transformer": transformer(),
    "transformer window": transformer(window=5),
    "transformer capacity": transformer(capacity=24, heads=4),
    "transformer both ways": transformer(causal=False),
    "transformer post": transformer(norm="post", activation="relu", heads=1),
    "transformer rms": transformer(normalisation="rms", activation="swiglu", window=5),
    "transformer post rms": transformer(normalisation="rms", norm="post", activation="silu"),
    "transformer rotary": transformer(ROTARY | {"period": 100.0}, capacity=24),
    "transformer relative": transformer(RELATIVE, capacity=24),
    "transformer relative long": transformer(RELATIVE | {"length": 40}, capacity=24),
    "transformer alibi": transformer(ALIBI, capacity=24),
    "transformer both ways rotary": transformer(ROTARY, causal=False),
    "transformer both ways relative": transformer(RELATIVE, causal=False),
    "transformer both ways alibi": transformer(ALIBI, causal=False),
    "decoder transformer": decoder(),
    "decoder transformer window": decoder(window=5, normalisation="rms", activation="swiglu"),
    "decoder transformer capacity": decoder(capacity=24, norm="post", activation="relu", heads=4),
    "decoder transformer rotary": decoder(ROTARY, window=5),
    "decoder transformer relative": decoder(RELATIVE, window=9, activation="silu"),
    "decoder transformer alibi": decoder(ALIBI, capacity=24),
}

#: What is tried of this file where a trial takes seconds.
REPRESENTATIVE: tuple[str, ...] = ("transformer window", "transformer relative", "decoder transformer rotary")
