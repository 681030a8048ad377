"""Texts that people have on disk are read as they are; what cannot be read is refused in words that help."""

from __future__ import annotations

import gzip
import json
import lzma
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.errors import DataError
from data.leaks import LeakError, require
from data.text_source import locate_texts
from data.unlabelled import nothing_held_out, read_unlabelled
from tests.data.text_tables import NOWHERE, acl_imdb, prepared, reviews

ROWS = [
    {"text": "Très bon 👍, “really”", "label": "pos"},
    {"text": 'A "quoted", comma; and\ttab\nand a line', "label": "neg"},
    {"text": "NA", "label": "None"},
    {"text": "007", "label": "pos"},
    {"text": "", "label": "neg"},
]
LINES = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()


def find(path: Path, **how: object) -> pd.DataFrame:
    return locate_texts(str(path), sample=None, **how)[0]


def written(folder: Path, name: str) -> Path:
    frame, path = pd.DataFrame(ROWS), folder / name
    if ".jsonl" in name or ".ndjson" in name:
        pack = {".gz": gzip.compress, ".xz": lzma.compress}.get(path.suffix, bytes)
        path.write_bytes(pack(LINES))
    elif name.endswith(".parquet"):
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if ".tsv" in name else ",")
    return path


@pytest.mark.parametrize(
    "name",
    [
        "a.jsonl",
        "a.ndjson",
        "a.jsonl.gz",
        "a.jsonl.xz",
        "a.csv",
        "a.csv.gz",
        "a.csv.xz",
        "a.tsv",
        "a.tsv.bz2",
        "a.parquet",
    ],
)
def test_one_table_of_texts_in_many_forms(tmp_path, name):
    """No cell is taken for a number, or for a missing one; breaks and quotes inside a text stay."""
    found = find(written(tmp_path, name))
    assert found[["text", "label"]].to_dict("records") == ROWS


def test_json_lines_may_lack_a_key_and_hold_empty_lines(tmp_path):
    (tmp_path / "a.jsonl").write_text('\ufeff{"text": "a", "label": 1}\r\n\r\n{"text": "b", "more": "\\u0000"}')
    found = find(tmp_path / "a.jsonl")
    assert found["text"].tolist() == ["a", "b"]
    assert found["label"].isna().tolist() == [False, True]
    assert found["more"][1] == "\x00"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b"", r"is empty \(0 bytes\)"),
        ("a.jsonl.gz", gzip.compress(b"", mtime=0), "holds nothing"),
        ("a.jsonl", LINES[:-20], r"line 5 is not JSON .*it is the last: is the file cut short"),
        ("a.jsonl", b'{"text": "a"}\n{"text": "b\x00"}\n', r"line 2 is not JSON \(Invalid control character"),
        ("a.jsonl", b'{"text": "a"}\n["b"]\n', r"line 2 holds \[\"b\"\], not an object"),
        ("a.jsonl", b"text,label\na,1\n", "line 1 is not JSON"),
        ("a.jsonl.xz", lzma.compress(LINES * 50)[:-30], "cut short|damaged"),
        ("a.csv", b"text,label\na\x00b,1\n", "binary data, not a table"),
        ("a.csv", b'{"text": "a"}\n', r"holds JSON \(an object a line\? then name it .jsonl\)"),
        ("a.csv", b"text,label\n", "has a header .* and no rows"),
        ("a.tar.gz", gzip.compress(b"no tar", mtime=0), "cut short, damaged, or no tar archive"),
    ],
)
def test_what_is_no_table_of_texts_is_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        find(tmp_path / name)


def test_bytes_that_are_not_utf8_are_replaced_and_said(tmp_path):
    good = "".join(f'{{"text": "né {i}"}}\n' for i in range(9)).encode()
    (tmp_path / "a.jsonl").write_bytes(good + b'{"text": "caf\xe9"}\n')
    frame, source = locate_texts(str(tmp_path / "a.jsonl"), sample=None)
    assert (frame["text"][0], frame["text"][9]) == ("né 0", "caf\ufffd")
    assert source.note == "1 bytes or so are not UTF-8, and were replaced"


def test_a_csv_with_one_damaged_letter_keeps_the_others(tmp_path):
    (tmp_path / "a.csv").write_bytes("text,label\nné à ça,1\n".encode() + b"caf\xe9,2\n")
    frame, source = locate_texts(str(tmp_path / "a.csv"), sample=None)
    assert frame["text"].tolist() == ["né à ça", "caf\ufffd"]
    assert "not UTF-8" in source.note
    (tmp_path / "b.csv").write_bytes("text,label\nné à ça,1\ncafé,2\n".encode("latin-1"))
    frame, source = locate_texts(str(tmp_path / "b.csv"), sample=None)
    assert frame["text"].tolist() == ["né à ça", "café"]
    assert source.note == "not UTF-8, read as Latin-1"


