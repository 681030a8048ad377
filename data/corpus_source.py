"""Where texts to learn writing from come from: a file, a folder, tiny Shakespeare by name, or the built-in sample."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from data.columns import Repair
from data.corpus_options import FILES
from data.errors import DataError, listing, nearest
from data.imdb import TFDS_HOME, TFDS_VARIABLE
from data.source import Dataset, Source, data_folders, download
from data.tables import decompress

SHAKESPEARE = Dataset(
    name="shakespeare",
    files=("text/tinyshakespeare/input.txt", "tinyshakespeare/input.txt", "tinyshakespeare.txt"),
    url="https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
    sha256="86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
    size=1_115_394,
    about="40,000 lines of Shakespeare's plays",
)
CORPORA: dict[str, Dataset] = {SHAKESPEARE.name: SHAKESPEARE}
#: The parts that TFDS makes of tiny Shakespeare, which together are the whole.
TFDS_NAME, TFDS_PARTS = "tiny_shakespeare", ("train", "validation", "test")
ACCEPTED = "a UTF-8 text file (it may be packed as .gz, .xz, .bz2 or .zip), or a folder of them"

Document = tuple[str, str]
CorpusSample = Callable[[], tuple[list[Document], Source]]


def locate_corpus(
    source: str,
    *,
    sample: CorpusSample | None,
    data_dir: Path | None = None,
    files: Sequence[str] = FILES,
) -> tuple[list[Document], Source, list[Repair]]:
    """The texts that `source` names, (name, text) each, what they are, and what was put right in them.

    A byte order mark is dropped, and every line ends with a line feed alone.

    Args:
        source: `shakespeare`, `sample`, or a path: a UTF-8 text file, packed or not, or a folder of such files.
        sample: makes the built-in sample; None where the task has none.
        data_dir: the folder of raw files.
        files: patterns of the names that are read in a folder and the folders below it.

    Raises:
        DataError: nothing is found under that name, or it is empty, damaged or no UTF-8 text.
    """
    if source == "sample":
        if sample is None:
            raise DataError(f"There is no sample here. Give {ACCEPTED}, or one of: {', '.join(CORPORA)}.")
        return *sample(), []
    if source in CORPORA:
        return _shakespeare(data_dir, CORPORA[source], ", or use --source sample" if sample else "")
    path = Path(source).expanduser()
    if path.is_dir():
        return _folder(path, files)
    if not path.exists() and not path.suffix and len(path.parts) == 1:
        raise DataError(
            f"'{source}' is neither a file or folder here nor a dataset's name."
            f"{nearest(source, [*CORPORA, 'sample'])} Give {ACCEPTED}, or one of: {', '.join(CORPORA)}"
            f"{', sample' if sample else ''}."
        )
    raw = _read(path)
    counts: Counter[str] = Counter()
    text = _text(decompress(path, raw), path, counts)
    if not text:
        raise DataError(f"{path} is empty ({len(raw)} bytes). Accepted: {ACCEPTED}.")
    return [(path.name, text)], _source(path.name, path, raw, ""), _repairs(counts)


def _shakespeare(
    data_dir: Path | None, dataset: Dataset, otherwise: str
) -> tuple[list[Document], Source, list[Repair]]:
    """A placed file before anything else, then what TFDS has prepared, and only then a download."""
    folders = data_folders(data_dir)
    place = folders[0] if folders else Path("~/.cache/seqlayers").expanduser()
    there = [p for folder in [*folders, place] for file in dataset.files if (p := folder / file).is_file()]
    home = Path(os.environ.get(TFDS_VARIABLE) or TFDS_HOME).expanduser() / TFDS_NAME
    prepared = sorted(home.glob("*/dataset_info.json"))
    note = ""
    if not there and prepared:
        path = prepared[-1].parent
        raw, note = _records(path), "as TFDS prepared it, its parts put together"
    else:
        path = there[0] if there else download(dataset, place, otherwise=otherwise)
        raw = _read(path)
    counts: Counter[str] = Counter()
    content = decompress(path, raw)
    if hashlib.sha256(content).hexdigest() != dataset.sha256:
        changed = f"not the bytes that are published: their SHA-256 is {dataset.sha256}"
        note = "; ".join(filter(None, [note, changed]))
    documents = [(dataset.name, _text(content, path, counts))]
    return documents, _source(dataset.name, path, raw, note), _repairs(counts)


def _records(folder: Path) -> bytes:
    """The text of the records that TFDS wrote, read without it."""
    import tensorflow as tf

    found = []
    for part in TFDS_PARTS:
        files = sorted(folder.glob(f"{TFDS_NAME}-{part}.tfrecord-*"))
        if not files:
            raise DataError(f"{folder} has no records of {part}. Prepare it again with TFDS, or take it away.")
        try:
            for record in tf.data.TFRecordDataset([str(f) for f in files]):
                shape = {"text": tf.io.FixedLenFeature([], tf.string)}
                found.append(tf.io.parse_single_example(record, shape)["text"].numpy())
        except tf.errors.DataLossError as error:
            raise DataError(f"{files[0]} is cut short or damaged ({error.message}). Prepare it again.") from None
    return b"".join(found)


def _folder(path: Path, patterns: Sequence[str]) -> tuple[list[Document], Source, list[Repair]]:
    """Its texts and those of the folders below, in the order of their names; what is hidden or empty is left out."""
    inside = sorted(p for p in path.rglob("*") if p.is_file())
    names = {p: p.relative_to(path) for p in inside}
    chosen = [
        p
        for p, name in names.items()
        if any(p.match(pattern) for pattern in patterns) and not any(part.startswith(".") for part in name.parts)
    ]
    if not chosen:
        raise DataError(
            f"{path} holds no file whose name is like {' or '.join(patterns)}. Files in it: "
            f"{listing([n.as_posix() for n in names.values()], 6)}. Name yours in data.files."
        )
    digest, documents, counts = hashlib.sha256(), [], Counter[str]()
    for file in chosen:
        name, raw = names[file].as_posix(), _read(file)
        digest.update(f"{name}\0{len(raw)}\0".encode() + raw)
        if text := _text(decompress(file, raw), file, counts):
            documents.append((name, text))
    if not documents:
        raise DataError(f"All {len(chosen)} texts in {path} are empty. Accepted: {ACCEPTED}.")
    counts["empty files, left out"] = len(chosen) - len(documents)
    return documents, Source(path.name, path.resolve(), digest.hexdigest(), False, ""), _repairs(counts)


def _read(path: Path) -> bytes:
    if not path.exists():
        beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        raise DataError(f"{path}: no such file.{nearest(path.name, beside)} Accepted: {ACCEPTED}.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error}). Check its permissions.") from None


def _text(raw: bytes, path: Path, counts: Counter[str]) -> str:
    """The text of a file's bytes; what is put right is added to `counts`."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        what = f"byte 0x{raw[error.start]:02x} in line {line:,} (byte {error.start + 1:,} of the file)"
        raise DataError(f"{path} is not UTF-8: {what} is no character's. Save it as UTF-8.") from None
    if "\0" in text:
        place = text.index("\0")
        line = text.count("\n", 0, place) + 1
        raise DataError(
            f"{path} has a NUL in line {line:,} (character {place + 1:,}): it is no text, or is not UTF-8. "
            f"Accepted: {ACCEPTED}."
        )
    if text.startswith("\ufeff"):
        text = text[1:]
        counts["byte order marks, dropped"] += 1
    if returns := text.count("\r"):
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        counts["carriage returns, read as line feeds or dropped before them"] += returns
    return text


def _source(name: str, path: Path, raw: bytes, note: str) -> Source:
    return Source(name, path.resolve(), hashlib.sha256(raw).hexdigest(), False, note)


def _repairs(counts: Counter[str]) -> list[Repair]:
    return [Repair(what, count) for what, count in counts.items() if count]
