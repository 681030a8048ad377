"""Dropout is for training alone."""

from __future__ import annotations

import numpy as np
import pytest

from seqlayers import slots
from seqlayers.testing import Example, equal

SIZES = {"horizon": 4, "targets": 1}
WITH_DROPOUT = [
    (slot, kind, argument)
    for slot, kinds in slots.catalogue().items()
    for kind, cls in kinds.items()
    for argument in cls.arguments()
    if "dropout" in argument
]


@pytest.mark.parametrize("slot, kind, argument", WITH_DROPOUT)
def test_it_changes_training_and_nothing_else(slot, kind, argument):
    takes_units = "units" in slots.get(slot, kind).arguments()
    settings = {"kind": kind} | (SIZES if slot == "head" else {"units": 8} if takes_units else {})
    if kind == "segment_gru":
        settings["segment"] = 4
    with_dropout = Example(slot, settings | {argument: 0.5}, features=8)
    layer, x = with_dropout.layer(), with_dropout.input()
    without = Example(slot, settings, features=8).layer()
    inference = layer(x, training=False)
    equal(inference, without(x, training=False), "inference")
    first, second = (np.asarray(layer(x, training=True)) for _ in range(2))
    assert np.abs(first - np.asarray(inference)).max() > 1e-3
    assert np.abs(first - second).max() > 1e-3, "each call draws anew"


def test_every_kind_with_weights_to_drop_is_tried():
    tried = {kind for _, kind, _ in WITH_DROPOUT}
    assert tried >= {"lstm", "gru", "simple_rnn", "segment_gru", "transformer", "convolution", "forecast", "quantile"}
