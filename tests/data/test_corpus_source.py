"""Texts that people have on disk are read as they are; what cannot be read is refused in words that help."""

from __future__ import annotations

import bz2
import dataclasses
import gzip
import hashlib
import lzma
import time
import zipfile

import pytest
import tensorflow as tf

from data import corpus_source
from data.corpus_sample import QUOTED, sample
from data.corpus_source import SHAKESPEARE, locate_corpus
from data.errors import DataError
from tests.data.corpora import STRANGE
from tests.data.tables import real

PLAY = "First Citizen:\nBefore we proceed any further, hear me speak.\n" * 9


@pytest.fixture(autouse=True)
def nothing_placed(request, monkeypatch, tmp_path):
    if "genuine" not in request.node.name:
        monkeypatch.delenv("SEQLAYERS_DATA", raising=False)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))


def find(source, **how):
    documents, source, repairs = locate_corpus(str(source), sample=None, **how)
    return documents, source, {r.what: r.count for r in repairs}


@pytest.mark.parametrize(
    "suffix, pack", [("", bytes), (".gz", gzip.compress), (".xz", lzma.compress), (".bz2", bz2.compress)]
)
def test_a_file_packed_or_not(tmp_path, suffix, pack):
    path = tmp_path / f"a.txt{suffix}"
    path.write_bytes(pack(STRANGE.encode()))
    documents, source, repairs = find(path)
    assert documents == [(path.name, STRANGE)] and repairs == {}
    assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (source.name, source.path, source.sample) == (path.name, path, False)


