"""IMDB: placed files before anything else, whatever form they have; what is incomplete or changed is refused."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import lzma
import shutil
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from data.errors import DataError
from data.imdb import IMDB, locate_imdb
from data.text_options import TextOptions
from data.text_source import locate_texts
from data.texts import TextData
from tests.data.tables import real
from tests.data.text_tables import acl_imdb, prepared

NAMED = {"negative": 24, "positive": 24}


@pytest.fixture(autouse=True)
def nothing_placed(monkeypatch, tmp_path):
    monkeypatch.delenv("SEQLAYERS_DATA", raising=False)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))


def half(path: Path, name: str, rows: int = 24) -> Path:
    lines = [
        {"id": i, "label": i % 2, "movie": f"tt{i // 4}{name}", "split": name, "text": f"Film {i} of {name}"}
        for i in range(rows)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    path.write_bytes(lzma.compress(content) if path.suffix == ".xz" else content)
    return path


def archived(folder: Path) -> bytes:
    path = folder / "made.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(acl_imdb(folder), "aclImdb")
    shutil.rmtree(folder / "aclImdb")
    content = path.read_bytes()
    path.unlink()
    return content


@pytest.mark.parametrize("place", ["imdb", "."])
@pytest.mark.parametrize("suffix", [".jsonl.xz", ".jsonl"])
def test_two_placed_files_of_json_lines(tmp_path, place, suffix):
    paths = [half(tmp_path / place / f"imdb_{name}{suffix}", name) for name in ("train", "test")]
    frame, source = locate_texts("imdb", sample=None, data_dir=tmp_path)
    assert frame["label"].value_counts().to_dict() == NAMED
    assert frame["split"].value_counts().to_dict() == {"train": 24, "test": 24}
    assert (source.name, source.sample) == ("imdb", False)
    assert source.sha256 == hashlib.sha256(b"".join(p.read_bytes() for p in paths)).hexdigest()


def test_one_of_the_two_is_not_enough(tmp_path):
    half(tmp_path / "imdb_train.jsonl.xz", "train")
    with pytest.raises(DataError, match=r"imdb_train.jsonl.xz is there, but not imdb_test"):
        locate_imdb(tmp_path)


def test_labels_that_are_not_its_own_are_refused(tmp_path):
    for name in ("train", "test"):
        path = half(tmp_path / f"imdb_{name}.jsonl", name)
        path.write_text(path.read_text().replace('"label": 0', '"label": 7'))
    with pytest.raises(DataError, match=r"has labels \['7'\]; those of IMDB are 0, 1, neg, pos"):
        locate_imdb(tmp_path)


def test_an_unpacked_folder(tmp_path):
    acl_imdb(tmp_path)
    frame, source = locate_texts("imdb", sample=None, data_dir=tmp_path)
    assert frame["label"].value_counts().to_dict() == NAMED
    assert source.name == "imdb"
    assert prepared(frame).options.group == "movie"


def test_a_placed_archive_is_checked_by_its_hash(tmp_path):
    content = archived(tmp_path)
    (tmp_path / "aclImdb_v1.tar.gz").write_bytes(content)
    with pytest.raises(DataError, match=f"not the archive that is published.* not {IMDB.sha256}"):
        locate_imdb(tmp_path)
    right = dataclasses.replace(IMDB, sha256=hashlib.sha256(content).hexdigest())
    assert len(locate_imdb(tmp_path, dataset=right)[0]) == 48
    (tmp_path / "aclImdb_v1.tar.gz").write_bytes(content[:-100])
    with pytest.raises(DataError, match=r"It was changed or cut short. Fetch it again"):
        locate_imdb(tmp_path, dataset=right)


def tfds(folder: Path) -> Path:
    """Records as TFDS writes them."""
    place = folder / "tfds" / "imdb_reviews" / "plain_text" / "1.0.0"
    place.mkdir(parents=True)
    (place / "dataset_info.json").write_text("{}")
    for name in ("train", "test"):
        with tf.io.TFRecordWriter(str(place / f"imdb_reviews-{name}.tfrecord-00000-of-00001")) as file:
            for i in range(24):
                text = tf.train.Feature(bytes_list=tf.train.BytesList(value=[f"Très {i} {name}".encode()]))
                label = tf.train.Feature(int64_list=tf.train.Int64List(value=[i % 2]))
                record = tf.train.Example(features=tf.train.Features(feature={"text": text, "label": label}))
                file.write(record.SerializeToString())
    return place


def test_what_tfds_has_prepared_is_read_before_anything_is_fetched(tmp_path):
    place = tfds(tmp_path)
    frame, source = locate_imdb(None)
    assert frame["label"].value_counts().to_dict() == NAMED
    assert frame["text"][0] == "Très 0 train"
    assert source.path == place
    assert "without the films" in source.note


def test_records_that_are_cut_short_are_refused(tmp_path):
    path = next(tfds(tmp_path).glob("*train*"))
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(DataError, match=r"cut short|damaged"):
        locate_imdb(None)


def test_without_files_and_network_the_error_comes_at_once(tmp_path):
    closed = dataclasses.replace(IMDB, url="http://127.0.0.1:9/aclImdb_v1.tar.gz")
    start = time.monotonic()
    with pytest.raises(DataError, match=r"cannot be downloaded.*Put aclImdb_v1.tar.gz at .*or use --source sample"):
        locate_imdb(tmp_path, dataset=closed, advice=", or use --source sample")
    assert time.monotonic() - start < 5
    assert not (tmp_path / "imdb" / "aclImdb_v1.tar.gz").exists()


def test_the_archive_is_fetched_checked_and_kept(tmp_path):
    content = archived(tmp_path)
    (tmp_path / "remote").mkdir()
    (tmp_path / "remote" / "aclImdb_v1.tar.gz").write_bytes(content)
    url = (tmp_path / "remote" / "aclImdb_v1.tar.gz").as_uri()
    remote = dataclasses.replace(IMDB, url=url, sha256=hashlib.sha256(content).hexdigest(), size=len(content))
    place = tmp_path / "data"
    assert len(locate_imdb(place, dataset=remote)[0]) == 48
    assert (place / "imdb" / "aclImdb_v1.tar.gz").read_bytes() == content
    with pytest.raises(DataError, match="but 5 are expected"):
        locate_imdb(tmp_path / "other", dataset=dataclasses.replace(remote, size=5))


@pytest.fixture(scope="module")
def data():
    frame, source = locate_imdb(real("imdb", "imdb_train.jsonl.xz").parents[1])
    return TextData.prepare(frame, source, TextOptions())


@pytest.mark.slow
class TestGenuine:
    """The 50,000 reviews."""

    def test_what_stands_in_both_halves_is_dropped_from_train_and_counted(self, data):
        counted = {(r.what, r.column): r.count for r in data.repairs}
        assert counted["train rows dropped, since their text stands in test too (123 texts)", "text"] == 123
        assert counted["train rows dropped, since their group stands in test too (1 groups)", "movie"] == 2
        assert data.also_in_train.sum() == 123
        assert counted["test rows whose text stands in test before, kept", "text"] == 25_000 - 24_801
        assert data.count("test") == 25_000
        assert data.count("train") + data.count("validation") == 25_000 - 125

    def test_classes_are_even_and_no_film_is_on_two_sides(self, data):
        for part, counts in data.counts().items():
            assert abs(counts["positive"] - counts["negative"]) < 0.01 * data.count(part), part
        films = [set(data.groups(part)) for part in ("train", "validation", "test")]
        assert not (films[0] & films[1] or films[0] & films[2] or films[1] & films[2])

    def test_the_graph_gives_the_same_ids_for_every_test_review(self, data):
        texts, expected = data.texts("test"), data.ids("test")
        graph = tf.function(data.transform.ragged, input_signature=[tf.TensorSpec([None], tf.string)])
        batches = tf.data.Dataset.from_tensor_slices(texts).batch(250).map(graph, num_parallel_calls=2)
        row = 0
        for found in batches:
            values, splits = found.values.numpy(), found.row_splits.numpy()
            np.testing.assert_array_equal(values, np.concatenate(expected[row : row + len(splits) - 1]))
            np.testing.assert_array_equal(np.diff(splits), [len(i) for i in expected[row : row + len(splits) - 1]])
            row += len(splits) - 1
        assert row == 25_000
