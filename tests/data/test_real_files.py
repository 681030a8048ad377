"""Real files load from the shortest options, and every repair is counted: each count is proved against the raw text."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import lzma
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from data.datasets import SERIES
from data.errors import DataError
from data.series import ForecastOptions, Series, read_series
from data.source import locate, read_table
from tests.data.tables import real, stamps

WIND = [{"speed": "wv", "direction": "wd"}]


def load(path: Path, **options: object) -> Series:
    return read_series(read_table(path), ForecastOptions(**options))


def raw(path: Path, encoding: str = "utf-8") -> tuple[list[str], list[list[str]]]:
    """The header and the rows as text, by the standard library alone."""
    opened = {".xz": lzma.open, ".gz": gzip.open}.get(path.suffix, open)
    with opened(path, "rb") as file:
        rows = list(csv.reader(io.StringIO(file.read().decode(encoding), newline="")))
    return rows[0], rows[1:]


def repairs(series: Series) -> dict[tuple[str, str | None], int]:
    return {(r.what, r.column): r.count for r in series.repairs}


def span(series: Series) -> list[str]:
    return [str(np.datetime64(int(t), "s")) for t in series.times[[0, -1]]]


def same(values: np.ndarray, texts: list[str]) -> bool:
    return np.array_equal(values, np.array(texts, np.float64).astype(np.float32))


class TestWeather2020:
    """U+FFFD in three names, CRLF, -9999 in three columns, one stamp twice, one gap of 1 h 40 min."""

    PARTS = ("weather", "weather.csv.xz")
    MARKED: ClassVar = {"wv (m/s)": 1, "max. PAR (?mol/m?/s)": 30, "OT": 50}

    def test_the_shortest_options(self):
        path = real(*self.PARTS)
        header, rows = raw(path)
        times = [datetime.fromisoformat(row[0]) for row in rows]
        marked = Counter(
            header[i].replace("\ufffd", "?") for row in rows for i in range(1, 22) if float(row[i]) == -9999
        )
        copies = [a for a, b in itertools.pairwise(rows) if a == b]
        whole = (times[-1] - times[0]) // timedelta(minutes=10) + 1
        assert (len(rows), marked, len(copies), whole - len(set(times))) == (52696, self.MARKED, 1, 9)

        series = load(path, target="T", missing=[-9999])
        assert (series.rows, len(series.columns), series.step, len(series.names)) == (whole, 21, 600, 1)
        assert span(series) == ["2020-01-01T00:10:00", "2021-01-01T00:00:00"]
        assert repairs(series) == {
            **{("marked as missing (-9999)", column): count for column, count in marked.items()},
            ("rows that are copies of another, dropped", None): 1,
            ("missing times, filled forward", None): 9,
        }
        there = np.isin(series.times, stamps(*(t.isoformat() for t in times)))
        once = [row[2] for row, before in zip(rows, [None, *rows], strict=False) if row != before]
        assert same(series.values[there, 0], once)

    def test_a_mark_that_is_not_named_is_kept_and_said(self):
        series = load(real(*self.PARTS), target="OT")
        what = "cells of -9999, far from all else, kept (data.missing=[-9999] if nothing was measured)"
        assert {column: count for (w, column), count in repairs(series).items() if w == what} == self.MARKED
        assert (series.values[:, 0] == -9999).sum() == 50

    def test_a_mark_that_is_not_named_is_no_wind(self):
        message = r"data.wind: column 'wv \(m/s\)', row \d+: -9999 given .*data.missing=\[-9999\]"
        with pytest.raises(DataError, match=message):
            load(real(*self.PARTS), target="T", wind=WIND)

    @pytest.mark.parametrize(
        ("typed", "column"),
        [
            ("PAR", "PAR (?mol/m?/s)"),
            ("max. PAR", "max. PAR (?mol/m?/s)"),
            ("SWDR (W/m²)", "SWDR (W/m?)"),
            ("p", "p (mbar)"),
            ("rh", "rh (%)"),
        ],
    )
    def test_columns_can_be_typed(self, typed, column):
        assert load(real(*self.PARTS), target=typed, covariates="none").columns == (column,)

    def test_hours_are_means_and_their_wind_a_mean_vector(self):
        path = real(*self.PARTS)
        header, rows = raw(path)
        first = np.array([row[1:] for row in rows[:6]], np.float64)  # 00:10 to 01:00
        series = load(path, target="T", missing=[-9999], step="1h", wind=WIND)
        assert (series.rows, span(series)) == (8784, ["2020-01-01T01:00:00", "2021-01-01T00:00:00"])
        speed, turn = first[:, header.index("wv (m/s)") - 1], np.deg2rad(first[:, header.index("wd (deg)") - 1])
        u, v = (speed * np.cos(turn)).mean(), (speed * np.sin(turn)).mean()
        row = dict(zip(series.columns, series.values[0], strict=True))
        assert row["T (degC)"] == pytest.approx(first[:, 1].mean(), rel=1e-6)
        assert row["wv (m/s)"] == pytest.approx(np.hypot(u, v), rel=1e-5)
        assert row["wd (deg)"] == pytest.approx(np.rad2deg(np.arctan2(v, u)) % 360, rel=1e-5)

    def test_its_name_finds_it_and_what_was_lost_is_said(self):
        real(*self.PARTS)
        frame, source = locate("ltsf-weather", datasets=SERIES, sample=None)
        assert (len(frame), source.name) == (52696, "ltsf-weather")
        assert source.note.startswith("letters were lost in 3 column names and are shown as ?: 'SWDR (W/m?)'")


class TestRoof2024:
    """Latin-1, day.month.year, -9999 in one column."""

    PARTS = ("jena_mpi_roof_2024", "mpi_roof.csv.xz")

    def test_the_shortest_options(self):
        path = real(*self.PARTS)
        header, rows = raw(path, "latin-1")
        assert (len(rows), rows[0][0], rows[-1][0]) == (19132, "09.06.2024 11:40:00", "20.10.2024 08:10:00")
        assert Counter(h for row in rows for h, c in zip(header, row, strict=True) if c == "-9999") == {
            "max. PAR (µmol/m²/s)": 18
        }
        frame, source = locate(str(path), datasets={}, sample=None)
        assert source.note == "not UTF-8, read as Latin-1"
        series = read_series(frame, ForecastOptions(target="CO2", missing=[-9999], wind=WIND))
        assert (series.rows, len(series.columns), series.step) == (19132, 21, 600)
        assert span(series) == ["2024-06-09T11:40:00", "2024-10-20T08:10:00"]
        assert repairs(series) == {("marked as missing (-9999)", "max. PAR (µmol/m²/s)"): 18}
        assert same(series.values[:, 0], [row[-1] for row in rows])


class TestJena2009:
    """The head of the file that `jena` names: day.month.year, CRLF."""

    def test_the_shortest_options(self):
        path = real("jena_2009_sample", "jena_climate.csv")
        _, rows = raw(path)
        series = load(path, target="T")
        assert (series.rows, len(series.columns), series.step, series.repairs) == (len(rows), 11, 600, ())
        assert (len(rows), span(series)) == (4000, ["2009-01-01T00:10:00", "2009-01-28T18:40:00"])
        assert same(series.values[:, 0], [row[2] for row in rows])


class TestWth:
    """Month/day/year without zeros before."""

    def test_the_shortest_options(self):
        path = real("wth", "WTH.csv.gz")
        header, rows = raw(path)
        assert [rows[i][0] for i in (0, 24, -1)] == ["1/1/2010 0:00", "1/2/2010 0:00", "12/31/2013 23:00"]
        wind = [{"speed": "WindSpeed", "direction": "WindDirection"}]
        series = load(path, target="OT", wind=wind)
        assert (series.rows, len(series.columns), series.step, series.repairs) == (len(rows), 12, 3600, ())
        assert (len(rows), span(series)) == (35064, ["2010-01-01T00:00:00", "2013-12-31T23:00:00"])
        assert same(series.values[:, 0], [row[header.index("OT")] for row in rows])


class TestBeijing:
    """Time in four columns, a number of the row, a column of text, empty cells, three running totals."""

    PARTS = ("beijing_pm25", "PRSA_data_2010.1.1-2014.12.31.csv.gz")

    def test_the_shortest_options(self):
        path = real(*self.PARTS)
        header, rows = raw(path)
        empty = [row[header.index("pm2.5")] == "" for row in rows]
        runs = [len(list(run)) for gone, run in itertools.groupby(empty) if gone]
        long = [n for n in runs[1:] if n > 6]
        assert (len(rows), sum(empty), runs[0], [row[0] for row in rows[::43823]]) == (43824, 2067, 24, ["1", "43824"])

        series = load(path, target="pm2.5")
        assert series.columns == ("pm2.5", "DEWP", "TEMP", "PRES", "Iws", "Is", "Ir")
        assert span(series) == ["2010-01-02T00:00:00", "2014-12-31T23:00:00"]
        assert series.rows == len(rows) - 24 - sum(long)
        assert repairs(series) == {
            ("empty or NaN", "pm2.5"): sum(empty),
            ("column of row numbers, left out", "No"): len(rows),
            ("column of text, left out", "cbwd"): len(rows),
            ("rows in holes of the target longer than 6 rows, left out", None): sum(long),
            ("rows before the first value, dropped", None): 24,
            ("holes longer than 6 rows, the series split there", None): len(long),
        }
        inside = np.delete(np.diff(series.times), series.bounds[1:-1] - 1)
        assert (inside == 3600).all()

    def test_running_totals_become_what_each_hour_adds(self):
        path = real(*self.PARTS)
        header, rows = raw(path)
        series = load(path, target="TEMP", covariates=["Iws", "Is", "Ir"], totals=["Iws", "Is", "Ir"])
        found = repairs(series)
        for column in ("Iws", "Is", "Ir"):
            total = [float(row[header.index(column)]) for row in rows]
            adds = [b if b < a else b - a for a, b in itertools.pairwise(total)]
            resets = sum(b < a for a, b in itertools.pairwise(total))
            assert found["resets of a running total, which is read as what each row adds", column] == resets
            got = series.values[:, series.columns.index(column)]
            np.testing.assert_allclose(got, adds, rtol=1e-5, atol=1e-5)  # the first row's is not known: it is dropped
            assert got.min() >= 0
        assert found["rows before the first value, dropped", None] == 1
        assert found["resets of a running total, which is read as what each row adds", "Iws"] == 8283

    def test_a_day_is_the_mean_of_its_hours(self):
        path = real(*self.PARTS)
        header, rows = raw(path)
        ir = [float(row[header.index("Ir")]) for row in rows]
        adds = [b if b < a else b - a for a, b in itertools.pairwise(ir)]
        series = load(path, target="TEMP", totals=["Ir"], step="1d")
        got = series.values[:, series.columns.index("Ir")]
        assert span(series) == ["2010-01-02T00:00:00", "2014-12-31T00:00:00"]
        np.testing.assert_allclose(
            got[1:], np.reshape(adds[24 : 24 + 24 * (len(got) - 1)], (-1, 24)).mean(1), atol=1e-5
        )


class TestEtth1:
    def test_the_shortest_options_by_name(self):
        path = real("ett", "ETTh1.csv.gz")
        _, rows = raw(path)
        frame, source = locate("etth1", datasets=SERIES, sample=None)
        assert (source.name, source.path, source.note) == ("etth1", path.resolve(), "")  # the published bytes
        series = read_series(frame, ForecastOptions(target="OT"))
        assert (series.rows, len(series.columns), series.step, series.repairs) == (len(rows), 7, 3600, ())
        assert (len(rows), span(series)) == (17420, ["2016-07-01T00:00:00", "2018-06-26T19:00:00"])
        assert same(series.values[:, 0], [row[-1] for row in rows])
