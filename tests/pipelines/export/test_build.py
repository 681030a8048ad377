"""What leaves the export room was run by a process that never saw the model, and gave what Keras gives."""

from __future__ import annotations

import errno
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from pipelines.export import (
    ExportError,
    ExportRow,
    build,
    converter,
    export_all,
    litert,
    require_proven,
    runner,
    saved_model,
    verify,
)
from pipelines.export.process import ProcessFailed, fresh
from pipelines.export.servable import FILES
from tests.pipelines.export.toy import Toy

EXAMPLES = 300


def in_this_process(script):
    """Instead of a fresh process, for what has nothing to do with processes: TensorFlow takes long to start."""
    return lambda _, *arguments: script.main(*map(str, arguments))


@pytest.fixture(scope="module")
def toy() -> Toy:
    return Toy()


@pytest.fixture(scope="module")
def exported(toy, tmp_path_factory):
    """The toy in every format: the run's folder, the table by format, the progress that was shown."""
    run, lines = tmp_path_factory.mktemp("run"), []
    rows = export_all(toy, run / "exports", examples=EXAMPLES, seed=1, progress=lines.append)
    return SimpleNamespace(run=run, rows={row.format: row for row in rows}, lines=lines)


@pytest.fixture(scope="module")
def references(toy, tmp_path_factory):
    return verify.references(toy, tmp_path_factory.mktemp("inputs"), EXAMPLES, 1, device=False)[0]


@pytest.mark.parametrize("format", ["saved_model", "litert_float32"])
def test_a_float_export_equals_keras(exported, format):
    row = exported.rows[format]
    assert row.status == "proven", row.note
    assert row.max_error <= 1e-5
    assert row.metric == pytest.approx(row.metric_keras, rel=1e-5)


def test_int8_costs_at_most_one_percent_of_the_metric(exported):
    row = exported.rows["litert_int8"]
    assert row.status == "proven", row.note
    assert row.max_error > 0
    assert row.metric <= 1.01 * row.metric_keras
    assert row.size_kib < exported.rows["litert_float32"].size_kib


def test_litert_needs_no_tensorflow_ops(exported):
    assert {row.flex_ops for row in exported.rows.values() if row.format.startswith("litert")} == {0}


def test_each_row_says_size_latency_and_place(exported):
    for row in exported.rows.values():
        path = exported.run / row.path
        assert path.exists()
        assert row.size_kib == pytest.approx(verify.size_kib(path))
        assert 0 < row.latency_ms < 1000


def test_progress_says_how_each_format_went(exported):
    assert sorted(line.split(":")[0] for line in exported.lines) == sorted(exported.rows)


def test_only_what_was_asked_for_lies_in_the_folder(exported):
    names = {path.name for path in (exported.run / "exports").iterdir()}
    assert names == {*FILES.values(), "model.json", "verification.json"}
    assert [path.name for path in exported.run.iterdir()] == ["exports"]
    table = json.loads((exported.run / "exports" / "verification.json").read_text())
    assert [row["format"] for row in table] == list(FILES)


def test_the_contract_stands_inside_the_saved_model_and_beside_the_litert_files(exported, toy):
    inside = json.loads((exported.run / "exports/saved_model/assets.extra/model.json").read_text())
    beside = json.loads((exported.run / "exports/model.json").read_text())
    assert inside == beside
    assert inside.items() >= toy.contract().items()
    assert inside["inputs"]["times"] == {"shape": [None, 24], "dtype": "int64"}
    assert inside["outputs"]["forecast"] == {"shape": [None, 6, 1], "dtype": "float32"}


