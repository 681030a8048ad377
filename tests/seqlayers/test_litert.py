"""Every kind converts to LiteRT on builtin operations, and gives Keras's numbers there; streaming steps too."""

from __future__ import annotations

import pytest

from seqlayers.testing import equal
from tests.seqlayers import litert
from tests.seqlayers.cases import CASES, REPRESENTATIVE

NAMES = [n for n, e in CASES.items() if "litert" not in e.layer().refusals()]
STREAMS = [n for n in NAMES if CASES[n].slot != "head" and CASES[n].layer().streams]


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
