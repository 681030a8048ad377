"""A table becomes windows by a few settings; what `auto` decides, what the parts are, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pydantic
import pytest

from data.errors import DataError
from data.forecasting import ForecastData
from data.series import ForecastOptions, read_series
from data.splits import PARTS
from tests.data.tables import NOWHERE, hourly, real


def prepare(frame: pd.DataFrame, **options: object) -> ForecastData:
    return ForecastData.prepare(frame, NOWHERE, ForecastOptions(**{"target": "y"} | options))


def every(step: str, rows: int, start: str = "2015-01-01") -> pd.DataFrame:
    unit = step[-1]
    times = (np.datetime64(start, unit) + np.arange(rows) * int(step[:-1])).astype("datetime64[s]")
    return pd.DataFrame({"time": times, "y": np.random.default_rng(0).normal(size=rows)})


class TestAuto:
    @pytest.mark.parametrize(
        ("step", "rows", "season", "horizon", "look_back", "calendar"),
        [
            ("10m", 4000, 144, 144, 432, ["day", "week"]),
            ("1h", 1200, 24, 24, 72, ["day", "week"]),
            ("1h", 17520, 24, 24, 72, ["day", "week", "year"]),
            ("1D", 1500, 7, 7, 21, ["week", "year"]),
            ("7D", 1500, 52, 52, 156, ["year"]),
            ("1M", 400, 12, 12, 36, ["year"]),
            ("1Y", 200, 1, 1, 3, []),
        ],
    )
    def test_what_the_step_decides(self, step, rows, season, horizon, look_back, calendar):
        data = prepare(every(step, rows, "1800-01-01" if step[-1] in "MYD" else "2015-01-01"))
        spec = data.spec
        assert (spec.season, spec.horizon, spec.look_back, spec.stride) == (season, horizon, look_back, 1)
        assert data.options.calendar == calendar

    def test_a_short_series_gets_a_shorter_look_back_and_says_so(self):
        data = prepare(hourly(200), split={"train": 0.6, "validation": 0.2, "test": 0.2})
        assert data.spec.look_back == (120 - 24) // 2
        assert any("look-back set to 48 rows" in r.what for r in data.series.repairs)

    def test_durations_and_steps_mean_the_same(self):
        a = prepare(hourly(600), look_back="2d", horizon="24h", stride="6h", season="1d")
        b = prepare(hourly(600), look_back=48, horizon=24, stride=6, season=24)
        assert a.spec == b.spec
        assert (a.options.look_back, a.options.horizon, a.options.stride) == ("2d", "1d", "6h")

    def test_what_was_decided_reads_the_file_the_same_way(self):
        frame = hourly(600, wv=1.0, wd=np.arange(600) % 360, text="a")
        data = prepare(frame, step="2h", wind=[{"speed": "wv", "direction": "wd"}], known_ahead=["x"])
        again = read_series(frame, data.options)
        assert again.columns == data.series.columns
        np.testing.assert_array_equal(again.values, data.series.values)

    def test_what_the_dates_were_taken_for_holds_for_a_part_of_the_file(self):
        """Slashed dates with the day first, as only days after the twelfth tell: the first ten days follow suit."""
        frame = hourly(600)
        frame["time"] = frame["time"].dt.strftime("%d/%m/%Y %H:%M")
        data = prepare(frame)
        assert (data.options.day_first, data.options.clock) == (True, "local")
        part = read_series(frame[:240], data.options, grid=data.series.grid)
        np.testing.assert_array_equal(part.times, data.series.times[:240])


class TestParts:
    def test_borders_are_those_of_the_benchmarks(self):
        """As in the long-horizon benchmarks: train and test rounded down, validation what is left."""
        data = prepare(hourly(1001))
        assert [b["rows"] for b in data.borders()] == [700, 101, 200]
        assert [b["part"] for b in data.borders()] == list(PARTS)
        assert data.borders()[0]["start"] == "2021-03-01T00:00:00"

    def test_every_row_that_can_be_a_target_is_one(self):
        data = prepare(hourly(1000), look_back=48, horizon=24)
        for part, first, last in (("train", 48, 700), ("validation", 700, 800), ("test", 800, 1000)):
            np.testing.assert_array_equal(data.origins(part), np.arange(first, last - 23))

    def test_a_panel_is_cut_at_the_same_instants(self):
        panel = pd.concat([hourly(600, shop="a"), hourly(300, start="2021-03-13T12:00", shop="b")])
        data = prepare(panel, id="shop", look_back=24, horizon=6)
        cut = data.borders_in_time.validation[0]
        for part in PARTS:
            times = data.series.times[data.origins(part)]
            assert ((times < cut) == (part == "train")).all()
        assert {b["part"]: b["windows"] > 0 for b in data.borders()} == dict.fromkeys(PARTS, True)

    @pytest.mark.parametrize("split", [{"train": 0.7}, {"train": 0.7, "validation": 0.3, "test": 0.0}])
    def test_shares_make_one_and_each_is_something(self, split):
        complete = {"train": 0.7, "validation": 0.2, "test": 0.2} | split
        with pytest.raises(pydantic.ValidationError):
            ForecastOptions(split=complete)


class TestWhatIsRead:
    def test_truth_is_in_units_and_the_targets_invert_to_it(self):
        data = prepare(hourly(600).assign(y=lambda f: 20 + 5 * f["y"]))
        target = np.concatenate([t for _, t in data.dataset("test", 64).as_numpy_iterator()])
        np.testing.assert_allclose(data.transform.invert(target), data.truth("test"), rtol=1e-5)
        np.testing.assert_array_equal(data.truth(data.origins("test")[:3]), data.truth("test")[:3])

    @pytest.mark.parametrize("step", ["1h", "1M", "B"])
    def test_training_and_serving_see_the_same(self, step):
        """What an exported model makes of raw readings and times is what training read: the past and the horizon."""
        frame = every("1D" if step == "B" else step, 900)
        frame = frame[np.is_busday(frame["time"].to_numpy("datetime64[D]"))] if step == "B" else frame
        promo = np.random.default_rng(1).integers(0, 2, len(frame)).astype(float)
        data = prepare(frame.assign(promo=promo), known_ahead=["promo"], calendar=["week", "year"])
        raw = data.readings("test")
        inputs = next(iter(data.dataset("test", len(data.origins("test"))).as_numpy_iterator()))[0]
        np.testing.assert_array_equal(data.transform.past(raw["readings"], raw["times"]), inputs["past"])
        np.testing.assert_array_equal(data.transform.ahead(raw["times"][:, -1], raw["ahead"]), inputs["ahead"])
        rows = data.origins("test")[:, None] + np.arange(data.spec.horizon)
        np.testing.assert_array_equal(data.transform.ahead_times(raw["times"][:, -1]), data.series.times[rows])
        assert (raw["readings"].dtype, raw["times"].dtype) == (np.float32, np.int64)

    def test_given_origins_are_read_in_their_order(self):
        data = prepare(hourly(600), look_back=48, horizon=24)
        rows = data.origins("test")[[5, 2]]
        _, target = next(iter(data.dataset(rows, 2).as_numpy_iterator()))
        np.testing.assert_array_equal(target[:, 0, 0], data.features[rows, 0])


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"horizon": 0}, "data.horizon: 0 given. Accepted: 1 step or more"),
            ({"horizon": "-3h"}, "data.horizon: '-3h' given"),
            ({"horizon": "soon"}, "data.horizon: 'soon' is not a duration"),
            ({"horizon": "90min"}, "data.horizon: 90min is not a multiple of the step, 1h"),
            ({"look_back": 0}, "data.look_back: 0 given"),
            ({"stride": 0}, "data.stride: 0 given"),
            ({"season": "0h"}, "data.season"),
            ({"max_gap": -1}, "data.max_gap: -1 given. Accepted: 0 or more"),
        ],
    )
    def test_durations_that_mean_nothing(self, options, message):
        with pytest.raises(DataError, match=message):
            prepare(hourly(300), **options)

    def test_a_series_too_short_says_what_it_has_and_needs(self):
        message = (
            r"too short: its train part has 70 rows, and one window needs 72 \(look_back 48 \+ horizon 24\).*"
            r"The whole series has 100 rows. Shorten data.look_back"
        )
        with pytest.raises(DataError, match=message):
            prepare(hourly(100), look_back=48, horizon=24)
        with pytest.raises(DataError, match=r"its validation part has 20 rows, and one window needs 24 \(horizon 24\)"):
            prepare(hourly(200), look_back=48, horizon=24)

    def test_gaps_that_leave_no_window(self):
        pieces = hourly(600).drop(index=[i for i in range(600) if i % 60 >= 50])
        with pytest.raises(DataError, match="the longest stretch without a gap 50"):
            prepare(pieces, look_back=48, horizon=24)

    def test_unknown_settings(self):
        with pytest.raises(pydantic.ValidationError, match="lookback"):
            ForecastOptions(lookback=3)


def test_the_weather_configuration_reads_a_real_year():
    from data.source import read_table

    frame = read_table(real("weather", "weather.csv.xz"))
    data = prepare(
        frame,
        target="T (degC)",
        missing=[-9999],
        step="1h",
        look_back="5d",
        horizon="24h",
        wind=[{"speed": "wv (m/s)", "direction": "wd (deg)"}],
    )
    assert data.series.rows == 366 * 24
    assert [b["rows"] for b in data.borders()] == [6148, 880, 1756]
    assert np.isfinite(data.features).all()
    assert np.abs(data.features).max() < 60
