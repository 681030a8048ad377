"""The row around an encoder is the task's own, and what is asked for is read as it was meant."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pipelines import rows
from seqlayers.model import SequenceModel

TASK = SimpleNamespace(model_arguments=lambda: {"horizon": 3, "targets": 1})
LEVEL = {"kind": "reversible", "subtract": "last"}
BEFORE = {
    "embedding": {"kind": "value", "units": 8},
    "position": {"kind": "rotary"},
    "encoder": [{"kind": "transformer", "units": 8, "heads": 2}],
    "pooling": {"kind": "mean"},
}
HEAD = {"kind": "forecast", "hidden": 5}
SOLVED = {"head": {"kind": "linear", "solve": "ridge"}}


@pytest.mark.parametrize(
    "model",
    [
        {**BEFORE, "normalise": LEVEL, "head": HEAD},
        {"join": "blend", **SOLVED, "branches": [{**BEFORE, "normalise": LEVEL, "head": HEAD}]},
        {"normalise": LEVEL, "head": HEAD, "branches": [BEFORE, BEFORE]},
    ],
    ids=["a row", "the row that is trained", "what branches share"],
)
def test_the_row_around_an_encoder_is_the_tasks(model):
    around, width = rows._around(SequenceModel.for_task(model, **TASK.model_arguments()), TASK, None)
    assert width == 8 and around["pooling"] == {"kind": "last"}
    for slot, given in (("embedding", BEFORE["embedding"]), ("head", HEAD)):
        assert around[slot].items() >= given.items()
    assert "horizon" not in around["head"], "which the task fills in"
    assert "normalise" not in around, "which takes the last reading away"
    with_attention, without = (rows._fitting(around, {"kind": kind}) for kind in ("attention", "gru"))
    assert with_attention["position"]["kind"] == "rotary" and "position" not in without


def test_units_asked_for_are_those_of_embedding_and_encoder():
    whole = SequenceModel.for_task({**BEFORE, "head": HEAD}, **TASK.model_arguments())
    around, width = rows._around(whole, TASK, 6)
    assert (width, around["embedding"]["units"]) == (6, 6)


def test_a_question_is_read_as_it_was_meant():
    asked = rows.question("gru,{kind: lstm, units: 8}", "1,1.5,1", epochs=2)
    assert asked.encoders == ({"kind": "gru"}, {"kind": "lstm", "units": 8})
    assert (asked.gains, asked.steps, asked.epochs) == ((1.0, 1.5), None, 2)
    assert rows.question("gru") == rows.Question(({"kind": "gru"},), None, rows.STEPS, None, None)
