"""Any table that people have on disk is read; anything else is refused in words that help."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import zipfile

import numpy as np
import pandas as pd
import pytest

from data.errors import DataError
from data.source import read_table

CSV = "time,y,x\n2021-01-01 00:00,1.5,2\n2021-01-01 01:00,2.5,3\n"


def zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", CSV.encode()),
        ("a.csv", CSV.replace("\n", "\r\n").encode()),
        ("a.csv", CSV.replace(",", ";").encode()),
        ("a.tsv", CSV.replace(",", "\t").encode()),
        ("a.txt", CSV.replace(",", "|").encode()),
        ("a.csv", b"\xef\xbb\xbf" + CSV.encode()),
        ("a.csv", CSV.encode("utf-16")),
        ("a.csv", CSV.replace(",", ";").replace(".5", ",5").encode()),
        ("a.csv.gz", gzip.compress(CSV.encode(), mtime=0)),
        ("a.csv.xz", lzma.compress(CSV.encode())),
        ("a.csv.bz2", bz2.compress(CSV.encode())),
        ("a.csv", gzip.compress(CSV.encode(), mtime=0)),
        ("a.zip", zipped({"folder/a.csv": CSV, "__MACOSX/a.csv": "x"})),
    ],
    ids=[
        "comma",
        "crlf",
        "semicolon",
        "tab",
        "bar",
        "bom",
        "utf-16",
        "decimal-comma",
        "gz",
        "xz",
        "bz2",
        "unnamed-gz",
        "zip",
    ],
)
def test_one_table_in_many_forms(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    frame = read_table(tmp_path / name)
    assert list(frame.columns) == ["time", "y", "x"]
    np.testing.assert_array_equal(frame["y"], [1.5, 2.5])
    np.testing.assert_array_equal(frame["x"], [2, 3])


def test_parquet_with_its_index(tmp_path):
    frame = pd.DataFrame({"y": [1.0, 2.0]}, index=pd.DatetimeIndex(["2021-01-01", "2021-01-02"], name="day"))
    frame.to_parquet(tmp_path / "a.parquet")
    assert list(read_table(tmp_path / "a.parquet").columns) == ["day", "y"]


def test_latin_1_is_read_and_said(tmp_path):
    (tmp_path / "a.csv").write_bytes("time,T (°C)\n2021-01-01,1\n".encode("latin-1"))
    frame = read_table(tmp_path / "a.csv")
    assert frame.columns[1] == "T (°C)"
    assert frame.attrs["notes"] == ["not UTF-8, read as Latin-1"]


def test_letters_lost_in_a_header_are_shown_as_question_marks_and_counted(tmp_path):
    (tmp_path / "a.csv").write_text("time,SWDR (W/m�),PAR (��mol)\n2021-01-01,1,2\n", encoding="utf-8")
    frame = read_table(tmp_path / "a.csv")
    assert list(frame.columns) == ["time", "SWDR (W/m?)", "PAR (?mol)"]
    assert frame.attrs["notes"] == [
        "letters were lost in 2 column names and are shown as ?: 'SWDR (W/m?)', 'PAR (?mol)'"
    ]


def test_columns_that_share_a_name_are_told_apart_and_it_is_said(tmp_path):
    (tmp_path / "a.csv").write_text('time,x,"x"\n2021-01-01,1,2\n')
    frame = read_table(tmp_path / "a.csv")
    assert list(frame.columns) == ["time", "x", "x.1"]
    assert frame.attrs["notes"] == ["several columns are called 'x': the later ones became 'x.1' and so on"]


def test_a_missing_file_names_its_neighbour(tmp_path):
    (tmp_path / "weather.csv").write_text(CSV)
    with pytest.raises(DataError, match=r"no such file. Did you mean 'weather.csv'.*Accepted: a CSV file"):
        read_table(tmp_path / "wether.csv")
    with pytest.raises(DataError, match=r"The folder .*nowhere does not exist either"):
        read_table(tmp_path / "nowhere" / "a.csv")


def test_a_folder_lists_what_is_in_it(tmp_path):
    (tmp_path / "a.csv").write_text(CSV)
    with pytest.raises(DataError, match=r"is a folder, and a file is needed.*Files in it: 'a.csv'"):
        read_table(tmp_path)


GARBAGE = bytes(range(7, 200)) * 3


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", r"is empty \(0 bytes\)"),
        ("a.csv", b"\n \n", "holds nothing"),
        ("a.csv.gz", gzip.compress(b"", mtime=0), "holds nothing"),
        ("a.csv", b"time,y\n", "has a header .* and no rows"),
        ("a.csv.gz", gzip.compress(CSV.encode() * 50, mtime=0)[:-20], "cut short"),
        ("a.csv.gz", gzip.compress(CSV.encode() * 50, mtime=0)[:-60], "cut short|damaged"),
        ("a.csv.gz", GARBAGE, "damaged, or not gzip at all"),
        ("a.csv.xz", lzma.compress(CSV.encode() * 50)[:-30], "cut short|damaged"),
        ("a.csv.xz", GARBAGE, "damaged, or not xz at all"),
        ("a.csv.bz2", bz2.compress(CSV.encode() * 50)[:-9], "cut short|damaged"),
        ("a.zip", GARBAGE, "damaged, or not zip at all"),
        ("a.zip", zipped({"a.csv": CSV, "b.csv": CSV}), r"holds 2 files \('a.csv', 'b.csv'\)"),
        ("a.parquet", b"PAR1" + GARBAGE, "damaged Parquet file"),
        ("a.xlsx", b"PK\x03\x04", "is a spreadsheet. Save the sheet as CSV"),
        ("a.csv", b"\x00\x01" + GARBAGE, "binary data, not a table"),
        ("a.csv", b"<!DOCTYPE html><html>", "holds HTML"),
        ("a.csv", b'{"a": 1}', "holds JSON"),
        ("a.csv", b"a,b\n1,2\n1,2,3,4\n", "is not a table"),
        ("a.csv", b"2021-01-01,1.5\n2021-01-02,2.5\n", "has no header"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_table(tmp_path / name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_a_file_without_permission(tmp_path):
    (tmp_path / "a.csv").write_text(CSV)
    (tmp_path / "a.csv").chmod(0)
    with pytest.raises(DataError, match="permissions"):
        read_table(tmp_path / "a.csv")
