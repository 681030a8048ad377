"""The Transformer block is its equation, in each of its variants."""

from __future__ import annotations

import numpy as np
import pytest

from seqlayers import slots
from seqlayers.testing import Example, equal
from tests.seqlayers import reference_attention as reference
from tests.seqlayers.gradients import check_gradients

SMALL = {"kind": "transformer", "units": 8, "heads": 2, "feed_forward": 12}


@pytest.mark.parametrize(
    "settings, band",
    [
        ({}, {}),
        ({"activation": "silu"}, {"window": 3}),
        ({"normalisation": "rms"}, {"causal": False}),
        ({"activation": "swiglu"}, {"causal": False, "window": 2}),
        ({"norm": "post", "heads": 4}, {}),
        ({"activation": "relu", "heads": 8}, {}),
        ({"norm": "post", "normalisation": "rms", "activation": "swiglu"}, {"window": 2}),
    ],
    ids=str,
)
def test_outputs_and_gradients_are_those_of_the_equation(settings, band):
    case = Example("encoder", SMALL | settings | band, features=8, time=5)
    layer, x = case.layer(), case.input()[:2]

    def equation(x, values):
        return reference.block(layer, x, reference.named(layer, values), reference.banded(**band))

    equal(layer(x), equation(x.astype(np.float64), [np.asarray(w, np.float64) for w in layer.weights]), "the block")
    check_gradients(layer, layer, equation, x, directions=2)


@pytest.mark.parametrize("position, score", [("rotary", reference.rotary()), ("alibi", reference.alibi(2))])
def test_a_position_acts_inside_the_attention_of_the_block(position, score):
    case = Example("encoder", SMALL, features=8, time=6, position={"kind": position})
    layer, x = case.layer(), case.input()
    w = reference.named(layer, [np.asarray(w, np.float64) for w in layer.weights])
    equal(layer(x), reference.block(layer, x.astype(np.float64), w, reference.banded(), score), position)


def test_another_width_is_refused_with_the_embedding_that_would_help():
    with pytest.raises(ValueError, match=r"8 units, but its input has 5 features.*kind: value, units: 8"):
        slots.build("encoder", SMALL)(np.zeros((1, 4, 5), "float32"))


def test_the_names_of_the_weights_stay_so_that_old_files_load():
    names = [w.path.partition("/")[2] for w in Example("encoder", SMALL, features=8).layer().weights]
    layers = ["attention/projection", "attention/output", "inner", "outer"]
    norms = [f"norm_{i}/{part}" for i in (1, 2) for part in ("gamma", "beta")]
    assert names == [f"{layer}/{part}" for layer in layers for part in ("kernel", "bias")] + norms
