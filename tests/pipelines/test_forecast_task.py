"""A forecast's candidates: one set of bands for the table, the pictures and the exported model."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from pipelines import config
from pipelines.evaluate import IntervalErrors
from pipelines.intervals import pairs_of
from pipelines.task import Candidate, build
from pipelines.tasks.forecast import Forecast
from seqlayers.errors import ConfigurationError
from seqlayers.model import SequenceModel
from tests.pipelines.command import sales, write

RIDGE = "model={head: {kind: linear, solve: ridge, subtract: mean}}"
QUANTILES = "model={head: {kind: quantile, quantiles: [0.05, 0.25, 0.5, 0.75, 0.95]}}"


def prepared(folder, *settings: str, frame: pd.DataFrame | None = None) -> Forecast:
    source = write(sales() if frame is None else frame, folder / "sales.csv")
    task = Forecast(config.load("forecast", None, ["data.target=units", *settings]))
    task.prepare(str(source), None, lambda line: None)
    return task


def fitted(task: Forecast) -> list[Candidate]:
    """The baselines and the configured model, which is solved or left as it starts; calibrated."""
    candidates = task.baselines(lambda line: None)
    model = SequenceModel.for_task(task.configuration.model, **task.model_arguments())
    build(model, task)
    model.adapt(task.ordered("train", 64), task.ordered("validation", 64))
    candidates.append(Candidate("model", "model", model, 1.0))
    task.calibrate(candidates)
    return candidates


def shops(rows: int = 300) -> pd.DataFrame:
    """A small and a large shop, whose days differ by 1 and by 100."""
    rng = np.random.default_rng(0)
    blocks = []
    for name, size in (("small", 1.0), ("large", 100.0)):
        units = size * (10 + np.sin(2 * np.pi * np.arange(rows) / 7) + rng.normal(0, 0.5, rows))
        blocks.append(pd.DataFrame({"date": pd.date_range("2023-01-01", periods=rows), "shop": name, "units": units}))
    return pd.concat(blocks)


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    """A ridge as the configured model, on daily sales."""
    task = prepared(tmp_path_factory.mktemp("solved"), RIDGE)
    return task, fitted(task)


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    task = prepared(tmp_path_factory.mktemp("panel"), RIDGE, "data.id=shop", "data.calendar=[]", frame=shops())
    return task, fitted(task)


@pytest.fixture(scope="module")
def quantile(tmp_path_factory):
    task = prepared(tmp_path_factory.mktemp("quantile"), QUANTILES)
    return task, fitted(task)


def served(task: Forecast, candidate: Candidate, origins: np.ndarray) -> dict[str, np.ndarray]:
    inputs = {name: tf.constant(x) for name, x in task.data.readings(origins).items()}
    return {name: y.numpy() for name, y in task.servable(candidate).serve(inputs).items()}


def test_every_candidate_has_bands_naive_ones_included(solved):
    task, candidates = solved
    evaluation = task.evaluate("test", candidates)
    assert [row["name"] for row in evaluation.rows] == ["last value", "seasonal naive", "drift", "ridge", "model"]
    for row in evaluation.rows:
        assert row["pinball"] > 0 and 0 < row["coverage_50"] < row["coverage_80"] <= row["coverage_95"] <= 1
        assert "coverage" not in row
    found = evaluation.intervals
    assert set(found) == {c.name for c in candidates}
    assert found["ridge"]["method"] == "split conformal" and found["ridge"]["windows"] == 34
    assert found["ridge"]["bands"] == [0.5, 0.8, 0.95] and found["ridge"]["uncalibrated"] is None
    widths = found["ridge"]["width"]
    assert all(a < b for a, b in zip(widths["0.5"], widths["0.95"], strict=True)) and len(widths["0.5"]) == 7
    row = next(row for row in evaluation.rows if row["name"] == "ridge")
    assert row["coverage_80"] == pytest.approx(np.mean(found["ridge"]["coverage"]["0.8"]))
    json.dumps(evaluation.details)


def test_bands_are_not_judged_on_the_part_that_they_were_calibrated_on(solved):
    task, candidates = solved
    evaluation = task.evaluate("validation", candidates)
    for row in evaluation.rows:
        assert row["mae"] > 0 and row["pinball"] is None and row["coverage_80"] is None
    assert set(evaluation.intervals.values()) == {None}


@pytest.mark.parametrize("which", ["solved", "panel", "quantile"])
def test_what_is_served_is_what_was_evaluated(request, which):
    """The exported graph's quantiles make the table's own pinball loss and coverage."""
    task, candidates = request.getfixturevalue(which)
    row = task.evaluate("test", candidates).rows[-1]
    origins = task.data.origins("test")
    outputs = served(task, candidates[-1], origins)
    contract = task.servable(candidates[-1]).contract()
    levels = tuple(contract["quantiles"])
    errors = IntervalErrors(task.data.spec.horizon, 1, levels)
    errors.add(task.data.truth(origins), outputs["quantiles"], np.ones((len(origins), 1)))
    assert errors.row()["pinball"] == pytest.approx(row["pinball"], rel=1e-5)
    for key, share in errors.row().items():
        assert share == pytest.approx(row[key], abs=2e-3)
    np.testing.assert_array_equal(outputs["quantiles"][..., levels.index(0.5)], outputs["forecast"])
    assert (np.diff(outputs["quantiles"], axis=-1) >= 0).all()
    assert contract["intervals"]["bands"] == [round(b, 6) for b, _, _ in pairs_of(levels)]
    assert contract["intervals"]["calibrated_on"] == "validation"
    json.dumps(contract)


def test_the_fan_belongs_to_the_forecast_that_is_drawn(solved):
    task, candidates = solved
    for window in task.evaluate("test", candidates).details["windows"]:
        fan = window["quantiles"]
        assert list(fan) == ["0.025", "0.1", "0.25", "0.5", "0.75", "0.9", "0.975"]
        assert fan["0.5"] == pytest.approx(window["forecast"])
        assert all(a < b for a, b in zip(fan["0.1"], fan["0.9"], strict=True))


def test_a_quantile_head_brings_the_bands_for_all_and_shows_what_calibration_changed(quantile):
    task, candidates = quantile
    evaluation = task.evaluate("test", candidates)
    for row in evaluation.rows:
        assert {"coverage_50", "coverage_90"} <= set(row) and "coverage_80" not in row and row["coverage_90"] > 0.5
    found = evaluation.intervals["model"]
    assert found["method"] == "conformalised quantile regression" and found["bands"] == [0.5, 0.9]
    before, after = np.mean(found["uncalibrated"]["0.9"]), np.mean(found["coverage"]["0.9"])
    assert before < 0.75 < 0.82 < after, "a model as it starts knows nothing; its calibrated bands cover all the same"
    assert evaluation.intervals["ridge"]["method"] == "split conformal"


def test_the_small_series_of_a_panel_has_bands_of_its_own_size(panel):
    task, candidates = panel
    data = task.data
    origins = data.origins("test")
    quantiles = served(task, candidates[-1], origins)["quantiles"][:, :, 0]
    truth = data.truth(origins)[..., 0]
    names = np.array(data.series.names)[np.searchsorted(data.series.bounds, origins, side="right") - 1]
    levels = task.servable(candidates[-1]).levels
    for name, size in (("small", 1.0), ("large", 100.0)):
        low, high = quantiles[names == name][..., levels.index(0.1)], quantiles[names == name][..., levels.index(0.9)]
        assert 0.7 < ((truth[names == name] >= low) & (truth[names == name] <= high)).mean() < 0.9
        assert 0.5 * size < np.median(high - low) < 4 * size


@pytest.mark.parametrize("which", ["solved", "panel", "quantile"])
def test_bands_need_only_litert_builtins(request, which, tmp_path):
    from pipelines.export import converter, runner, saved_model

    task, candidates = request.getfixturevalue(which)
    saved_model.write_for_device(task.servable(candidates[-1]), tmp_path / "batch_1")
    (tmp_path / "model.tflite").write_bytes(converter.convert(str(tmp_path / "batch_1"), "float32"))
    assert runner.flex_ops(tmp_path / "model.tflite") == 0
    origins = task.data.origins("test")[:3]
    run, expected = runner.opened(tmp_path / "model.tflite")(runner.SIGNATURE), served(task, candidates[-1], origins)
    got = runner.one_by_one(run, task.data.readings(origins), 3)
    np.testing.assert_allclose(got["quantiles"], expected["quantiles"], rtol=1e-5, atol=1e-4)


def test_no_bands_are_made_where_none_are_wanted(tmp_path):
    task = prepared(tmp_path, QUANTILES, "intervals.bands=[]")
    candidates = fitted(task)
    evaluation = task.evaluate("test", candidates)
    assert [c.calibration for c in candidates] == [None] * 5
    assert set(evaluation.intervals.values()) == {None}
    assert evaluation.rows[0]["pinball"] is None and evaluation.rows[0]["coverage_90"] is None
    assert evaluation.rows[-1]["pinball"] > 0, "a quantile head keeps quantiles of its own"
    assert "quantiles" not in task.servable(candidates[3]).contract()["outputs"]
    assert served(task, candidates[-1], task.data.origins("test")[:2])["quantiles"].shape == (2, 7, 1, 5)


def test_too_few_validation_windows_for_a_band_are_said(tmp_path):
    task = prepared(tmp_path, RIDGE, "data.split={train: 0.9, validation: 0.04, test: 0.06}")
    candidates = fitted(task)
    assert len(task.data.origins("validation")) == 10
    found = task.evaluate("test", candidates).intervals["model"]
    assert found["note"].startswith("10 validation windows are too few for the band of 95%")


def test_a_quantile_head_whose_levels_make_no_band_gets_the_bands_asked_for(tmp_path):
    task = prepared(tmp_path, "model={head: {kind: quantile, quantiles: [0.1, 0.5, 0.8]}}", "intervals.bands=[0.955]")
    candidates = fitted(task)
    evaluation = task.evaluate("test", candidates)
    found = evaluation.intervals["model"]
    assert found["method"] == "split conformal" and found["bands"] == [0.955] and found["uncalibrated"] is None
    assert evaluation.rows[-1]["coverage_95.5"] > 0.5
    assert served(task, candidates[-1], task.data.origins("test")[:2])["quantiles"].shape == (2, 7, 1, 3)


def test_a_forecast_that_is_not_a_number_is_told_of_by_name(tmp_path):
    task = prepared(tmp_path, RIDGE)
    candidates = fitted(task)
    candidates[-1].predictor.set_weights([np.full_like(w, np.nan) for w in candidates[-1].predictor.get_weights()])
    with pytest.raises(FloatingPointError, match="model: a forecast of the validation part is not a finite number"):
        task.calibrate(candidates)


def test_where_the_naive_forecast_has_no_error_there_is_no_skill(tmp_path):
    """A target that stops moving before validation: three quarters of a year of snow depth, then none."""
    frame = sales()
    frame.loc[250:, "units"] = 7.0
    task = prepared(tmp_path, RIDGE, frame=frame)
    evaluation = task.evaluate("test", fitted(task))
    assert evaluation.rows[0]["mae"] == 0 and [row["skill"] for row in evaluation.rows] == [None] * 5
    assert "0.00" in task.verdict(evaluation).text


def test_the_errors_of_a_panel_are_told_as_mase_everywhere(panel):
    task, candidates = panel
    evaluation = task.evaluate("test", candidates)
    row, details = evaluation.rows[-1], evaluation.details
    assert details["by_step"]["of"] == "MASE"
    assert np.mean(details["by_step"]["mae"]["model"]) == pytest.approx(row["mase"])
    assert "(MASE)" in task.verdict(evaluation).text


def test_of_many_targets_the_windows_of_two_are_kept(tmp_path):
    frame = sales().assign(returns=lambda f: f["units"] / 10, visits=lambda f: f["units"] * 3 + f["price"])
    task = prepared(tmp_path, RIDGE, "data.target=[units, returns, visits]", frame=frame)
    details = task.evaluate("test", fitted(task)).details
    assert {w["target"] for w in details["windows"]} == {"units", "returns"}
    assert {row["target"] for row in details["per_target"]} == {"units", "returns", "visits"}


def test_the_chosen_candidate_can_be_exported_and_a_rule_cannot(solved):
    task, candidates = solved
    verdict = task.verdict(task.evaluate("test", candidates))
    assert verdict.chosen == "ridge", "as good as the configured model, and simpler"
    assert task.servable(next(c for c in candidates if c.name == verdict.chosen)).levels
    with pytest.raises(TypeError, match="'last value' cannot be exported"):
        task.servable(candidates[0])


@pytest.mark.slow
def test_folds_are_tasks_of_their_own(tmp_path):
    task = prepared(tmp_path, RIDGE)
    folds = task.folds(2, window="expanding", embargo="1d")
    assert [type(fold) for fold in folds] == [Forecast, Forecast]
    rows = [fold.evaluate("test", fitted(fold)).rows for fold in folds]
    assert rows[0][3]["mae"] != rows[1][3]["mae"]
    assert rows[0][3]["coverage_80"] is not None
    assert folds[0].data.transform.standardise.mean != folds[1].data.transform.standardise.mean


def test_a_naive_forecasts_name_is_taken(tmp_path):
    with pytest.raises(ConfigurationError, match=r"baselines\.drift: the name is taken"):
        prepared(tmp_path, RIDGE, "baselines.drift={kind: linear, solve: ridge}")


@pytest.mark.parametrize("given", ["5", "{season: 7}", "{kind: linear, solve: ridge, classical: auto_ets}"])
def test_a_baseline_is_one_thing_or_the_other(tmp_path, given):
    with pytest.raises(ConfigurationError, match=r"baselines\.mine.*classical: auto_ets"):
        prepared(tmp_path, RIDGE, f"baselines.mine={given}")