def test_a_zip_of_one(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.txt", PLAY)
    assert find(tmp_path / "a.zip")[0] == [("a.zip", PLAY)]


def test_lines_end_with_a_line_feed_and_a_mark_is_dropped(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffone\r\ntwo\rthree\n".encode())
    documents, _, repairs = find(path)
    assert documents[0][1] == "one\ntwo\nthree\n"
    assert repairs == {
        "byte order marks, dropped": 1,
        "carriage returns, read as line feeds or dropped before them": 2,
    }


def test_a_folder_in_the_order_of_names(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / ".hidden").mkdir()
    for name, content in {
        "c.md": "3",
        "a.txt": "1",
        "b/x.txt": "2",
        "empty.txt": "",
        ".hidden/h.txt": "no",
        "p.py": "no",
    }.items():
        (tmp_path / name).write_text(content)
    documents, source, repairs = find(tmp_path)
    assert documents == [("a.txt", "1"), ("b/x.txt", "2"), ("c.md", "3")]
    assert repairs == {"empty files, left out": 1} and source.name == tmp_path.name
    assert [name for name, _ in find(tmp_path, files=["*.py"])[0]] == ["p.py"]
    (tmp_path / "c.md").write_text("4")
    assert find(tmp_path)[1].sha256 != source.sha256


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", r"a.txt is empty \(0 bytes\). Accepted: a UTF-8 text file"),
        (b"\xef\xbb\xbf", r"a.txt is empty \(3 bytes\)"),
        (
            b"one\ntwo \xe9t\xe9\n",
            r"not UTF-8: byte 0xe9 in line 2 \(byte 9 of the file\) is no character's. Save it as UTF-8",
        ),
        ("été".encode("utf-16"), "not UTF-8: byte 0xff in line 1"),
        (b"one\ntwo\0\n", r"has a NUL in line 2 \(character 8\): it is no text"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, content, message):
    for path in (tmp_path / "a.txt", tmp_path / "folder" / "a.txt"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        find(tmp_path / "a.txt")
    with pytest.raises(DataError, match="are empty" if len(content) < 4 else message):
        find(tmp_path / "folder")


def test_what_is_not_there_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.csv").write_text("1")
    (tmp_path / "texts.txt").write_text("1")
    for source, message in {
        tmp_path / "text.txt": r"no such file. Did you mean 'texts.txt'\?",
        tmp_path / "empty": r"holds no file whose name is like \*.txt .*Files in it: none",
        tmp_path / "other": r"Files in it: 'a.csv'. Name yours in data.files",
        "shakespear": r"neither a file or folder here nor a dataset's name. Did you mean 'shakespeare'\?",
        "sample": "There is no sample here",
    }.items():
        with pytest.raises(DataError, match=message):
            find(source)
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(PLAY.encode())[:-9])
    with pytest.raises(DataError, match="cut short"):
        find(tmp_path / "a.txt.gz")


class TestShakespeare:
    """A placed file before what TFDS has prepared, and that before a download."""

    @pytest.mark.parametrize("place", SHAKESPEARE.files)
    def test_a_placed_file(self, tmp_path, place):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PLAY)
        documents, source, _ = find("shakespeare", data_dir=tmp_path)
        assert documents == [("shakespeare", PLAY)] and source.path == path
        assert source.note == f"not the bytes that are published: their SHA-256 is {SHAKESPEARE.sha256}"

    def test_what_tfds_has_prepared(self, tmp_path):
        place = tmp_path / "tfds" / "tiny_shakespeare" / "1.0.0"
        place.mkdir(parents=True)
        (place / "dataset_info.json").write_text("{}")
        for part, text in {"train": PLAY[:90], "validation": PLAY[90:95], "test": PLAY[95:]}.items():
            with tf.io.TFRecordWriter(str(place / f"tiny_shakespeare-{part}.tfrecord-00000-of-00001")) as file:
                value = tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode()]))
                file.write(tf.train.Example(features=tf.train.Features(feature={"text": value})).SerializeToString())
        documents, source, _ = find("shakespeare")
        assert documents == [("shakespeare", PLAY)] and source.path == place
        assert source.sha256 == hashlib.sha256(PLAY.encode()).hexdigest()
        assert "as TFDS prepared it" in source.note
        path = next(place.glob("*train*"))
        path.write_bytes(path.read_bytes()[:-7])
        with pytest.raises(DataError, match="cut short or damaged"):
            find("shakespeare")
        path.unlink()
        with pytest.raises(DataError, match="has no records of train"):
            find("shakespeare")

    def test_a_download_is_checked_and_kept(self, tmp_path, monkeypatch):
        remote = tmp_path / "remote.txt"
        remote.write_text(PLAY)
        digest = hashlib.sha256(remote.read_bytes()).hexdigest()
        dataset = dataclasses.replace(SHAKESPEARE, url=remote.as_uri(), sha256=digest, size=len(PLAY))
        monkeypatch.setitem(corpus_source.CORPORA, "shakespeare", dataset)
        documents, source, _ = find("shakespeare", data_dir=tmp_path / "data")
        assert documents == [("shakespeare", PLAY)] and source.note == ""
        assert source.path == tmp_path / "data" / SHAKESPEARE.files[0]
        remote.unlink()
        assert find("shakespeare", data_dir=tmp_path / "data")[1] == source

    def test_without_files_and_network_the_error_comes_at_once(self, tmp_path, monkeypatch):
        closed = dataclasses.replace(SHAKESPEARE, url="http://127.0.0.1:9/input.txt")
        monkeypatch.setitem(corpus_source.CORPORA, "shakespeare", closed)
        start = time.monotonic()
        with pytest.raises(DataError, match=r"cannot be downloaded.*Put input.txt at .*or use --source sample"):
            locate_corpus("shakespeare", sample=sample, data_dir=tmp_path)
        assert time.monotonic() - start < 5

    def test_the_genuine_file(self):
        folder = real("text", "tinyshakespeare", "input.txt").parents[2]
        ((_, text),), source, repairs = find("shakespeare", data_dir=folder)
        assert (len(text), source.sha256, source.note, repairs) == (1_115_394, SHAKESPEARE.sha256, "", {})


def test_the_sample_is_reference_texts_that_do_not_quote_one_another():
    documents, source, repairs = locate_corpus("sample", sample=sample)
    assert source.sample and repairs == [] and "Python" in source.note
    assert 200_000 < sum(len(text) for _, text in documents) < 1_000_000
    paragraphs = [" ".join(p.split()) for _, text in documents for p in text.split("\n\n")]
    long = [p for p in paragraphs if len(p) >= QUOTED]
    assert len(set(long)) == len(long) > 1000
    assert sample()[1].sha256 == source.sha256
