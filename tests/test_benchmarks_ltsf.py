"""The long-horizon benchmark measures what the published tables measure."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from data.source import DATA_VARIABLE
from tests.benchmarks.ltsf import __main__ as table
from tests.benchmarks.ltsf import protocol, row
from tests.benchmarks.ltsf.recipes import RECIPES, Recipe, recipe_for

real = pytest.mark.skipif(not os.environ.get(DATA_VARIABLE), reason=f"${DATA_VARIABLE} is not set")

#: (train, validation, test) windows at horizon 96, look-back 336, as the published code counts them, no batch dropped.
WINDOWS = {"etth1": (8209, 2785, 2785), "ltsf-weather": (36456, 5175, 10444)}


load = functools.cache(protocol.load)


def series(rows=200, targets=2):
    """A straight line up, so that errors are known."""
    values = np.arange(rows, dtype=np.float32)[:, None] * np.ones(targets, np.float32)
    return protocol.Series("line", values, (0, 100, 140, 200), targets)


def test_every_window_counts_and_the_look_back_alone_reaches_over_a_border():
    line = series()
    for part, first, last in (("train", 30, 100), ("validation", 100, 140), ("test", 140, 200)):
        np.testing.assert_array_equal(line.origins(part, 30, 8), np.arange(first, last - 8 + 1))


def test_repeating_the_last_value_of_a_line_errs_by_its_steps():
    steps = np.arange(1, 9)
    errors = row.measure(None, series(), "test", Recipe(30, None, 1), 8)
    assert errors.mse == pytest.approx(np.mean(steps**2))
    assert errors.mae == pytest.approx(np.mean(steps))
    assert errors.count == (60 - 8 + 1) * 8 * 2


def test_windows_hold_the_calendar_and_targets_do_not():
    line = series(targets=1)
    both = protocol.Series("line", np.concatenate([line.values, -line.values], axis=1), line.borders, 1)
    (inputs, target), *_ = both.windows(np.array([50]), 3, 2, 4)
    np.testing.assert_array_equal(inputs["past"][0], [[47, -47], [48, -48], [49, -49]])
    np.testing.assert_array_equal(target[0], [[50], [51]])


def test_an_epoch_is_a_share_of_the_windows_and_every_epoch_has_its_steps():
    recipe = Recipe(30, {}, 1, share=0.25)
    batches = row.Batches(series(), recipe, 8)
    steps = batches.steps_per_epoch(4)
    assert steps == 63 // 4 // 4
    found = list(batches.training(4, seed=0, first_epoch=0, epochs=9))
    assert len(found) >= 9 * steps
    later = next(iter(batches.training(4, seed=0, first_epoch=2, epochs=9)))
    np.testing.assert_array_equal(later[1], found[2 * steps][1])


def test_training_stops_at_its_budget_with_the_best_weights_so_far():
    recipe = Recipe(30, {"head": {"kind": "linear"}}, 1e-4, {"epochs": 500, "batch_size": 4, "jit": False})
    _, said = row.fit_model(series(), recipe, 8)
    assert said["stopped_by_budget"] and said["epochs"] < 500


def test_the_rows_of_a_blend_are_fitted_each_by_itself_and_weighted_equally():
    solved, trained = {"head": {"kind": "linear", "solve": "ridge", "subtract": "mean"}}, {"head": {"kind": "linear"}}
    train = {"epochs": 2, "batch_size": 16, "jit": False}
    line = series()
    x = {"past": line.values[None, 100:130]}
    found = []
    for model in (solved, trained, {"join": "blend", "branches": [solved, trained]}):
        fitted, _ = row.fit_model(line, Recipe(30, model, 1, train), 8)
        found.append(np.asarray(fitted(x)))
    np.testing.assert_allclose(found[2], (found[0] + found[1]) / 2, rtol=1e-5)


@pytest.mark.parametrize("data", RECIPES)
def test_every_row_has_a_recipe_within_ten_minutes_and_the_ridge_is_that_of_the_goals(data):
    for horizon in protocol.HORIZONS:
        for kind in RECIPES[data][0]:
            assert recipe_for(data, horizon, kind).minutes <= 10
    ridge = recipe_for(data, 96, "ridge")
    assert (ridge.look_back, ridge.solve_every) == ((512, 1) if data == "etth1" else (720, 1))
    assert recipe_for(data, 96, "ridge").tag() != recipe_for(data, 96, "repeat").tag()


def test_a_row_takes_its_predecessors_place_and_the_best_on_validation_is_chosen():
    def made(kind, error, **more):
        return {"data": "etth1", "horizon": 96, "kind": kind, "validation_mse": error, "quick": False, **more}

    rows = []
    for row_ in (made("ridge", 0.5), made("repeat", 0.9), made("blend", 0.4), made("blend", 0.6, mse=1)):
        rows = table.merge(rows, row_)
    assert [(r["kind"], r["chosen"]) for r in rows] == [("repeat", False), ("ridge", True), ("blend", False)]
    assert rows[2]["mse"] == 1


def run(*arguments, **environment):
    command = [sys.executable, "-m", "tests.benchmarks.ltsf", *arguments]
    given = {k: v for k, v in os.environ.items() if k != DATA_VARIABLE} | environment
    return subprocess.run(command, cwd=table.ROOT, env=given, capture_output=True, text=True, check=False)


def test_without_the_data_it_says_what_is_missing_and_ends_well():
    found = run()
    assert found.returncode == 0 and f"Skipped: ${DATA_VARIABLE} is not set" in found.stdout


@real
@pytest.mark.parametrize("data", WINDOWS)
def test_the_windows_are_those_of_the_published_code(data):
    found = load(data)
    assert tuple(len(found.origins(part, 336, 96)) for part in protocol.PARTS) == WINDOWS[data]
    train = found.values[: found.borders[1]].astype(np.float64)
    np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(train.std(axis=0), 1, atol=1e-3)


@real
@pytest.mark.parametrize(
    "data, horizon, mse, mae",
    [
        ("etth1", 96, 1.2944, 0.7132),
        ("etth1", 720, 1.3351, 0.7550),
        ("ltsf-weather", 96, 0.2591, 0.2542),
        ("ltsf-weather", 720, 0.4652, 0.3935),
    ],
)
def test_repeating_the_last_value_has_the_published_errors(data, horizon, mse, mae):
    errors = row.measure(None, load(data), "test", recipe_for(data, horizon, "repeat"), horizon)
    assert (round(errors.mse, 4), round(errors.mae, 4)) == (mse, mae)


@real
def test_rows_are_kept_and_not_computed_again(tmp_path):
    file = tmp_path / "rows.json"
    arguments = ["--data", "etth1", "--horizons", "96", "--kinds", "repeat", "--json", str(file)]
    data = os.environ[DATA_VARIABLE]
    assert run(*arguments, **{DATA_VARIABLE: data}).returncode == 0
    (kept,) = json.loads(file.read_text())
    assert {"data", "horizon", "kind", "mse", "mae", "validation_mse", "seconds", "peak_mib"} <= kept.keys()
    assert kept["mse"] == pytest.approx(1.2944, abs=1e-4) and kept["chosen"]
    file.write_text(json.dumps([kept | {"mse": 7.0}]))
    assert " 7.0000 " in run(*arguments, **{DATA_VARIABLE: data}).stdout
    assert " 1.2944 " in run(*arguments, "--fresh", **{DATA_VARIABLE: data}).stdout