@pytest.mark.parametrize("batch", [1, 7])
def test_the_saved_model_takes_any_number_of_examples(exported, toy, batch):
    inputs, _ = toy.examples(batch, seed=5)
    serve = tf.saved_model.load(str(exported.run / "exports/saved_model")).signatures["serving_default"]
    got = serve(**{name: tf.constant(x) for name, x in inputs.items()})
    past = (inputs["readings"] - toy.mean) / toy.spread
    angle = (inputs["times"] % 86400)[..., None] * (2 * np.pi / 86400)
    y = toy.model.predict(np.concatenate([past, np.sin(angle), np.cos(angle)], -1), verbose=0)
    np.testing.assert_allclose(got["forecast"][..., 0], y * toy.spread[0] + toy.mean[0], rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(got["forecast_times"], inputs["times"][:, -1:] + 3600 * np.arange(1, 7))


def test_a_litert_file_that_was_altered_is_caught(exported, toy, references, tmp_path):
    weights = (exported.run / "exports/model_float32.tflite").read_bytes()
    bias = toy.model.layers[-1].bias.numpy()
    assert weights.count(bias.tobytes()) == 1
    altered = tmp_path / "model_float32.tflite"
    altered.write_bytes(weights.replace(bias.tobytes(), (bias + 0.01).tobytes()))
    row = verify.check("litert_float32", altered, references, tmp_path)
    assert row.status == "failed"
    assert row.max_error > 1e-4
    assert "differs from the model" in row.note


def test_a_litert_file_cut_short_is_caught(exported, references, tmp_path):
    whole = (exported.run / "exports/model_float32.tflite").read_bytes()
    (tmp_path / "model_float32.tflite").write_bytes(whole[: len(whole) // 2])
    row = verify.check("litert_float32", tmp_path / "model_float32.tflite", references, tmp_path)
    assert row.status == "failed"
    assert "does not run" in row.note


def test_a_saved_model_of_other_weights_is_caught(references, tmp_path, monkeypatch):
    monkeypatch.setattr(verify, "fresh", in_this_process(runner))
    other = Toy()
    other.model.layers[-1].bias.assign_add(np.full(6, 0.01))
    saved_model.write(other, tmp_path / "saved_model")
    row = verify.check("saved_model", tmp_path / "saved_model", references, tmp_path)
    assert row.status == "failed"
    assert row.max_error > 1e-4


class NoBuiltin(Toy):
    """Ends in an op that TensorFlow has and LiteRT has not."""

    def answer(self, y):
        return tf.math.erfinv(tf.tanh(y))


def test_a_conversion_that_fails_is_a_row_that_says_why(tmp_path, monkeypatch):
    monkeypatch.setattr(litert, "fresh", in_this_process(converter))
    rows = export_all(NoBuiltin(), tmp_path / "exports", ["litert_float32", "litert_int8"], examples=10)
    assert [row.status for row in rows] == ["failed", "failed"]
    assert all("Erfinv" in row.note and row.path is None for row in rows)
    assert not list((tmp_path / "exports").glob("*.tflite"))
    with pytest.raises(ExportError, match="litert_float32: Not converted: no LiteRT builtin for Erfinv"):
        require_proven(rows)


def test_a_refusal_gives_the_layers_reason_and_is_no_failure():
    kind = SimpleNamespace(slot="encoder", kind="spiral", refusals=lambda: {"litert": "it draws its own graph"})
    model = SimpleNamespace(kinds=lambda: [kind])
    reason = litert.refusal([model], "litert_int8")
    assert reason == "encoder 'spiral': it draws its own graph"
    assert litert.refusal([model], "saved_model") is None
    require_proven([ExportRow("litert_int8", "refused", note=reason)])


@pytest.mark.parametrize(("metric", "status"), [(1.009, "proven"), (1.011, "failed"), (float("nan"), "failed")])
def test_int8_is_judged_by_the_metric(metric, status):
    outputs = {"forecast": np.zeros((2, 3, 1), "float32")}
    row = ExportRow("litert_int8", "failed", max_error=0.5, metric=metric, metric_keras=1.0)
    assert verify.judge(row, outputs, outputs).status == status


def test_whole_numbers_are_equal_or_wrong():
    """Relative to 1.6e9 seconds an error of an hour is 2e-6, and still an hour."""
    times = np.array([[1_600_000_000]])
    assert verify.difference({"t": times + 3600}, {"t": times}) == 3600
    row = ExportRow("litert_int8", "failed", max_error=3600.0, metric=1.0, metric_keras=1.0)
    assert verify.judge(row, {"t": times + 3600}, {"t": times}).status == "failed"


@pytest.mark.parametrize("outputs", [{}, {"y": np.ones(3)}, {"y": np.array([1.0, np.nan])}, {"z": np.ones(2)}])
def test_missing_misshapen_or_undefined_outputs_are_infinitely_wrong(outputs):
    assert verify.difference(outputs, {"y": np.ones(2)}) == np.inf


def test_rounding_near_zero_in_small_units_is_no_difference():
    """Sales of ±10,000 that pass through 0.5: float32 leaves 1e-3 there, a ten-millionth of their spread."""
    expected = {"y": np.linspace(-10_000, 10_000, 2001, dtype="float32") + np.float32(0.5)}
    row = ExportRow("litert_float32", "failed", max_error=1e-3, metric=1.0, metric_keras=1.0)
    assert verify.judge(row, {"y": expected["y"] + np.float32(1e-3)}, expected).status == "proven"
    assert verify.judge(replace(row, max_error=1.0), {"y": expected["y"] + np.float32(1)}, expected).status == "failed"


def test_an_export_that_dies_leaves_nothing_new_and_the_old_one_whole(tmp_path, toy, monkeypatch):
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "model.json").write_text("{}")

    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(build.verify, "check", die)
    monkeypatch.setattr(build.litert, "convert", lambda *_: {})
    with pytest.raises(KeyboardInterrupt):
        export_all(toy, folder, ["saved_model"], examples=3)
    assert [path.name for path in tmp_path.iterdir()] == ["exports"]
    assert [path.name for path in folder.iterdir()] == ["model.json"]


def test_leftovers_of_a_killed_export_do_not_end_up_in_the_next(tmp_path, toy, monkeypatch):
    leftover = tmp_path / "exports.partial" / "work"
    leftover.mkdir(parents=True)
    (leftover.parent / "model_int8.tflite").write_bytes(b"half")
    monkeypatch.setattr(build.verify, "check", lambda format, *_: ExportRow(format, "proven"))
    export_all(toy, tmp_path / "exports", ["saved_model"], examples=3)
    names = {path.name for path in (tmp_path / "exports").iterdir()}
    assert names == {"saved_model", "model.json", "verification.json"}
    assert not leftover.parent.exists()


def test_an_unknown_format_is_refused_before_any_work(tmp_path, toy):
    with pytest.raises(ValueError, match=r"onnx.*saved_model, litert_float32, litert_int8"):
        export_all(toy, tmp_path / "exports", ["onnx"])
    assert not list(tmp_path.iterdir())


def test_no_held_out_examples_is_an_error(toy, tmp_path):
    with pytest.raises(ExportError, match="no held-out examples"):
        verify.references(toy, tmp_path, 0, 0, device=False)


def test_recurrent_layers_are_traced_without_cudnn_and_left_as_they_were(toy):
    gru = toy.model.layers[-2]
    gru.use_cudnn = "auto"
    with saved_model.portable(toy.models()):
        assert gru.use_cudnn is False
    assert gru.use_cudnn == "auto"


def test_a_process_that_crashes_is_an_error_with_the_signals_name(tmp_path):
    script = tmp_path / "falls.py"
    script.write_text("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(ProcessFailed, match=r"falls crashed \(SIGSEGV\)"):
        fresh(script)


def test_when_the_converter_crashes_on_one_format_the_other_is_still_made(tmp_path, monkeypatch):
    script = tmp_path / "converter.py"
    script.write_text(
        "import json, os, signal, sys\n"
        "if any(a.startswith('int8') for a in sys.argv): os.kill(os.getpid(), signal.SIGSEGV)\n"
        "print(json.dumps({'float32': None}))"
    )
    monkeypatch.setattr(litert, "CONVERTER", script)
    told = litert.convert(tmp_path, tmp_path, ["litert_float32", "litert_int8"])
    assert told == {"litert_float32": None, "litert_int8": "converter crashed (SIGSEGV)"}


def test_a_full_disk_in_the_converter_is_no_failed_export(tmp_path, monkeypatch):
    answer = {"float32": None, "int8": "OSError: [Errno 28] No space left on device"}
    monkeypatch.setattr(litert, "fresh", lambda *_: answer)
    with pytest.raises(OSError) as caught:
        litert.convert(tmp_path / "saved_model", tmp_path, ["litert_float32", "litert_int8"])
    assert caught.value.errno == errno.ENOSPC
