"""Texts in files of their own: a folder a class, maybe below a folder a part, as a folder or as a tar archive."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pandas as pd

from data.errors import DataError
from data.source import Source
from data.tables import decompress, read_bytes
from data.text_columns import PART_NAMES

ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")
LAYOUT = "a folder a class with .txt files in it, or train/ and test/ with such folders"
#: What the folder of texts without a label is called.
UNLABELLED = "unsup"
#: In the Stanford archive: the review's number and its stars, and the title in an address.
NUMBERED = re.compile(r"(\d+)_(\d+)\.txt")
TITLE = re.compile(r"tt\d+")

Member = tuple[PurePosixPath, bytes]


def is_archive(path: Path) -> bool:
    return path.name.lower().endswith(ARCHIVES)


def read_text_folder(path: Path) -> tuple[pd.DataFrame, Source]:
    """The texts below a folder; see `table_of`.

    Raises:
        DataError: no folder of it is a class with texts.
    """
    digest, members = hashlib.sha256(), []
    for file in sorted(path.rglob("*.txt")):
        name = PurePosixPath(file.relative_to(path).as_posix())
        if not _is_text(name):
            continue
        content = file.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
        members.append((name, content))
    return table_of(members, path), Source(path.name, path.resolve(), digest.hexdigest(), False, "")


def read_text_archive(path: Path, sha256: str | None = None) -> tuple[pd.DataFrame, Source]:
    """The texts of a tar archive; see `table_of`.

    Args:
        path: the archive.
        sha256: of what is published; None compares with nothing.

    Raises:
        DataError: the archive is damaged, cut short or not the published one, or no folder in it is a class.
    """
    raw = read_bytes(path)
    found = hashlib.sha256(raw).hexdigest()
    if sha256 and found != sha256:
        raise DataError(
            f"{path} is not the archive that is published: its {len(raw):,} bytes have SHA-256 {found}, not {sha256}. "
            "It was changed or cut short. Fetch it again; or unpack it, and give the folder."
        )
    try:
        members = sorted(_members(decompress(path, raw)))
    except tarfile.TarError as error:
        advice = "Fetch it again; or unpack it, and give the folder."
        raise DataError(f"{path} is cut short, damaged, or no tar archive ({error}). {advice}") from None
    if len({name.parts[0] for name, _ in members}) == 1:
        members = [(PurePosixPath(*name.parts[1:]), content) for name, content in members if len(name.parts) > 1]
    return table_of(members, path), Source(path.name, path.resolve(), found, False, "")


def _members(raw: bytes) -> Iterator[Member]:
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        for member in archive:
            name = PurePosixPath(member.name)
            if member.isfile() and _is_text(name):
                file = archive.extractfile(member)
                assert file is not None
                yield PurePosixPath(*(p for p in name.parts if p != ".")), file.read()


def _is_text(name: PurePosixPath) -> bool:
    """Whether a file is a labelled text, not one of those that macOS hides beside each."""
    return name.suffix == ".txt" and UNLABELLED not in name.parts and not name.name.startswith(".")


def table_of(members: list[Member], path: Path) -> pd.DataFrame:
    """Columns `text`, `label` (the folder's name) and, where folders name them, `split`.

    In the layout of the Stanford archive (`train/pos/0_9.txt`, `train/urls_pos.txt`) also `id`, `rating` and `movie`.

    Args:
        members: names below the folder, and what the files hold.
        path: where they come from.
    """
    titles, rows = {}, []
    for name, content in members:
        above = name.parts[:-1]
        if name.name.startswith("urls_"):
            titles[(*above, name.stem.removeprefix("urls_"))] = TITLE.findall(content.decode("utf-8", "replace"))
        elif above and above[-1].lower() not in PART_NAMES:
            rows.append((name, content))
    if not rows:
        raise DataError(f"{path} holds no folder of texts. Accepted: {LAYOUT}.")
    found: dict[str, list] = {
        "text": [_text(content) for _, content in rows],
        "label": [name.parts[-2] for name, _ in rows],
    }
    if all(len(name.parts) > 2 for name, _ in rows):
        found["split"] = [name.parts[-3] for name, _ in rows]
    numbers = [NUMBERED.fullmatch(name.name) for name, _ in rows]
    matched = [m for m in numbers if m]
    if len(matched) == len(rows):
        found["id"] = [int(m[1]) for m in matched]
        found["rating"] = [int(m[2]) for m in matched]
        listed = [titles.get(name.parts[:-1], []) for name, _ in rows]
        if all(number < len(of) for number, of in zip(found["id"], listed, strict=True)):
            found["movie"] = [of[number] for number, of in zip(found["id"], listed, strict=True)]
    return pd.DataFrame(found)


def _text(content: bytes) -> str | bytes:
    """A string; the bytes as they are where they are not UTF-8, which is counted where texts are read."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content
