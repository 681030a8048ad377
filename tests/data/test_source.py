"""A source is a path, a dataset's name or `sample`; nothing falls back to the sample, and downloads are checked."""

from __future__ import annotations

import ast
import dataclasses
import gzip
import hashlib
import http.server
import io
import threading
import time
import zipfile
from pathlib import Path

import pandas as pd
import pytest

import data
from data import weather
from data.datasets import SERIES
from data.series import ForecastOptions, read_series
from data.source import DataError, Dataset, Source, locate

CSV = b"time,y\n2021-01-01,1\n2021-01-02,2\n"
SHA = hashlib.sha256(CSV).hexdigest()
STATION = Dataset("station", ("station.csv", "station/station.csv"), about="a station")


def made() -> tuple[pd.DataFrame, Source]:
    return pd.DataFrame({"y": [1.0]}), Source("sample", None, "", True, "made")


@pytest.fixture
def server(tmp_path_factory):
    """A server on loopback; its files stand in `.folder`."""
    folder = tmp_path_factory.mktemp("served")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def log_message(self, *_):
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    running.folder, running.address = folder, f"http://127.0.0.1:{running.server_address[1]}"
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


def test_a_download_that_is_cut_short_leaves_nothing(server, tmp_path):
    """The server announces more than it sends; without a known hash only the length can tell."""

    def half(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(CSV)

    server.RequestHandlerClass.do_GET = half
    short = Dataset("short", ("short.csv",), f"{server.address}/short.csv")
    with pytest.raises(DataError, match="cut short"):
        find("short", {"short": short}, data_dir=tmp_path)
    assert list(tmp_path.rglob("*")) == []


def find(source, datasets=None, sample=made, data_dir=None):
    return locate(source, datasets=datasets or {}, sample=sample, data_dir=data_dir)


def test_a_path_comes_with_its_hash(tmp_path):
    (tmp_path / "a.csv").write_bytes(CSV)
    frame, source = find(str(tmp_path / "a.csv"))
    assert len(frame) == 2
    assert (source.name, source.sha256, source.sample) == ("a.csv", SHA, False)


def test_the_sample_is_marked():
    assert find("sample")[1].sample


def test_a_name_is_looked_for_in_the_data_folder_then_in_the_variable(tmp_path, monkeypatch):
    first, second = tmp_path / "first", tmp_path / "second"
    (second / "station").mkdir(parents=True)
    (second / "station" / "station.csv").write_bytes(CSV)
    first.mkdir()
    monkeypatch.setenv("SEQLAYERS_DATA", str(second))
    found = find("station", {"station": STATION}, data_dir=first)[1]
    assert (found.name, found.path) == ("station", second / "station" / "station.csv")
    (first / "station.csv").write_bytes(CSV)
    assert find("station", {"station": STATION}, data_dir=first)[1].path == first / "station.csv"


def test_a_dataset_that_is_not_there_says_where_to_put_it(tmp_path, monkeypatch):
    monkeypatch.delenv("SEQLAYERS_DATA", raising=False)
    with pytest.raises(DataError, match=r"looked in .*Put station.csv below such a folder, or use --source sample"):
        find("station", {"station": STATION}, data_dir=tmp_path)
    with pytest.raises(DataError, match=r"\$SEQLAYERS_DATA is set. Set one to a folder that holds station.csv"):
        find("station", {"station": STATION})


def test_neither_a_file_nor_a_name_lists_the_names():
    message = r"'statoin' is neither .*Did you mean 'station'\? Give a path, or one of: station, or sample"
    with pytest.raises(DataError, match=message):
        find("statoin", {"station": STATION})
    with pytest.raises(DataError, match="no such file"):
        find("statoin.csv", {"station": STATION})
    with pytest.raises(DataError, match="There is no sample here"):
        find("sample", sample=None)


def test_a_download_is_checked_and_kept(tmp_path, server, monkeypatch):
    monkeypatch.delenv("SEQLAYERS_DATA", raising=False)
    (server.folder / "station.csv").write_bytes(CSV)
    remote = Dataset("station", ("raw/station.csv",), f"{server.address}/station.csv", SHA)
    assert len(find("station", {"station": remote}, data_dir=tmp_path)[0]) == 2
    (server.folder / "station.csv").unlink()
    assert find("station", {"station": remote}, data_dir=tmp_path)[1].path == tmp_path / "raw" / "station.csv"
    assert [p.name for p in (tmp_path / "raw").iterdir()] == ["station.csv"]


def test_a_download_that_was_changed_leaves_nothing_behind(tmp_path, server):
    (server.folder / "station.csv").write_bytes(CSV + b"2021-01-03,3\n")
    remote = Dataset("station", ("station.csv",), f"{server.address}/station.csv", SHA)
    with pytest.raises(DataError, match=f"but {SHA} is expected"):
        find("station", {"station": remote}, data_dir=tmp_path)
    assert not list(tmp_path.iterdir())


def test_without_a_checksum_the_source_says_so(tmp_path, server):
    (server.folder / "station.csv").write_bytes(CSV)
    remote = Dataset("station", ("station.csv",), f"{server.address}/station.csv")
    assert "no published SHA-256" in find("station", {"station": remote}, data_dir=tmp_path)[1].note


def test_a_download_of_another_length_than_the_published_one_leaves_nothing_behind(tmp_path, server):
    (server.folder / "station.csv").write_bytes(CSV)
    remote = Dataset("station", ("station.csv",), f"{server.address}/station.csv", size=len(CSV) + 1)
    with pytest.raises(DataError, match=f"sent {len(CSV)} bytes, but {len(CSV) + 1} are expected"):
        find("station", {"station": remote}, data_dir=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_placed_file_that_is_not_the_published_one_is_read_and_said(tmp_path):
    station = Dataset("station", ("station.csv", "station.csv.gz"), sha256=SHA)
    (tmp_path / "station.csv.gz").write_bytes(gzip.compress(CSV))
    assert find("station", {"station": station}, data_dir=tmp_path)[1].note == ""  # packed, and the same
    (tmp_path / "station.csv").write_bytes(CSV + b"2021-01-03,3\n")
    frame, source = find("station", {"station": station}, data_dir=tmp_path)
    assert (len(frame), source.note) == (3, f"not the bytes that are published: their SHA-256 is {SHA}")
    sized = Dataset("station", ("station.csv",), size=len(CSV))
    note = find("station", {"station": sized}, data_dir=tmp_path)[1].note
    assert note == f"{len(CSV) + 13} bytes, but {len(CSV)} are published: changed, or cut short"


def jena(rows: int = 2000) -> bytes:
    """A zip as the Keras documentation's: day.month.year, fourteen variables, and the faults that it is known for."""
    frame = weather.sample()[0][:rows].copy()
    frame["Date Time"] = frame["Date Time"].dt.strftime("%d.%m.%Y %H:%M:%S")
    frame.loc[[7, 8], ["wv (m/s)", "max. wv (m/s)"]] = -9999.0
    frame = pd.concat([frame[:200], frame[150:160], frame[200:].drop(index=[250, 251])])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("jena_climate_2009_2016.csv", frame.to_csv(index=False, lineterminator="\r\n"))
    return packed.getvalue()


def test_jena_is_downloaded_and_read_and_marked_as_not_tried(tmp_path, server):
    packed = jena()
    (server.folder / "jena.zip").write_bytes(packed)
    remote = dataclasses.replace(SERIES["jena"], url=f"{server.address}/jena.zip", size=len(packed))
    frame, source = find("jena", {"jena": remote}, data_dir=tmp_path)
    assert source.path == tmp_path / "jena_climate_2009_2016.csv.zip"
    assert source.note == (
        "downloaded; no published SHA-256 to compare it with; seqlayers was never tried with the genuine file"
    )
    options = ForecastOptions(target="T", missing=[-9999], wind=[{"speed": "wv", "direction": "wd"}])
    series = read_series(frame, options)
    assert (series.rows, len(series.columns), series.step) == (2000, 14, 600)
    assert {r.what: r.count for r in series.repairs} == {
        "marked as missing (-9999)": 2,
        "rows out of order, sorted": 1,
        "rows that are copies of another, dropped": 10,
        "missing times, filled forward": 2,
    }


def test_jena_put_in_place_need_not_be_the_published_zip(tmp_path):
    (tmp_path / "jena_climate_2009_2016.csv.zip").write_bytes(jena())
    note = find("jena", SERIES, data_dir=tmp_path)[1].note
    assert "13,568,290 are published: changed, or cut short; seqlayers was never tried" in note


def test_every_name_says_what_it_is_and_where_it_goes(tmp_path, monkeypatch):
    monkeypatch.delenv("SEQLAYERS_DATA", raising=False)
    assert list(SERIES) == ["jena", "ltsf-weather", "etth1"]
    with pytest.raises(DataError, match=r"'ltsf-weather' \(of the long-horizon .*Put weather/weather.csv below"):
        find("ltsf-weather", SERIES, data_dir=tmp_path)


def test_where_there_is_no_sample_none_is_advised(tmp_path):
    with pytest.raises(DataError) as error:
        find("station", {"station": STATION}, sample=None, data_dir=tmp_path)
    assert str(error.value).endswith("Put station.csv below such a folder.")


def test_without_a_network_the_error_comes_at_once(tmp_path, server):
    address = server.address
    missing = Dataset("station", ("station.csv",), f"{address}/station.csv", SHA)
    closed = Dataset("station", ("station.csv",), "http://127.0.0.1:9/station.csv", SHA)
    for remote in (missing, closed):
        start = time.monotonic()
        with pytest.raises(DataError, match=r"cannot be downloaded from .*Put station.csv at .*or use --source sample"):
            find("station", {"station": remote}, data_dir=tmp_path)
        assert time.monotonic() - start < 5
    assert not list(tmp_path.iterdir())


def test_the_data_room_knows_no_model():
    for path in Path(data.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            rooms = {name.split(".")[0] for name in names}
            assert not rooms & {"seqlayers", "pipelines", "keras", "tests"}, f"{path} imports {rooms}"
