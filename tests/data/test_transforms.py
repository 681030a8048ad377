"""Transforms: the equations hold, the graph form equals the NumPy form, constants survive JSON, and nothing is lost."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from data.grid import Grid
from data.series import ForecastOptions, Series, read_series
from data.transforms import GRAPH, NUMPY, SeriesTransform, calendar
from data.transforms.standardise import Standardise
from tests.data.tables import hourly, stamps

DAY, YEAR = 86400, 31556952


def made_series(rows: int = 300) -> Series:
    rng = np.random.default_rng(1)
    frame = hourly(rows, wv=rng.gamma(2, 1, rows), wd=rng.uniform(0, 360, rows), promo=rng.integers(0, 2, rows))
    return read_series(frame.assign(y=1013 + 9 * frame["y"]), ForecastOptions(target="y"))


def fitted(series: Series, **settings: object) -> SeriesTransform:
    given = {"horizon": 24, "known_ahead": ["promo"], "wind_pairs": [("wv", "wd")], "periods": ["day", "week", "year"]}
    return SeriesTransform.fit(series, np.arange(series.rows) < 200, **given | settings)


class TestStandardise:
    def test_is_z_over_the_rows_given(self):
        x = np.random.default_rng(0).normal(5, 3, (1000, 4))
        z = Standardise.fit(x).apply(np.float32(x))
        np.testing.assert_allclose(z, (x - x.mean(0)) / x.std(0), atol=2e-6)

    def test_a_constant_column_is_only_centred(self):
        scaler = Standardise.fit(np.full((10, 1), 0.1))
        assert scaler.scale == (1.0,)
        assert abs(float(scaler.apply(np.float32([[0.1]]))[0, 0])) < 1e-7
        assert float(scaler.apply(np.float32([[1.1]]))[0, 0]) == pytest.approx(1.0, abs=1e-6)

    @pytest.mark.parametrize(("shape", "axis"), [((5, 24, 3), -1), ((5, 24, 3, 7), -2)])
    def test_invert_undoes_apply_on_either_axis(self, shape, axis):
        rng = np.random.default_rng(0)
        scaler = Standardise.fit(rng.normal(100, 5, (50, 3)))
        x = rng.normal(100, 5, shape).astype(np.float32)
        z = np.moveaxis(scaler.apply(np.moveaxis(x, axis, -1)), -1, axis)
        np.testing.assert_allclose(scaler.invert(z, axis=axis), x, rtol=1e-6)


class TestCalendar:
    def test_phases_are_the_sine_and_cosine_of_the_share_of_the_period(self):
        times = stamps("2021-03-01T06:00", "2021-03-04T00:00", "1890-07-01T18:30")
        found = calendar.phases(times, ("day", "week", "year"))
        for i, period in enumerate((DAY, 7 * DAY, YEAR)):
            angle = 2 * np.pi * (times % period) / period
            np.testing.assert_allclose(found[:, 2 * i], np.sin(angle), atol=1e-6)
            np.testing.assert_allclose(found[:, 2 * i + 1], np.cos(angle), atol=1e-6)

    def test_precision_is_kept_in_any_year(self):
        """Six in the morning is a quarter of a day, 400 years from now as well; in float32 seconds it would not be."""
        times = stamps("2021-01-01T06:00", "2421-01-01T06:00")
        np.testing.assert_allclose(calendar.phases(times, ("day",)), [[1, 0], [1, 0]], atol=1e-6)

    @pytest.mark.parametrize("months", [1, 3, 12])
    @pytest.mark.parametrize("day", [1, 15, 31])
    @pytest.mark.parametrize("xp", [NUMPY, GRAPH], ids=["numpy", "graph"])
    def test_the_next_months_are_those_of_the_calendar(self, months, day, xp):
        times = np.random.default_rng(0).integers(*stamps("1850-01-01", "2250-01-01"), 500)
        month = times.astype("datetime64[s]").astype("datetime64[M]")[:, None] + np.arange(1, 14) * months
        length = ((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")).astype(int)
        expected = (
            (month.astype("datetime64[D]") + np.minimum(length, day) - 1).astype("datetime64[s]").astype(np.int64)
        )
        found = calendar.following(times, 13, Grid(months * YEAR // 12, months, day=day), xp)
        np.testing.assert_array_equal(found, expected + (times % DAY)[:, None])

    @pytest.mark.parametrize("xp", [NUMPY, GRAPH], ids=["numpy", "graph"])
    def test_the_next_weekdays_pass_over_weekends(self, xp):
        times = np.random.default_rng(0).integers(*stamps("1950-01-01", "2100-01-01"), 500)
        days = times.astype("datetime64[s]").astype("datetime64[D]")[:, None]
        expected = np.busday_offset(days, np.arange(1, 13), roll="backward").astype("datetime64[s]").astype(np.int64)
        found = calendar.following(times, 12, Grid(DAY, weekdays=True), xp)
        np.testing.assert_array_equal(found, expected + (times % DAY)[:, None])


class TestSeriesTransform:
    def test_targets_first_then_covariates_wind_and_calendar(self):
        series = made_series()
        transform = fitted(series)
        assert transform.feature_names[:5] == ("y", "x", "promo", "u of wv", "v of wv")
        assert transform.feature_names[5:7] == ("sin of day", "cos of day")
        assert transform.ahead_names[-1] == "promo"
        past = transform.past(series.values, series.times)
        assert past.shape == (series.rows, len(transform.feature_names))
        train = series.values[:200].astype(np.float64)
        np.testing.assert_allclose(past[:200, 0], (train[:, 0] - train[:, 0].mean()) / train[:, 0].std(), atol=1e-4)
        speed, direction = (train[:, series.columns.index(c)] for c in ("wv", "wd"))
        u = speed * np.cos(np.deg2rad(direction))
        np.testing.assert_allclose(past[:200, 3], (u - u.mean()) / u.std(), atol=1e-5)

    def test_a_wind_column_that_is_a_target_stays_a_target(self):
        frame = hourly(100, wv=np.arange(100) % 5.0, wd=np.arange(100) % 360 * 3.6)
        series = read_series(frame, ForecastOptions(target="wv"))
        assert fitted(series, known_ahead=[]).feature_names[:5] == ("wv", "y", "x", "u of wv", "v of wv")

    def test_the_graph_form_equals_the_numpy_form(self):
        series, rng = made_series(), np.random.default_rng(3)
        for trial in range(3):
            transform = fitted(series)
            count, pair = len(series.columns), len(transform.wind_standardise.mean)
            transform = replace(
                transform,
                standardise=Standardise(tuple(rng.normal(0, 500, count)), tuple(rng.gamma(1, 50, count) + 0.1)),
                wind_standardise=Standardise(tuple(rng.normal(size=pair)), tuple(rng.gamma(1, 2, pair) + 0.1)),
            )
            rows = rng.integers(0, series.rows - 24, 4)[:, None] + np.arange(24)
            values, times, known = series.values[rows], series.times[rows], rng.normal(size=(4, 24, 1)).astype("f4")
            y = rng.normal(size=(4, 24, 1, 3)).astype("f4")
            for found, expected in (
                (transform.past(values, times, GRAPH), transform.past(values, times)),
                (transform.ahead(times[:, -1], known, GRAPH), transform.ahead(times[:, -1], known)),
                (transform.ahead_times(times[:, -1], GRAPH), transform.ahead_times(times[:, -1])),
                (transform.invert(y, GRAPH, axis=-2), transform.invert(y, axis=-2)),
            ):
                error = np.abs(np.asarray(found) - expected) / np.maximum(1, np.abs(expected))
                assert error.max() <= 1e-6, f"trial {trial}"

    def test_constants_survive_json(self):
        series = made_series()
        transform = fitted(series)
        again = SeriesTransform.from_json(json.loads(json.dumps(transform.to_json())))
        assert again == transform
        np.testing.assert_array_equal(
            again.past(series.values, series.times), transform.past(series.values, series.times)
        )

    def test_nothing_is_known_ahead_without_a_calendar(self):
        transform = fitted(made_series(), periods=[], known_ahead=[])
        assert transform.ahead(np.int64(0)) is None
        assert transform.ahead_names == ()

    def test_constants_come_from_the_train_rows_alone(self):
        series = made_series()
        changed = replace(series, values=np.where(np.arange(series.rows)[:, None] < 200, series.values, 1e6))
        assert fitted(changed) == fitted(series)

    def test_invert_gives_back_the_targets(self):
        series = made_series()
        transform = fitted(series)
        targets = transform.past(series.values, series.times)[:, :1]
        np.testing.assert_allclose(transform.invert(targets), series.values[:, :1], rtol=1e-6)

    @pytest.mark.slow
    @pytest.mark.parametrize("grid", [Grid(3600), Grid(YEAR // 12, 1, day=31), Grid(DAY, weekdays=True)], ids=str)
    def test_it_converts_to_litert_builtins(self, grid, tmp_path):
        """Readings to features and the horizon's times, in a file that runs without TensorFlow's own kernels."""
        import tensorflow as tf
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        series = made_series()
        transform = replace(fitted(series), grid=grid)
        count = len(series.columns)

        class Module(tf.Module):
            @tf.function(
                input_signature=[
                    tf.TensorSpec([1, 48, count], tf.float32, "readings"),
                    tf.TensorSpec([1, 48], tf.int64, "times"),
                    tf.TensorSpec([1, 24, 1], tf.float32, "ahead"),
                ]
            )
            def serve(self, readings, times, ahead):
                return {
                    "past": transform.past(readings, times, GRAPH),
                    "ahead": transform.ahead(times[:, -1], ahead, GRAPH),
                    "times": transform.ahead_times(times[:, -1], GRAPH),
                    "y": transform.invert(readings[..., :1], GRAPH),
                }

        module = Module()
        tf.saved_model.save(module, tmp_path, signatures={"serving_default": module.serve})
        content = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path)).convert()
        runner = Interpreter(
            model_content=content, experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        ).get_signature_runner("serving_default")
        readings, times, known = series.values[None, :48], series.times[None, :48], series.values[None, 48:72, -1:]
        found = runner(readings=readings, times=times, ahead=known)
        np.testing.assert_array_equal(found["times"], transform.ahead_times(times[:, -1]))
        np.testing.assert_allclose(found["past"], transform.past(readings, times), atol=1e-5)
        np.testing.assert_allclose(found["ahead"], transform.ahead(times[:, -1], known), atol=1e-5)
        np.testing.assert_allclose(found["y"], transform.invert(readings[..., :1]), rtol=1e-6)