def test_a_folder_of_class_folders(tmp_path):
    for label in ("spam", "ham"):
        (tmp_path / label).mkdir()
        for i in range(3):
            (tmp_path / label / f"{i}.txt").write_text(f"{label} {i}")
    (tmp_path / "spam" / "3.txt").write_bytes(b"caf\xe9")
    (tmp_path / "notes.txt").write_text("not of a class")
    (tmp_path / "spam" / "._0.txt").write_text("what macOS hides beside a file")
    frame, source = locate_texts(str(tmp_path), sample=None)
    assert frame["label"].value_counts().to_dict() == {"spam": 4, "ham": 3}
    assert list(frame.columns) == ["text", "label"]
    (tmp_path / "spam" / "0.txt").write_text("other")
    assert locate_texts(str(tmp_path), sample=None)[1].sha256 != source.sha256


@pytest.mark.parametrize("packed", [False, True])
def test_the_layout_of_stanford_as_a_folder_and_as_an_archive(tmp_path, packed):
    path = acl_imdb(tmp_path)
    if packed:
        with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
            archive.add(path, "aclImdb")
        path = tmp_path / "a.tar.gz"
    frame = find(path)
    assert len(frame) == 48
    assert set(frame["label"]) == {"pos", "neg"}
    row = frame[(frame["split"] == "test") & (frame["label"] == "pos") & (frame["id"] == 7)].iloc[0]
    assert (row["rating"], row["movie"]) == (9, "tt0001102")
    assert row["text"] == "A pos film in test, seen 7 times.<br /><br />Très pos!"


def test_an_archive_that_is_cut_short_is_refused(tmp_path):
    with tarfile.open(tmp_path / "whole.tar.gz", "w:gz") as archive:
        archive.add(acl_imdb(tmp_path), "aclImdb")
    whole = (tmp_path / "whole.tar.gz").read_bytes()
    for kept in (len(whole) // 2, len(whole) - 9):
        (tmp_path / "cut.tar.gz").write_bytes(whole[:kept])
        with pytest.raises(DataError, match="is cut short"):
            find(tmp_path / "cut.tar.gz")


def test_a_folder_without_classes_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    with pytest.raises(DataError, match=r"holds no folder of texts. Accepted: a folder a class"):
        find(tmp_path)


def test_the_sample_and_names_are_known(tmp_path):
    made = (pd.DataFrame(ROWS), NOWHERE)
    assert locate_texts("sample", sample=lambda: made) == made
    with pytest.raises(DataError, match=r"'imbd' is neither .*Did you mean 'imdb'"):
        locate_texts("imbd", sample=lambda: made)


class TestUnlabelled:
    DATA = prepared()

    def given(self, folder: Path, texts: list[str]) -> Path:
        path = folder / "more.jsonl"
        path.write_text("".join(json.dumps({"id": i, "text": text}) + "\n" for i, text in enumerate(texts)))
        return path

    def test_what_stands_in_a_held_out_part_is_left_out_and_counted(self, tmp_path):
        test, validation, train = (self.DATA.texts(part) for part in ("test", "validation", "train"))
        shouted = [f"  {text.upper()}\n" for text in test[:2]] + [test[2].replace(" ", "<br /><br />") + "<br>"]
        found = read_unlabelled(
            self.given(tmp_path, ["new", *shouted, test[5], *validation[:2], *train[:4]]), self.DATA
        )
        assert found.texts == ["new", *train[:4]]
        assert {r.what: r.count for r in found.repairs} == {
            "further texts that stand in test, left out": 4,
            "further texts that stand in validation, left out": 2,
        }
        assert [check.passed for check in found.checks] == [True]

    def test_one_that_was_left_in_stops_the_run(self):
        with pytest.raises(LeakError, match="1 of 2 unlabelled texts stand in validation or test"):
            require([nothing_held_out(["new", self.DATA.texts("test")[0]], self.DATA)])

    def test_a_file_without_texts_or_with_nothing_else_is_refused(self, tmp_path):
        pd.DataFrame({"a": [1], "b": [2]}).to_parquet(tmp_path / "a.parquet")
        with pytest.raises(DataError, match=r"Which column holds the texts\? no column could.*Columns: 'a', 'b'"):
            read_unlabelled(tmp_path / "a.parquet", self.DATA)
        (tmp_path / "a.txt").write_text("one\ntwo\n")
        with pytest.raises(DataError, match=r"a\.txt: where one text ends .* Give JSON Lines"):
            read_unlabelled(tmp_path / "a.txt", self.DATA)
        with pytest.raises(DataError, match=r"Every text of .* stands in validation or test"):
            read_unlabelled(self.given(tmp_path, self.DATA.texts("test")), self.DATA)


def test_a_table_goes_from_file_to_ids(tmp_path):
    frame = reviews(60)
    frame.to_csv(tmp_path / "a.csv.gz", index=False)
    data = prepared(find(tmp_path / "a.csv.gz"))
    np.testing.assert_array_equal(
        np.concatenate([np.concatenate(data.ids(p)) for p in ("train", "validation", "test")]).shape,
        sum(len(text.split()) for text in frame["text"]),
    )
