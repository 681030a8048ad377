"""Dropout is for training alone."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest

from seqlayers import slots
from seqlayers.testing import equal
from tests.seqlayers.cases import CASES

RANDOM = ("dropout", "recurrent_dropout", "zoneout", "token_dropout")
WITH_DROPOUT = [
    (slot, kind, argument)
    for slot, kinds in slots.catalogue().items()
    for kind, cls in kinds.items()
    for argument in cls.arguments()
    if argument in RANDOM
]


def in_training(compute):
    """What is computed inside a layer that is called in training."""

    class Around(keras.layers.Layer):
        def call(self, x, training=None):
            return keras.ops.convert_to_tensor(compute())

    return Around()(np.zeros(1), training=True)


@pytest.mark.parametrize("slot, kind, argument", WITH_DROPOUT)
def test_it_changes_training_and_nothing_else(slot, kind, argument):
    first = next(e for e in CASES.values() if (e.slot, e.configuration["kind"]) == (slot, kind))
    settings = {name: value for name, value in first.configuration.items() if name not in RANDOM}
    without = dataclasses.replace(first, configuration=settings, batch=16)
    with_dropout = dataclasses.replace(without, configuration=settings | {argument: 0.5})
    layer, plain, x = with_dropout.layer(), without.layer(), without.input()
    inference = np.asarray(with_dropout.call(layer, x))
    if argument != "zoneout":  # whose inference is the mixture's mean
        equal(inference, without.call(plain, x), "inference")
    equal(with_dropout.call(layer, x), inference, "inference, once more")
    one, other = (np.asarray(with_dropout.call(layer, x, training=True)) for _ in range(2))
    assert np.abs(one - inference).max() > 1e-3
    assert np.abs(one - other).max() > 1e-3, "each call draws anew"
    if slot != "head" and layer.streams:
        found = in_training(lambda: with_dropout.stepped(layer, x[:, :3]))
        equal(found, inference[:, :3], "steps, wherever they are taken")


def test_every_kind_with_weights_to_drop_is_tried():
    tried = {kind for _, kind, _ in WITH_DROPOUT}
    assert tried >= {"lstm", "gru", "simple_rnn", "segment_gru", "transformer", "convolution", "forecast", "quantile"}
