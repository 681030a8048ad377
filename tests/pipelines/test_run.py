"""One command takes a file to a proven export, and says clearly what is wrong where it cannot."""

from __future__ import annotations

import errno
import gzip
import json
import os
import signal
import subprocess
import sys
import time

import mlflow
import numpy as np
import pandas as pd
import pytest

from pipelines.train import Checkpoint
from tests.pipelines.command import SMALL, sales, seqlayers, write


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """One small run, looked at from several sides."""
    home = tmp_path_factory.mktemp("home")
    source = write(sales(), home / "sales.csv")
    answer = seqlayers(
        "run", "forecast", "--source", source, "--home", home, "--set", "data.target=units", *SMALL, "--json"
    )
    assert answer.code == 0, answer.err
    return home, source, answer


def test_the_last_line_is_the_result_as_json(run):
    _, _, answer = run
    found = answer.json
    assert found["status"] == "done" and found["task"] == "forecast" and found["sample"] is False
    assert set(found) == {
        "task", "run_id", "status", "source", "sample", "metrics", "baselines", "skill", "chosen", "artifacts",
        "seconds",
    }  # fmt: skip
    assert {"last value", "seasonal naive", "drift", "ridge"} <= set(found["baselines"])
    assert found["metrics"]["mae"] > 0
    best = min(found["baselines"][name]["mae"] for name in ("last value", "seasonal naive", "drift"))
    assert found["skill"] == pytest.approx(1 - found["metrics"]["mae"] / best)
    for path in [found["artifacts"]["report"], found["artifacts"]["saved_model"], *found["artifacts"]["litert"]]:
        assert os.path.exists(path)
    assert len(found["artifacts"]["litert"]) == 2


def test_every_export_is_proven_and_recorded(run):
    home, _, _ = run
    record = json.loads((home / "runs" / "forecast" / "latest" / "record.json").read_text())
    assert [row["status"] for row in record["exports"]] == ["proven"] * 3
    assert all(row["flex_ops"] in (0, None) for row in record["exports"])
    assert all(row["max_error"] <= 1e-5 for row in record["exports"] if row["format"] != "litert_int8")


def test_predict_answers_from_either_export(run, tmp_path):
    home, source, _ = run
    exports = home / "runs" / "forecast" / "latest" / "exports"
    tables = []
    for model in (exports / "saved_model", exports / "model_float32.tflite"):
        output = tmp_path / f"{model.name}.csv"
        answer = seqlayers("predict", model, "--input", source, "--output", output)
        assert answer.code == 0, answer.out
        assert output.with_suffix(".png").stat().st_size > 1000
        tables.append(pd.read_csv(output))
    assert list(tables[0].columns[:2]) == ["time", "units"]
    bands = [f"units q{q:g}" for q in (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)]
    assert list(tables[0].columns[2:]) == bands and (np.diff(tables[0][bands], axis=1) >= 0).all()
    assert str(tables[0]["time"][0]).startswith("2024-02-05")  # the day after the last row
    np.testing.assert_allclose(tables[0]["units"], tables[1]["units"], rtol=1e-5)


def test_compare_lists_the_run(run):
    home, _, answer = run
    listed = seqlayers("compare", "forecast", "--home", home, "--json")
    assert listed.code == 0
    assert listed.json[0]["mae"] == pytest.approx(answer.json["metrics"]["mae"])
    assert listed.json[0]["chosen"] == answer.json["chosen"]


def test_the_ridge_is_exported_and_registered_where_it_is_the_better_one(run):
    home, source, answer = run
    record = json.loads((home / "runs" / "forecast" / "latest" / "record.json").read_text())
    assert answer.json["baselines"]["ridge"]["mase"] < answer.json["metrics"]["mase"]  # two epochs are not enough
    assert answer.json["chosen"] == "ridge" and record["chosen"] == {"name": "ridge", "role": "baseline"}
    assert "Use the ridge" in record["verdict"]
    store = mlflow.MlflowClient(f"sqlite:///{home / 'mlflow.db'}")
    assert store.get_model_version_by_alias("seqlayers-forecast", "champion").tags["slots"] == "ridge"
    predicted = seqlayers(
        "predict", home / "runs" / "forecast" / "latest", "--input", source, "--output", home / "f.csv"
    )
    assert predicted.code == 0


