"""A LiteRT file of several signatures: each is opened by its name, run step after step, and proven."""

from __future__ import annotations

import json

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from pipelines.export import converter, export_all, litert, load, runner, verify
from pipelines.export.verify import Reference
from tests.pipelines.export.stepper import STRETCH, Start, Step, Stepper


@pytest.fixture(scope="module")
def stepper() -> Stepper:
    return Stepper()


@pytest.fixture(scope="module")
def exported(stepper, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stepper") / "exports"
    with pytest.MonkeyPatch.context() as patch:  # test_build has the processes
        patch.setattr(verify, "fresh", lambda _, *jobs: runner.main(*map(str, jobs)))
        patch.setattr(litert, "fresh", lambda _, *jobs: converter.main(*map(str, jobs)))
        rows = export_all(stepper, folder, examples=20 * STRETCH, seed=1)
    return folder, {row.format: row for row in rows}


def test_every_format_is_proven_and_says_what_a_step_costs(exported):
    _, rows = exported
    assert {row.status for row in rows.values()} == {"proven"}, [row.note for row in rows.values()]
    for format in ("litert_float32", "litert_int8"):
        assert rows[format].flex_ops == 0
        assert rows[format].metric == pytest.approx(rows[format].metric_keras, rel=0.01)
    assert rows["litert_float32"].latency_ms < rows["saved_model"].latency_ms


def test_a_litert_file_answers_by_signature(exported, stepper):
    """And initial_state takes nothing; the host loop is the one that a device would run."""
    interpreter = Interpreter(model_path=str(exported[0] / "model_float32.tflite"))
    state = interpreter.get_signature_runner("initial_state")()
    step = interpreter.get_signature_runner("step")
    ids, found = np.array([[3, 1, 4, 1, 5]], "int32"), []
    for token in ids[0]:
        state = step(token=token[None], **state)
        found.append(state.pop("logits"))
    np.testing.assert_allclose(np.stack(found, 1), stepper.model(ids), rtol=1e-5, atol=1e-5)


def test_signatures_take_rows_one_after_another_where_a_file_takes_one(exported, stepper):
    inputs, _ = Step(stepper).examples(4 * STRETCH, 5)
    first = runner.at_step(inputs, 0)
    answers = [
        load.find(exported[0] / name).signatures()("step")(first) for name in ("saved_model", "model_float32.tflite")
    ]
    assert answers[0]["logits"].shape == (4, 12)
    np.testing.assert_allclose(answers[0]["logits"], answers[1]["logits"], rtol=1e-5, atol=1e-5)


def test_a_state_is_carried_through_a_stretch(stepper, tmp_path):
    """What is proven of a step is what the whole model says of the whole stretch, so that errors would add up."""
    reference = Reference.of(Step(stepper), stepper.models(), 7 * STRETCH, 2, tmp_path / "inputs.npz")
    assert reference.outputs["logits"].shape == (7, STRETCH, 12)
    whole = stepper.model(reference.inputs["token"])
    np.testing.assert_allclose(reference.outputs["logits"], whole, rtol=1e-5, atol=1e-5)


def test_a_step_whose_state_is_lost_is_caught(exported, stepper, tmp_path, monkeypatch):
    references = {
        "step": Reference.of(Step(stepper), stepper.models(), 7 * STRETCH, 2, tmp_path / "step.npz"),
        "initial_state": Reference.of(Start(stepper), stepper.models(), 1, 0, tmp_path / "start.npz"),
    }
    path = exported[0] / "model_float32.tflite"
    monkeypatch.setattr(verify, "fresh", lambda _, *jobs: runner.main(*map(str, jobs)))
    assert verify.check("litert_float32", path, references, tmp_path).status == "proven"
    forgetful = runner.opened

    def opened(model):
        named = forgetful(model)
        return lambda name: (
            lambda inputs: {k: np.zeros_like(y) if k == "state_0" else y for k, y in named(name)(inputs).items()}
        )

    monkeypatch.setattr(runner, "opened", opened)
    row = verify.check("litert_float32", path, references, tmp_path)
    assert row.status == "failed"
    assert row.note.startswith("step: It differs from the model by")


def test_a_signature_that_is_missing_is_told(exported, stepper, tmp_path):
    inputs, _ = Step(stepper).examples(STRETCH, 5)
    np.savez(tmp_path / "in.npz", **inputs)
    with pytest.raises(ValueError, match="leap"):
        runner.main(exported[0] / "model_float32.tflite", f"leap={tmp_path / 'in.npz'}={tmp_path / 'out.npz'}")


def test_the_contract_describes_every_signature(exported):
    contract = json.loads((exported[0] / "model.json").read_text())
    assert contract["signatures"]["step"]["inputs"] == {
        "token": {"shape": [None], "dtype": "int32"},
        "state_0": {"shape": [None, 6], "dtype": "float32"},
    }
