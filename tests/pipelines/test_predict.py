"""A forecast from an exported model and a file of recent readings: the model's own numbers, or a clear refusal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from data.errors import DataError
from data.series import ForecastOptions
from pipelines.export import Servable, converter, saved_model
from pipelines.predict import PredictError, predict
from tests.data.tables import real
from tests.pipelines.export.toy import HORIZON, LOOK_BACK, Toy

START = "2024-03-01 00:00:00"


class Shops(Servable):
    """A panel with a column known ahead: the forecast is the last reading plus that column; quantiles ± 1 around it."""

    name, metric_name, look_back = "shops", "mae", 4
    examples = metric = None

    def signature(self, batch):
        return {
            "readings": tf.TensorSpec([batch, self.look_back, 2], tf.float32, "readings"),
            "times": tf.TensorSpec([batch, self.look_back], tf.int64, "times"),
            "ahead": tf.TensorSpec([batch, 3, 1], tf.float32, "ahead"),
        }

    def serve(self, inputs):
        forecast = inputs["readings"][:, -1:, :1] + inputs["ahead"]
        days = 86400 * tf.range(1, 4, dtype=tf.int64)
        quantiles = tf.stack([forecast - 1.0, forecast, forecast + 1.0], -1)
        return {"forecast": forecast, "quantiles": quantiles, "forecast_times": inputs["times"][:, -1:] + days}

    def models(self):
        return []

    def contract(self):
        options = ForecastOptions(target="sold", id="shop", covariates=["promo"], known_ahead=["promo"], step="1d")
        return {
            "family": "forecast",
            "task": "shops",
            "options": options.model_dump(),
            "look_back": self.look_back,
            "horizon": 3,
            "step_seconds": 86400,
            "grid": {"step": 86400},
            "columns": ["sold", "promo"],
            "targets": ["sold"],
            "known_ahead": ["promo"],
            "quantiles": [0.1, 0.5, 0.9],
        }


@pytest.fixture(scope="module")
def toy() -> Toy:
    return Toy()


@pytest.fixture(scope="module")
def run(toy, tmp_path_factory) -> Path:
    """A run's folder whose exports hold the toy as a SavedModel and as a LiteRT file."""
    run = tmp_path_factory.mktemp("run")
    exports, single = run / "exports", tmp_path_factory.mktemp("batch_1") / "model"
    contract = saved_model.write(toy, exports / "saved_model")
    saved_model.write_for_device(toy, single)
    (exports / "model_float32.tflite").write_bytes(converter.convert(str(single), "float32"))
    (exports / "model.json").write_text(json.dumps(contract))
    return run


