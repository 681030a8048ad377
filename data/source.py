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
from data.tables import read_bytes, read_table

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
    """A dataset with a name: the places it may lie below the data folder, and where it can be downloaded."""

    name: str
    files: tuple[str, ...]
    url: str | None
    sha256: str | None
    about: str


Sample = Callable[[], tuple[pd.DataFrame, Source]]


def locate(
    source: str, *, datasets: Mapping[str, Dataset], sample: Sample | None, data_dir: Path | None = None
) -> tuple[pd.DataFrame, Source]:
    """The table that `source` names, and what it is.

    Args:
        source: `sample`, a name in `datasets`, or a path.
        datasets: the named datasets of the task; each is looked for in `data_dir`, then in the folder that
            `$SEQLAYERS_DATA` names, then downloaded where its address is known.
        sample: makes the built-in sample; None where the task has none.
        data_dir: the folder of raw files.

    Raises:
        DataError: nothing is found under that name, or the file cannot be read.
    """
    if source == "sample":
        if sample is None:
            raise DataError(f"There is no sample here. Give a path{_names(datasets)}.")
        return sample()
    if source in datasets:
        path, note = _find(datasets[source], data_dir)
        return _read(path, source, note)
    path = Path(source).expanduser()
    if not path.exists() and not path.suffix and len(path.parts) == 1:
        raise DataError(
            f"'{source}' is neither a file here nor a dataset's name.{nearest(source, [*datasets, 'sample'])} "
            f"Give a path{_names(datasets)}{', or sample' if sample else ''}."
        )
    return _read(path, path.name)


def _names(datasets: Mapping[str, Dataset]) -> str:
    return ", or one of: " + ", ".join(datasets) if datasets else ""


def _read(path: Path, name: str, *notes: str) -> tuple[pd.DataFrame, Source]:
    raw = read_bytes(path)
    frame = read_table(path, raw)
    note = "; ".join([*filter(None, notes), *frame.attrs.get("notes", [])])
    return frame, Source(name, path.resolve(), hashlib.sha256(raw).hexdigest(), False, note)


def _find(dataset: Dataset, data_dir: Path | None) -> tuple[Path, str]:
    """The dataset's file, and what there is to say about how it came."""
    variable = os.environ.get(DATA_VARIABLE)
    folders = [Path(f).expanduser() for f in (data_dir, variable) if f]
    for folder in folders:
        for file in dataset.files:
            if (folder / file).is_file():
                return folder / file, ""
    if dataset.url:
        place = folders[0] if folders else Path("~/.cache/seqlayers").expanduser()
        if (place / dataset.files[0]).is_file():
            return place / dataset.files[0], ""
        path = download(dataset, place)
        return path, "" if dataset.sha256 else "downloaded; no published SHA-256 to compare it with"
    looked = " and ".join(map(str, folders)) or f"nowhere: neither --data-dir nor ${DATA_VARIABLE} is set"
    file = dataset.files[0]
    where = f"Put {file} below such a folder" if folders else f"Set one to a folder that holds {file}"
    raise DataError(
        f"Dataset '{dataset.name}' ({dataset.about}) not found; looked in {looked}. {where}, or use --source sample."
    )


def download(dataset: Dataset, folder: Path, *, timeout: float = 10.0) -> Path:
    """Fetch a dataset's file into `folder`, checked by its SHA-256; nothing half-written is left in its place."""
    assert dataset.url
    path = folder / dataset.files[0]
    advice = f"Put {path.name} at {path} yourself, or use --source sample."
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"Cannot write below {path.parent} ({reason}). Choose another --data-dir.") from None
    try:
        with os.fdopen(handle, "wb") as out, urllib.request.urlopen(dataset.url, timeout=timeout) as response:
            found = _copy(response, out, dataset.name)
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


def _copy(response: object, out: object, name: str, block: int = 1 << 18) -> str:
    """Copy in blocks, with progress on a terminal; returns the SHA-256."""
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
    return digest.hexdigest()
