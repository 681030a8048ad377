"""The reviews of IMDB (Maas et al. 2011): placed files first, what TFDS has prepared next, then the archive itself."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pandas as pd

from data.errors import DataError
from data.source import Dataset, Source, data_folders, download
from data.tables import decompress, read_bytes, read_table
from data.text_folder import read_text_archive, read_text_folder

IMDB = Dataset(
    name="imdb",
    files=("imdb/aclImdb_v1.tar.gz", "aclImdb_v1.tar.gz"),
    url="https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
    sha256="c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
    size=84_125_825,
    about="50,000 film reviews, half of them to train on, positive or negative",
    untried=True,
)
HALVES = ("train", "test")
PACKED = (".jsonl.xz", ".jsonl", ".jsonl.gz")
#: What the sources call the two classes.
CLASSES = {"0": "negative", "1": "positive", "neg": "negative", "pos": "positive"}
#: Where TFDS keeps what it has prepared.
TFDS_VARIABLE, TFDS_HOME, TFDS_NAME = "TFDS_DATA_DIR", "~/tensorflow_datasets", "imdb_reviews/plain_text"


def locate_imdb(data_dir: Path | None, *, dataset: Dataset = IMDB, advice: str = "") -> tuple[pd.DataFrame, Source]:
    """The labelled reviews: columns `text`, `label`, `split` and, but from TFDS, `movie`, `rating` and `id`.

    Looked for in the data folders, there or below `imdb/`: `imdb_train.jsonl.xz` with `imdb_test.jsonl.xz` (or .gz, or
    unpacked), `aclImdb_v1.tar.gz`, an unpacked `aclImdb/`. Then what TFDS has prepared on this machine. Only then
    something is fetched: the archive that TFDS would fetch, which has more in it than TFDS keeps.

    Raises:
        DataError: nothing is found or fetched, or what is found is incomplete, damaged or not what was published.
    """
    folders = data_folders(data_dir)
    for folder in (f / below for f in folders for below in ("imdb", "")):
        if found := _halves(folder):
            return _named(*found)
        if (archive := folder / Path(dataset.files[-1]).name).is_file():
            return _named(*read_text_archive(archive, dataset.sha256))
        if (unpacked := folder / "aclImdb").is_dir():
            return _named(*read_text_folder(unpacked))
    home = Path(os.environ.get(TFDS_VARIABLE) or TFDS_HOME).expanduser() / TFDS_NAME
    if prepared := sorted(home.glob("*/dataset_info.json")):
        return _named(*_prepared(prepared[-1].parent))
    place = folders[0] if folders else Path("~/.cache/seqlayers").expanduser()
    archive = place / dataset.files[0]
    if not archive.is_file():
        archive = download(dataset, place, otherwise=advice)
    return _named(*read_text_archive(archive, dataset.sha256))


def _named(frame: pd.DataFrame, source: Source) -> tuple[pd.DataFrame, Source]:
    """With the classes' names, whatever the source calls them."""
    label = frame["label"].astype(str)
    if unknown := sorted(set(label) - set(CLASSES)):
        raise DataError(f"{source.path} has labels {unknown[:4]}; those of IMDB are {', '.join(CLASSES)}.")
    return frame.assign(label=label.map(CLASSES)), replace(source, name=IMDB.name)


def _halves(folder: Path) -> tuple[pd.DataFrame, Source] | None:
    """The two files of JSON Lines, or None where there is neither."""
    paths = [
        next((p for suffix in PACKED if (p := folder / f"imdb_{half}{suffix}").is_file()), None) for half in HALVES
    ]
    there = [p for p in paths if p]
    if not there:
        return None
    if len(there) < len(HALVES):
        missing = HALVES[paths.index(None)]
        raise DataError(f"{there[0]} is there, but not imdb_{missing}{PACKED[0]}. Put it beside it, or take both away.")
    digest, frames, notes = hashlib.sha256(), [], []
    for path, half in zip(there, HALVES, strict=True):
        raw = read_bytes(path)
        digest.update(raw)
        frame = read_table(path, decompress(path, raw), texts=True)
        notes += frame.attrs.pop("notes", [])
        frames.append(frame.assign(split=half))
    found = pd.concat(frames, ignore_index=True)
    for column in ("text", "label"):
        if column not in found:
            raise DataError(f"{there[0]} has no '{column}' in its lines. Accepted: text, label and maybe movie.")
    note = "; ".join(["SHA-256 of train's file and test's, one after the other", *notes])
    return found, Source(IMDB.name, there[0].parent.resolve(), digest.hexdigest(), False, note)


def _prepared(folder: Path) -> tuple[pd.DataFrame, Source]:
    """The records that TFDS wrote, read without it."""
    import tensorflow as tf

    shape = {"text": tf.io.FixedLenFeature([], tf.string), "label": tf.io.FixedLenFeature([], tf.int64)}
    digest, rows = hashlib.sha256(), []
    for half in HALVES:
        files = sorted(folder.glob(f"imdb_reviews-{half}.tfrecord-*"))
        if not files:
            raise DataError(f"{folder} has no records of {half}. Prepare it again with TFDS, or take it away.")
        for file in files:
            digest.update(file.read_bytes())
        try:
            for record in tf.data.TFRecordDataset([str(f) for f in files]):
                found = tf.io.parse_single_example(record, shape)
                rows.append((found["text"].numpy(), int(found["label"]), half))
        except tf.errors.DataLossError as error:
            raise DataError(f"{files[0]} is cut short or damaged ({error.message}). Prepare it again.") from None
    frame = pd.DataFrame(rows, columns=["text", "label", "split"])
    frame["text"] = [text.decode("utf-8", "replace") for text in frame["text"]]
    note = "as TFDS prepared it: without the films, which may stand in train and in validation"
    return frame, Source(IMDB.name, folder.resolve(), digest.hexdigest(), False, note)