@pytest.fixture(scope="module")
def shops(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("shops") / "saved_model"
    saved_model.write(Shops(), folder)
    return folder


def readings(rows: int = LOOK_BACK + 10) -> pd.DataFrame:
    walk = np.random.default_rng(2).normal(size=(rows, 3)).cumsum(0)
    frame = pd.DataFrame(walk.round(2) + np.array([9.0, 990.0, 70.0]), columns=["T (degC)", "p (mbar)", "rh (%)"])
    frame.insert(0, "Date Time", pd.date_range(START, periods=rows, freq="h").strftime("%Y-%m-%d %H:%M:%S"))
    return frame


def expected(toy: Toy, frame: pd.DataFrame) -> np.ndarray:
    """What Keras says of the frame's last rows, by hand."""
    values = frame[["T (degC)", "p (mbar)", "rh (%)"]].to_numpy("float32")[None, -LOOK_BACK:]
    times = pd.to_datetime(frame["Date Time"]).to_numpy().astype("datetime64[s]").astype("int64")[None, -LOOK_BACK:]
    return toy.serve({"readings": tf.constant(values), "times": tf.constant(times)})["forecast"].numpy()[0, :, 0]


def save(frame: pd.DataFrame, folder: Path) -> Path:
    frame.to_csv(folder / "recent.csv", index=False)
    return folder / "recent.csv"


def sales(days: int = 6, known: int = 3, shops: tuple[str, ...] = ("north", "south")) -> pd.DataFrame:
    """Daily sales of each shop, 10, 11, … and 20, 21, …; promo is 0 and, on the days to come, 1, 2, 3."""
    blocks = []
    for i, shop in enumerate(shops):
        sold = [10.0 * (i + 1) + d for d in range(days)] + [np.nan] * known
        promo = [0.0] * days + [1.0 + d for d in range(known)]
        dates = pd.date_range("2024-03-01", periods=days + known).strftime("%Y-%m-%d")
        blocks.append(pd.DataFrame({"date": dates, "shop": shop, "sold": sold, "promo": promo}))
    return pd.concat(blocks)


@pytest.mark.parametrize("named", ["", "exports", "exports/saved_model", "exports/model_float32.tflite"])
def test_every_way_to_name_a_model_gives_the_forecast_of_keras(run, toy, tmp_path, named):
    frame = readings()
    found = predict(run / named, save(frame, tmp_path), output=tmp_path / "out/forecast.csv")
    written = pd.read_csv(tmp_path / "out/forecast.csv")
    assert list(written) == ["time", "T (degC)"]
    np.testing.assert_allclose(written["T (degC)"], expected(toy, frame), rtol=1e-5, atol=1e-5)
    first = pd.Timestamp(frame["Date Time"].iloc[-1]) + pd.Timedelta(hours=1)
    assert list(pd.to_datetime(written["time"])) == list(pd.date_range(first, periods=HORIZON, freq="h"))
    assert len(found.table) == HORIZON
    assert any("forecast.csv" in line for line in found.lines())
    assert found.to_json()["end"] == written["time"].iloc[-1]


def test_columns_are_found_by_name_and_others_left_alone(run, toy, tmp_path):
    frame = readings()
    shuffled = frame[["rh (%)", "Date Time", "T (degC)", "p (mbar)"]].assign(station="roof")
    found = predict(run, save(shuffled, tmp_path))
    np.testing.assert_allclose(found.table["T (degC)"], expected(toy, frame), rtol=1e-5, atol=1e-5)


def test_a_missing_reading_takes_the_last_one_and_is_noted(run, toy, tmp_path):
    frame = readings()
    holed, filled = frame.copy(), frame.copy()
    holed.loc[20, "p (mbar)"] = np.nan
    filled.loc[20, "p (mbar)"] = frame.loc[19, "p (mbar)"]
    found = predict(run, save(holed, tmp_path))
    np.testing.assert_allclose(found.table["T (degC)"], expected(toy, filled), rtol=1e-5, atol=1e-5)
    assert any("p (mbar)" in note for note in found.notes)


def test_rows_after_the_last_target_are_the_future(run, toy, tmp_path):
    frame = readings()
    longer = frame.copy()
    longer.loc[len(longer) - 2 :, "T (degC)"] = np.nan
    found = predict(run, save(longer, tmp_path))
    np.testing.assert_allclose(found.table["T (degC)"], expected(toy, frame[:-2]), rtol=1e-5, atol=1e-5)
    assert any("taken as the future: 2" in note for note in found.notes)


def test_the_picture_is_a_png(run, tmp_path):
    found = predict(run, save(readings(), tmp_path), picture=tmp_path / "forecast.png")
    assert (tmp_path / "forecast.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert found.picture == tmp_path / "forecast.png"


def test_a_litert_file_is_run_without_tensorflow(run, tmp_path):
    model, recent = run / "exports/model_float32.tflite", save(readings(), tmp_path)
    code = (
        "import sys; from pathlib import Path; from pipelines.predict import predict\n"
        f"predict(Path({str(model)!r}), Path({str(recent)!r}), picture=Path({str(tmp_path / 'a.png')!r}))\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_panel_gives_a_block_a_series_with_its_quantiles_and_what_is_known_ahead(shops, tmp_path):
    found = predict(shops, save(sales(), tmp_path), output=tmp_path / "f.csv", picture=tmp_path / "f.png")
    table = pd.read_csv(tmp_path / "f.csv")
    assert list(table) == ["shop", "time", "sold", "sold q0.1", "sold q0.5", "sold q0.9"]
    assert list(table["shop"]) == ["north"] * 3 + ["south"] * 3
    assert list(table["sold"]) == [16, 17, 18, 26, 27, 28]  # the last reading, 15 and 25, and promo 1, 2, 3
    assert list(table["sold q0.9"]) == [17, 18, 19, 27, 28, 29]
    assert table["time"].iloc[0].startswith("2024-03-07")
    assert (tmp_path / "f.png").exists() and len(found.table) == 6


def test_one_row_a_series_is_enough_for_a_look_back_of_one(tmp_path):
    servable = Shops()
    servable.look_back = 1
    saved_model.write(servable, tmp_path / "saved_model")
    found = predict(tmp_path / "saved_model", save(sales(days=1), tmp_path), picture=tmp_path / "f.png")
    assert list(found.table["sold"]) == [11, 12, 13, 21, 22, 23]
    assert str(found.table["time"].iloc[0]).startswith("2024-03-02")


def test_a_series_of_a_panel_that_is_too_short_is_left_out_and_named(shops, tmp_path):
    frame = pd.concat([sales(), sales(days=3, shops=("west",))])
    found = predict(shops, save(frame, tmp_path))
    assert set(found.table["shop"]) == {"north", "south"}
    assert any("'west' has 3 rows" in note for note in found.notes)


def test_what_must_be_known_ahead_and_is_not_is_named_with_its_time(shops, tmp_path):
    with pytest.raises(DataError, match=r"must know 'promo' over the 3 steps.*nothing for 2024-03-09.*left empty"):
        predict(shops, save(sales(known=2), tmp_path))


def test_a_day_to_come_without_what_must_be_known_is_filled_and_noted(shops, tmp_path):
    frame = sales().reset_index(drop=True)
    frame.loc[(frame["shop"] == "south") & (frame["date"] == "2024-03-08"), "promo"] = np.nan
    found = predict(shops, save(frame, tmp_path))
    assert list(found.table["sold"]) == [16, 17, 18, 26, 26, 28]
    assert any("times to forecast without a value in 'promo', filled forward: 1" in note for note in found.notes)


def test_a_missing_column_is_named(run, tmp_path):
    with pytest.raises(DataError, match=r"recent.csv: The model reads 'p \(mbar\)', and there is no such column"):
        predict(run, save(readings().drop(columns="p (mbar)"), tmp_path))


def test_the_nearest_column_is_named(run, tmp_path):
    message = r"The model reads 'rh \(%\)', and there is no such column. Did you mean 'rh\(%\)'\? Columns: 'Date Time'"
    with pytest.raises(DataError, match=message):
        predict(run, save(readings().rename(columns={"rh (%)": "rh(%)"}), tmp_path))


def test_a_column_whose_name_lost_letters_is_found_and_noted(run, toy, tmp_path):
    frame = readings()
    found = predict(run, save(frame.rename(columns={"T (degC)": "T (?egC)"}), tmp_path))
    np.testing.assert_allclose(found.table["T (degC)"], expected(toy, frame), rtol=1e-5, atol=1e-5)
    assert "column 'T (?egC)' read as 'T (degC)', in which letters were lost" in found.notes
    twice = frame.rename(columns={"T (degC)": "T (?egC)"}).assign(**{"T (d?gC)": 1.0})
    with pytest.raises(DataError, match=r"The model reads 'T \(degC\)', and there is no such column"):
        predict(run, save(twice, tmp_path))


def test_text_among_the_readings_is_named_with_its_row(run, tmp_path):
    frame = readings().astype({"rh (%)": object})
    frame.loc[11, "rh (%)"] = "n/d"
    with pytest.raises(DataError, match=r"recent.csv: Column 'rh \(%\)', row 12: 'n/d' is not a number"):
        predict(run, save(frame, tmp_path))


def test_a_sensor_that_was_silent_at_first_or_does_not_move_costs_only_those_rows(run, toy, tmp_path):
    frame = readings()
    frame.loc[:7, "p (mbar)"] = np.nan
    frame["rh (%)"] = 70.0
    found = predict(run, save(frame, tmp_path))
    np.testing.assert_allclose(found.table["T (degC)"], expected(toy, frame), rtol=1e-5, atol=1e-5)
    assert "rows before the first value, dropped: 8" in found.notes


def test_an_empty_column_is_refused(run, tmp_path):
    with pytest.raises(DataError, match=r"Column 'p \(mbar\)' holds no value at all"):
        predict(run, save(readings().assign(**{"p (mbar)": np.nan}), tmp_path))


def test_a_model_trained_on_utc_reads_offsets_as_utc(run):
    """In summer every time may have the one offset +02:00; that does not move the model's clock."""
    from pipelines.predict.recent import read_recent

    contract = json.loads((run / "exports/model.json").read_text())
    frame = readings()
    frame["Date Time"] = frame["Date Time"].str.replace(" ", "T") + "+02:00"
    local = read_recent(frame, contract).forecast_times
    contract["options"]["clock"] = "utc"
    np.testing.assert_array_equal(read_recent(frame, contract).forecast_times, local - 7200)


def test_a_later_year_of_the_same_station_is_read_though_its_letters_are_whole():
    from data.series import read_series
    from data.source import read_table
    from pipelines.predict.recent import read_recent

    year = read_table(real("weather", "weather.csv.xz")).drop(columns="OT")
    options = ForecastOptions(target="T (degC)", missing=[-9999], step="1h", wind=[{"speed": "wv", "direction": "wd"}])
    series = read_series(year, options)
    contract = {
        "options": options.model_copy(update={"covariates": list(series.columns[1:])}).model_dump(),
        "columns": list(series.columns),
        "targets": ["T (degC)"],
        "known_ahead": [],
        "look_back": 72,
        "horizon": 24,
        "step_seconds": 3600,
        "grid": series.grid.to_json(),
    }
    recent = read_recent(read_table(real("jena_mpi_roof_2024", "mpi_roof.csv.xz")), contract)
    assert recent.inputs["readings"].shape == (1, 72, 20)
    assert "column 'max. PAR (µmol/m²/s)' read as 'max. PAR (?mol/m?/s)', in which letters were lost" in recent.notes
    assert str(recent.forecast_times[0, 0].astype("datetime64[s]")) == "2024-10-20T09:00:00"


@pytest.mark.parametrize(("rows", "said"), [(23, "23 rows"), (1, "1 row")])
def test_fewer_rows_than_the_look_back_are_refused_with_both_numbers(run, tmp_path, rows, said):
    with pytest.raises(DataError, match=rf"has {said} of 1h .* looks back 24"):
        predict(run, save(readings(rows), tmp_path))


def test_a_long_gap_ends_the_past(run, tmp_path):
    frame = readings(60)
    with pytest.raises(DataError, match=r"has 20 rows .* without a long gap"):
        predict(run, save(frame.drop(index=range(25, 40)), tmp_path))


def test_another_step_than_the_models_is_refused(run, tmp_path):
    frame = readings(60)
    frame["Date Time"] = pd.date_range(START, periods=60, freq="2h").strftime("%Y-%m-%d %H:%M:%S")
    with pytest.raises(DataError, match="2h"):
        predict(run, save(frame, tmp_path))


def test_finer_readings_are_averaged_to_the_models_step(run, toy, tmp_path):
    """Two readings in each hour, ± 0.5 around the hour's mean, which stands at the hour's end."""
    frame = readings()
    late, early = frame.copy(), frame.copy()
    half_past = pd.to_datetime(frame["Date Time"]) - pd.Timedelta(minutes=30)
    early["Date Time"] = half_past.dt.strftime("%Y-%m-%d %H:%M:%S")
    late["T (degC)"] += 0.5
    early["T (degC)"] -= 0.5
    both = pd.concat([early, late]).sort_values("Date Time")
    found = predict(run, save(both, tmp_path))
    np.testing.assert_allclose(found.table["T (degC)"], expected(toy, frame), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("nowhere", "no such file or folder.*Accepted: a run's folder"),
        ("empty", "holds no exported model"),
        ("exports.partial", "never finished"),
        ("lonely.tflite", "model.json is missing"),
        ("readme.txt", "not an exported model"),
    ],
)
def test_what_is_no_model_is_refused_with_what_is_accepted(tmp_path, named, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "exports.partial" / "saved_model").mkdir(parents=True)
    (tmp_path / "lonely.tflite").write_bytes(b"TFL3")
    (tmp_path / "readme.txt").write_text("hello")
    with pytest.raises(DataError, match=message):
        predict(tmp_path / named, save(readings(), tmp_path))


def test_a_saved_model_without_a_contract_was_never_finished(run, tmp_path):
    (tmp_path / "saved_model").mkdir()
    (tmp_path / "saved_model/saved_model.pb").write_bytes((run / "exports/saved_model/saved_model.pb").read_bytes())
    with pytest.raises(DataError, match=r"has no model\.json"):
        predict(tmp_path / "saved_model", save(readings(), tmp_path))


def test_a_place_that_cannot_be_written_is_named(run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PredictError, match=r"Cannot write .*forecast.csv"):
        predict(run, save(readings(), tmp_path), output=tmp_path / "file/forecast.csv")


def test_monthly_forecasts_fall_on_the_day_of_the_month(tmp_path):
    """The 31st of each month, clipped where the month is shorter."""
    from pipelines.predict.recent import read_recent

    dates = pd.to_datetime(["2023-08-31", "2023-09-30", "2023-10-31", "2023-11-30", "2023-12-31"])
    frame = pd.DataFrame({"month": dates.strftime("%Y-%m-%d"), "sold": np.arange(5.0)})
    contract = {
        "options": ForecastOptions(target="sold", covariates="none", step="1mo").model_dump(),
        "columns": ["sold"],
        "targets": ["sold"],
        "known_ahead": [],
        "look_back": 3,
        "horizon": 3,
        "step_seconds": 2629746,
        "grid": {"step": 2629746, "months": 1, "day": 31},
    }
    times = read_recent(frame, contract).forecast_times[0].astype("datetime64[s]").astype("datetime64[D]")
    assert list(times.astype(str)) == ["2024-01-31", "2024-02-29", "2024-03-31"]
