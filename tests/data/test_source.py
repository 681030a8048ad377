"""A source is a path, a dataset's name or `sample`; nothing falls back to the sample, and downloads are checked."""

from __future__ import annotations

import ast
import hashlib
import http.server
import threading
import time
from pathlib import Path

import pandas as pd
import pytest

import data
from data.source import DataError, Dataset, Source, locate

CSV = b"time,y\n2021-01-01,1\n2021-01-02,2\n"
SHA = hashlib.sha256(CSV).hexdigest()
STATION = Dataset("station", ("station.csv", "station/station.csv"), None, None, "a station")


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
    short = Dataset("short", ("short.csv",), f"{server.address}/short.csv", None, "")
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
    remote = Dataset("station", ("raw/station.csv",), f"{server.address}/station.csv", SHA, "a station")
    assert len(find("station", {"station": remote}, data_dir=tmp_path)[0]) == 2
    (server.folder / "station.csv").unlink()
    assert find("station", {"station": remote}, data_dir=tmp_path)[1].path == tmp_path / "raw" / "station.csv"
    assert [p.name for p in (tmp_path / "raw").iterdir()] == ["station.csv"]


def test_a_download_that_was_changed_leaves_nothing_behind(tmp_path, server):
    (server.folder / "station.csv").write_bytes(CSV + b"2021-01-03,3\n")
    remote = Dataset("station", ("station.csv",), f"{server.address}/station.csv", SHA, "a station")
    with pytest.raises(DataError, match=f"but {SHA} is expected"):
        find("station", {"station": remote}, data_dir=tmp_path)
    assert not list(tmp_path.iterdir())


def test_without_a_checksum_the_source_says_so(tmp_path, server):
    (server.folder / "station.csv").write_bytes(CSV)
    remote = Dataset("station", ("station.csv",), f"{server.address}/station.csv", None, "a station")
    assert "no published SHA-256" in find("station", {"station": remote}, data_dir=tmp_path)[1].note


def test_without_a_network_the_error_comes_at_once(tmp_path, server):
    address = server.address
    missing = Dataset("station", ("station.csv",), f"{address}/station.csv", SHA, "a station")
    closed = Dataset("station", ("station.csv",), "http://127.0.0.1:9/station.csv", SHA, "a station")
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
