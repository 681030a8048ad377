"""Embeddings are their projections, patch by patch."""

from __future__ import annotations

import numpy as np
import pytest

from seqlayers import slots
from seqlayers.testing import Example, equal


def test_value_projects_each_step():
    example = Example("embedding", {"kind": "value", "units": 5, "activation": "tanh"})
    layer, x = example.layer(), example.input()
    kernel, bias = (w.astype(np.float64) for w in layer.get_weights())
    equal(layer(x), np.tanh(x @ kernel + bias), "it")


@pytest.mark.parametrize("length, stride, time, first", [(4, 4, 12, 0), (4, 4, 14, 2), (6, 2, 11, 1), (5, 5, 5, 0)])
def test_patches_end_at_the_last_step(length, stride, time, first):
    example = Example("embedding", {"kind": "patch", "length": length, "stride": stride, "units": 3}, time=time)
    layer, x = example.layer(), example.input()
    kernel, bias = (w.astype(np.float64) for w in layer.get_weights())
    starts = range(first, time - length + 1, stride)
    assert starts[-1] + length == time
    patches = np.stack([x[:, s : s + length] for s in starts], axis=1)
    equal(layer(x), np.einsum("bnlf,lfu->bnu", patches, kernel) + bias, "it")


def test_a_sequence_shorter_than_a_patch_is_refused():
    layer = slots.build("embedding", {"kind": "patch", "length": 8, "stride": 4})
    with pytest.raises(ValueError, match=r"patches of 8 steps, but was given 5.*shorter `length`"):
        layer(np.zeros((1, 5, 2), "float32"))


def test_patches_that_would_skip_steps_are_refused():
    with pytest.raises(slots.ConfigurationError, match=r"model\.embedding\.stride: 9 given with patches of 8.*int ≤ 8"):
        slots.build("embedding", {"kind": "patch", "length": 8, "stride": 9}, "model.embedding")
