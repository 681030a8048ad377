"""Every kind converts to LiteRT on builtin operations, and gives Keras's numbers there; streaming steps too."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from seqlayers import slots
from seqlayers.testing import equal
from tests.seqlayers import litert
from tests.seqlayers.cases import CASES, REPRESENTATIVE

NAMES = [n for n, e in CASES.items() if "litert" not in e.layer().refusals()]
STREAMS = [n for n in NAMES for k in [CASES[n].layer()] if k.streams and (k.slot != "head" or k.remembers)]


def some_fast(names):
    return [n if n in REPRESENTATIVE else pytest.param(n, marks=pytest.mark.slow) for n in names]


@pytest.mark.parametrize("name", some_fast(NAMES))
def test_the_converted_kind_gives_the_same_numbers(name):
    for found, expected in zip(*litert.whole(CASES[name]), strict=True):
        equal(found, expected, f"{name} in LiteRT differs")


@pytest.mark.parametrize("name", some_fast(STREAMS))
def test_the_converted_step_gives_the_same_output_and_state(name):
    for found, expected in zip(*litert.one_step(CASES[name]), strict=True):
        equal(found, expected, f"a step of {name} in LiteRT differs")


def wide(slot, kind):
    """A kind's first case, wide enough for its weights to be worth eight bits: the converter leaves small ones."""
    example = next(e for e in CASES.values() if (e.slot, e.configuration["kind"]) == (slot, kind))
    settings = dict(example.configuration)
    for argument in slots.get(slot, kind).arguments():
        settings |= {"units": 128} if argument == "units" else {}
        settings |= {"layer": {"kind": "gru", "units": 128}} if argument == "layer" else {}
    for name in ("classes", "vocabulary", "pitches"):
        settings |= {name: 128 if name == "pitches" else 32} if name in settings else {}
    vocabulary = None if example.vocabulary is None else 32
    return dataclasses.replace(example, configuration=settings, features=128, vocabulary=vocabulary)


@pytest.mark.parametrize(
    "slot, kind",
    [
        pytest.param(slot, kind, marks=[] if (slot, kind) in (("encoder", "gru"),) else pytest.mark.slow)
        for slot, kinds in slots.catalogue().items()
        for kind in kinds
    ],
)
def test_weights_in_eight_bits_stay_near(slot, kind):
    example = wide(slot, kind)
    if reason := example.layer().refusals().get("int8"):
        pytest.skip(f"refused: {reason}")
    found, expected, share = litert.in_eight_bits(example)
    error = np.sqrt(np.mean(np.square(found - expected))) / max(1e-6, np.sqrt(np.mean(np.square(expected))))
    assert error < 0.05
    if example.layer().count_params() > 20_000:
        assert share < 0.6, "the file is hardly smaller"