@pytest.mark.slow
def test_the_configured_model_is_exported_on_request(tmp_path):
    answer = seqlayers(
        "run", "forecast", "--source", write(sales(), tmp_path / "a.csv"), "--home", tmp_path, *TARGET,
        "--set", "model={head: {kind: linear, solve: ridge, subtract: last, strengths: [10.0]}}",
        "--set", "export.formats=[saved_model]", "--set", "export.candidate=model", "--json",
    )  # fmt: skip
    assert answer.code == 0 and answer.json["chosen"] == "linear"
    assert answer.json["baselines"]["ridge"]["mase"] < answer.json["metrics"]["mase"]


def test_the_keras_file_loads_and_is_the_configured_model(run):
    import keras

    home, _, _ = run
    model = keras.saving.load_model(home / "runs" / "forecast" / "latest" / "model.keras")
    assert model.summary_tag() == "reversible>value>gru>last>forecast ~ linear"


@pytest.mark.slow
def test_the_configuration_that_a_run_leaves_repeats_it(run, tmp_path):
    home, _, answer = run
    written = home / "runs" / "forecast" / "latest" / "configuration.yaml"
    again = seqlayers("run", "--config", written, "--home", tmp_path, "--set", "export.formats=[]", "--json")
    assert again.code == 0, again.err
    assert again.json["metrics"] == answer.json["metrics"]


@pytest.mark.slow
def test_a_solved_model_needs_no_training_and_is_not_registered_without_a_saved_model(tmp_path):
    answer = seqlayers(
        "run", "forecast", "--source", write(sales(), tmp_path / "a.csv"), "--home", tmp_path, *TARGET,
        "--set", "model={head: {kind: linear, solve: ridge}}", "--set", "export.formats=[]",
    )  # fmt: skip
    assert answer.code == 0 and "Not registered" in answer.out
    record = json.loads((tmp_path / "runs" / "forecast" / "latest" / "record.json").read_text())
    assert record["curves"] is None and record["metrics"][-1]["skill"] > 0


# --- bad input ------------------------------------------------------------------------------------------------------


def refused(source, home, *settings):
    answer = seqlayers("run", "forecast", "--source", source, "--home", home, *settings)
    assert answer.code == 2, answer.out
    assert "Stopped:" in answer.out and "Traceback" not in answer.out
    assert not (home / "runs").exists() or not list((home / "runs").glob("*/2*"))
    return " ".join(answer.out.split())


TARGET = ("--set", "data.target=units")


def test_missing_file(tmp_path):
    assert "nowhere.csv" in refused(tmp_path / "nowhere.csv", tmp_path, *TARGET)


def test_a_folder_instead_of_a_file(tmp_path):
    (tmp_path / "folder").mkdir()
    assert "folder" in refused(tmp_path / "folder", tmp_path, *TARGET)


def test_an_empty_file(tmp_path):
    (tmp_path / "empty.csv").write_text("")
    assert "empty" in refused(tmp_path / "empty.csv", tmp_path, *TARGET)


def test_no_time_column(tmp_path):
    said = refused(write(sales().drop(columns="date"), tmp_path / "a.csv"), tmp_path, *TARGET)
    assert "time" in said and "units" in said


def test_a_target_that_is_not_there(tmp_path):
    said = refused(write(sales(), tmp_path / "a.csv"), tmp_path, "--set", "data.target=uints")
    assert "uints" in said and "units" in said


def test_no_target_named(tmp_path):
    assert "data.target" in refused(write(sales(), tmp_path / "a.csv"), tmp_path)


