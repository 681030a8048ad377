"""Where data come from: a path, a dataset's name, or the sample that is built in."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from data.errors import DataError, nearest
from data.tables import decompress, read_bytes, read_table

__all__ = ["DataError", "Dataset", "Source", "locate", "read_table"]

#: The environment variable that names the folder of raw files.
DATA_VARIABLE = "SEQLAYERS_DATA"


@dataclass(frozen=True)
class Source:
    """What was read: `sha256` is that of the file as stored, or of the sample's values."""

    name: str
    path: Path | None
    sha256: str
    sample: bool
    note: str


@dataclass(frozen=True)
class Dataset:
    """A dataset with a name.

    Attributes:
        name: what `--source` takes.
        files: the places where it may lie below the data folder; a download goes to the first.
        url: where it can be downloaded.
        sha256: of the bytes that are published, as far as known.
        size: their number, as far as known.
        about: what it is.
        untried: whether nothing here was ever tried with the genuine file, which is then said.
    """

    name: str
    files: tuple[str, ...]
    url: str | None = None
    sha256: str | None = None
    size: int | None = None
    about: str = ""
    untried: bool = False


Sample = Callable[[], tuple[pd.DataFrame, Source]]


def locate(
    source: str,
    *,
    datasets: Mapping[str, Dataset],
    sample: Sample | None,
    data_dir: Path | None = None,
    texts: bool = False,
) -> tuple[pd.DataFrame, Source]:
    """The table that `source` names, and what it is.

    Args:
        source: `sample`, a name in `datasets`, or a path.
        datasets: the named datasets of the task; each is looked for in `data_dir`, then in the folder that
            `$SEQLAYERS_DATA` names, then downloaded where its address is known.
        sample: makes the built-in sample; None where the task has none.
        data_dir: the folder of raw files.
        texts: whether cells are texts, each left as it is; see `read_table`.

    Raises:
        DataError: nothing is found under that name, or the file cannot be read.
    """
    if source == "sample":
        if sample is None:
            raise DataError(f"There is no sample here. Give a path{_names(datasets)}.")
        return sample()
    if source in datasets:
        path, note = _find(datasets[source], data_dir, ", or use --source sample" if sample else "")
        return _read(path, source, datasets[source], note, texts=texts)
    path = Path(source).expanduser()
    if not path.exists() and not path.suffix and len(path.parts) == 1:
        raise DataError(
            f"'{source}' is neither a file here nor a dataset's name.{nearest(source, [*datasets, 'sample'])} "
            f"Give a path{_names(datasets)}{', or sample' if sample else ''}."
        )
    return _read(path, path.name, texts=texts)


def _names(datasets: Mapping[str, Dataset]) -> str:
    return ", or one of: " + ", ".join(datasets) if datasets else ""


def _read(
    path: Path, name: str, dataset: Dataset | None = None, note: str = "", *, texts: bool = False
) -> tuple[pd.DataFrame, Source]:
    raw = read_bytes(path)
    content = decompress(path, raw)
    frame = read_table(path, content, texts=texts)
    said = [note, *(_compare(dataset, path, raw, content) if dataset else []), *frame.attrs.get("notes", [])]
    return frame, Source(name, path.resolve(), hashlib.sha256(raw).hexdigest(), False, "; ".join(filter(None, said)))


def _compare(dataset: Dataset, path: Path, raw: bytes, content: bytes) -> list[str]:
    """What there is to say of a file beside the one that is published."""
    notes = []
    if dataset.sha256 and dataset.sha256 not in (hashlib.sha256(b).hexdigest() for b in (raw, content)):
        notes.append(f"not the bytes that are published: their SHA-256 is {dataset.sha256}")
    elif dataset.size and not dataset.sha256 and path.name == Path(dataset.files[0]).name and len(raw) != dataset.size:
        notes.append(f"{len(raw):,} bytes, but {dataset.size:,} are published: changed, or cut short")
    if dataset.untried:
        notes.append("seqlayers was never tried with the genuine file")
    return notes


def data_folders(data_dir: Path | None) -> list[Path]:
    """Where raw files are looked for: the folder that is given, and the one that `$SEQLAYERS_DATA` names."""
    return [Path(f).expanduser() for f in (data_dir, os.environ.get(DATA_VARIABLE)) if f]


def _find(dataset: Dataset, data_dir: Path | None, otherwise: str) -> tuple[Path, str]:
    """The dataset's file, and what there is to say about how it came."""
    folders = data_folders(data_dir)
    for folder in folders:
        for file in dataset.files:
            if (folder / file).is_file():
                return folder / file, ""
    if dataset.url:
        place = folders[0] if folders else Path("~/.cache/seqlayers").expanduser()
        if (place / dataset.files[0]).is_file():
            return place / dataset.files[0], ""
        path = download(dataset, place, otherwise=otherwise)
        return path, "" if dataset.sha256 else "downloaded; no published SHA-256 to compare it with"
    looked = " and ".join(map(str, folders)) or f"nowhere: neither --data-dir nor ${DATA_VARIABLE} is set"
    file = dataset.files[0]
    where = f"Put {file} below such a folder" if folders else f"Set one to a folder that holds {file}"
    raise DataError(f"Dataset '{dataset.name}' ({dataset.about}) not found; looked in {looked}. {where}{otherwise}.")


def download(dataset: Dataset, folder: Path, *, otherwise: str = "", timeout: float = 10.0) -> Path:
    """Fetch a dataset's file into `folder`, checked by its SHA-256 and its length, as far as they are known.

    Nothing half-written is left in its place; `otherwise` is what else the error advises.
    """
    assert dataset.url
    path = folder / dataset.files[0]
    advice = f"Put {path.name} at {path} yourself{otherwise}."
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"Cannot write below {path.parent} ({reason}). Choose another --data-dir.") from None
    try:
        with os.fdopen(handle, "wb") as out, urllib.request.urlopen(dataset.url, timeout=timeout) as response:
            found, length = _copy(response, out, dataset.name)
        if dataset.size and length != dataset.size:
            raise DataError(
                f"{dataset.url} sent {length:,} bytes, but {dataset.size:,} are expected: it was changed or cut short. "
                f"{advice}"
            )
        if dataset.sha256 and found != dataset.sha256:
            raise DataError(
                f"{dataset.url} sent a file with SHA-256 {found}, but {dataset.sha256} is expected: it was changed "
                f"or cut short. {advice}"
            )
        os.replace(temporary, path)
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", None) or error
        what = f"Dataset '{dataset.name}' cannot be downloaded from {dataset.url}"
        raise DataError(f"{what} ({reason}). {advice}") from None
    finally:
        Path(temporary).unlink(missing_ok=True)
    return path


def _copy(response: object, out: object, name: str, block: int = 1 << 18) -> tuple[str, int]:
    """Copy in blocks, with progress on a terminal; returns the SHA-256 and the number of bytes."""
    total = int(response.headers.get("Content-Length") or 0)  # type: ignore[attr-defined]
    digest, done = hashlib.sha256(), 0
    while data := response.read(block):  # type: ignore[attr-defined]
        out.write(data)  # type: ignore[attr-defined]
        digest.update(data)
        done += len(data)
        if sys.stderr.isatty():
            share = f" of {total / 1e6:.1f} MB ({done / total:.0%})" if total else " MB"
            print(f"\rDownloading {name}: {done / 1e6:.1f}{share}", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    if total and done != total:
        raise OSError(f"cut short: {done:,} of {total:,} bytes came")
    return digest.hexdigest(), done