def test_text_in_a_number_column(tmp_path):
    frame = sales().astype({"units": object})
    frame.loc[17, "units"] = "lots"
    said = refused(write(frame, tmp_path / "a.csv"), tmp_path, *TARGET)
    assert "units" in said and "lots" in said


def test_an_all_missing_target(tmp_path):
    assert "units" in refused(write(sales().assign(units=np.nan), tmp_path / "a.csv"), tmp_path, *TARGET)


def test_a_series_that_is_too_short(tmp_path):
    said = refused(write(sales(12), tmp_path / "a.csv"), tmp_path, *TARGET)
    assert "12" in said


def test_a_horizon_of_zero(tmp_path):
    assert "horizon" in refused(write(sales(), tmp_path / "a.csv"), tmp_path, *TARGET, "--set", "data.horizon=0")


def test_a_corrupted_gzip(tmp_path):
    whole = gzip.compress(sales().to_csv(index=False).encode())
    (tmp_path / "a.csv.gz").write_bytes(whole[: len(whole) // 2])
    assert "a.csv.gz" in refused(tmp_path / "a.csv.gz", tmp_path, *TARGET)


def test_a_wrong_slot_is_refused_with_its_path(tmp_path):
    said = refused(write(sales(), tmp_path / "a.csv"), tmp_path, *TARGET, "--set", "model.encoder.0.kind=gruu")
    assert "model.encoder.0.kind" in said and "Did you mean 'gru'?" in said
    said = refused(write(sales(), tmp_path / "a.csv"), tmp_path, *TARGET, "--set", "model.encoder.0.unit=8")
    assert "model.encoder.0.unit" in said and "Did you mean 'units'?" in said


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("model.branches=5", "model.branches"),
        ("model.join=mixed", "model.join"),
        ("model.encoder.0.kind=[gru]", "model.encoder.0.kind"),
        ("baselines.ridge.solve=gradient", "baselines.ridge"),
        ("baselines.ridge.sovle=ridge", "baselines.ridge.sovle"),
        ("baselines.arima.classical=arima", "baselines.arima.classical"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_path(tmp_path, setting, said):
    assert said in refused(write(sales(), tmp_path / "a.csv"), tmp_path, *TARGET, "--set", setting)
    assert not (tmp_path / "runs").exists() and not (tmp_path / "mlflow.db").exists()


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("baselines={linear: {kind: linear, solve: ridge}}", "baselines.linear: the model itself is called that"),
        ("intervals.bands=[95]", "intervals.bands.0: 95 given"),
    ],
)
def test_names_and_bands_that_mean_nothing_are_refused_before_any_work(tmp_path, setting, said):
    solved = "model={head: {kind: linear, solve: ridge}}"
    told = refused(write(sales(), tmp_path / "a.csv"), tmp_path, *TARGET, "--set", solved, "--set", setting)
    assert said in told and not (tmp_path / "runs").exists() and not (tmp_path / "mlflow.db").exists()


def test_brackets_in_a_columns_name_are_shown_as_they_are(tmp_path, capsys):
    from pipelines.screen import Screen

    Screen().say("3 missing in speed [/h] of power [kW]")
    assert "speed [/h] of power [kW]" in capsys.readouterr().out


def test_no_source(tmp_path):
    answer = seqlayers("run", "weather", "--home", tmp_path)
    assert answer.code == 2 and "--source" in answer.out


def test_a_tracking_server_that_is_not_there_is_said_at_once(tmp_path):
    start = time.monotonic()
    answer = seqlayers(
        "run", "forecast", "--source", write(sales(), tmp_path / "a.csv"), "--home", tmp_path, *TARGET,
        "--tracking", "http://127.0.0.1:9",
    )  # fmt: skip
    assert answer.code == 2 and time.monotonic() - start < 10
    assert "127.0.0.1:9" in answer.out and "local" in answer.out


@pytest.mark.slow
def test_nan_and_infinity_in_the_middle_are_repaired_and_counted(tmp_path):
    frame = sales()
    frame.loc[[50, 51], "units"] = np.nan
    frame.loc[90, "price"] = np.inf
    answer = seqlayers(
        "run", "forecast", "--source", write(frame, tmp_path / "a.csv"), "--home", tmp_path, *TARGET, *SMALL,
        "--set", "export.formats=[]", "--set", "train.epochs=1",
    )  # fmt: skip
    assert answer.code == 0, answer.out
    record = json.loads((tmp_path / "runs" / "forecast" / "latest" / "record.json").read_text())
    counted = {(r["column"]): r["count"] for r in record["repairs"]}
    assert counted["units"] == 2 and counted["price"] == 1


def test_a_read_only_output_folder(tmp_path):
    source = write(sales(), tmp_path / "a.csv")
    home = tmp_path / "home"
    home.write_text("a file where the folder should be")
    answer = seqlayers("run", "forecast", "--source", source, "--home", home, *TARGET, *SMALL)
    assert answer.code == 2 and "--home" in answer.out


COMMAND = [sys.executable, "-P", "-c", "from pipelines.cli import main; main()"]


@pytest.mark.slow
def test_a_full_disk_in_mid_training_says_how_to_go_on_and_the_same_command_does(tmp_path, monkeypatch):
    source = write(sales(), tmp_path / "a.csv")
    settings = (
        "run",
        "forecast",
        "--source",
        source,
        "--home",
        tmp_path,
        *TARGET,
        *SMALL,
        "--set",
        "export.formats=[]",
    )
    save, saved = Checkpoint.save, []

    def full_after_one_epoch(self, *state):
        if saved:
            raise OSError(errno.ENOSPC, "No space left on device", str(self.path))
        saved.append(save(self, *state))

    with monkeypatch.context() as patched:
        patched.setattr(Checkpoint, "save", full_after_one_epoch)
        answer = seqlayers(*settings)
    assert answer.code == 5 and "The disk is full" in answer.out
    assert not list((tmp_path / "runs" / "forecast").glob("2*"))
    answer = seqlayers(*settings)
    assert answer.code == 0 and "going on with it" in answer.out
    record = json.loads((tmp_path / "runs" / "forecast" / "latest" / "record.json").read_text())
    assert record["curves"]["epoch"] == [0, 1] and record["resumed"] == 1


# --- interruption ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_killed_in_mid_training_the_same_command_ends_where_an_undisturbed_run_ends(tmp_path):
    source = write(sales(1500), tmp_path / "a.csv")

    def command(home):
        return [
            *COMMAND, "run", "forecast", "--source", str(source),
            "--home", str(home), *TARGET, *SMALL, "--set", "train.epochs=12", "--set", "train.patience=12",
            "--set", "export.formats=[saved_model]", "--json",
        ]  # fmt: skip

    process = subprocess.Popen(command(tmp_path / "cut"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list((tmp_path / "cut").glob("runs/forecast/.unfinished-*/checkpoint.npz")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not list((tmp_path / "cut").glob("runs/forecast/2*"))

    resumed = subprocess.run(command(tmp_path / "cut"), capture_output=True, text=True, timeout=300)
    undisturbed = subprocess.run(command(tmp_path / "whole"), capture_output=True, text=True, timeout=300)
    results = [json.loads(p.stdout.strip().splitlines()[-1]) for p in (resumed, undisturbed)]
    assert "going on with it" in resumed.stderr
    assert results[0]["metrics"] == results[1]["metrics"]
    assert not list((tmp_path / "cut").glob("runs/forecast/.unfinished-*"))


@pytest.mark.slow
def test_an_interrupt_says_how_to_go_on(tmp_path):
    source = write(sales(1500), tmp_path / "a.csv")
    process = subprocess.Popen(
        [
            *COMMAND, "run", "forecast", "--source", str(source),
            "--home", str(tmp_path), *TARGET, *SMALL, "--set", "train.epochs=500", "--set", "train.patience=500",
        ],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests in the background inherit it ignored
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("runs/forecast/.unfinished-*/checkpoint.npz")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 5 and "same command goes on" in " ".join(said.split())
