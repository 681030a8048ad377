"""Reading a table from a file: CSV with any separator, JSON Lines, compressed or not, and Parquet."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data.errors import DataError, listing, nearest
from data.json_lines import LOST, is_json_lines, not_utf8, read_json_lines

ACCEPTED = "a CSV file (any separator), JSON Lines (either may be packed as .gz, .xz, .bz2 or .zip), or a Parquet file"
SEPARATORS = (",", ";", "\t", "|")

#: suffix → (the format's name, its first bytes, how to undo it)
COMPRESSIONS: dict[str, tuple[str, bytes, Callable[[bytes], bytes]]] = {
    ".gz": ("gzip", b"\x1f\x8b", gzip.decompress),
    ".xz": ("xz", b"\xfd7zXZ\x00", lzma.decompress),
    ".bz2": ("bzip2", b"BZh", bz2.decompress),
}
ZIP, PARQUET = b"PK\x03\x04", b"PAR1"
DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, ValueError, RuntimeError)


def read_bytes(path: Path) -> bytes:
    """The file as it is stored; a file that is missing, empty or a folder is refused."""
    path = Path(path)
    if path.is_dir():
        inside = sorted(p.name for p in path.iterdir() if p.is_file() and not p.name.startswith("."))
        raise DataError(f"{path} is a folder, and a file is needed: {ACCEPTED}. Files in it: {listing(inside)}.")
    if not path.exists():
        beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        where = "" if path.parent.is_dir() else f" The folder {path.parent} does not exist either."
        raise DataError(f"{path}: no such file.{nearest(path.name, beside)}{where} Accepted: {ACCEPTED}.")
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error}). Check its permissions.") from None
    if not raw:
        raise DataError(f"{path} is empty (0 bytes). Accepted: {ACCEPTED}. Fetch or export it again.")
    return raw


def read_table(path: Path, raw: bytes | None = None, *, texts: bool = False) -> pd.DataFrame:
    """The file's table, every column as it stands in the file.

    Text is taken as UTF-8, else as Latin-1; letters that a header lost on its way (U+FFFD) become `?`. Either is said
    in `frame.attrs["notes"]`, and so are columns that share a name.

    Args:
        path: the file.
        raw: its bytes, where they have been read and decompressed already.
        texts: whether the cells of a CSV are texts, each left as it is: none is read as a number or as missing.

    Raises:
        DataError: the file is missing, a folder, empty, damaged, not a table, or has a header and no rows.
    """
    path = Path(path)
    raw = decompress(path, read_bytes(path)) if raw is None else raw
    if not raw.strip():
        raise DataError(f"{path} holds nothing once it is decompressed. Accepted: {ACCEPTED}.")
    if raw.startswith(PARQUET):
        frame = _parquet(path, raw)
    else:
        frame = read_json_lines(path, raw) if is_json_lines(path) else _csv(path, raw, texts)
    if not len(frame):
        raise DataError(f"{path} has a header ({listing(frame.columns, 6)}) and no rows below it.")
    return frame


def decompress(path: Path, raw: bytes) -> bytes:
    """The bytes of the table itself, whatever it was packed with; what is damaged or no table is refused."""
    if path.suffix.lower() in (".xlsx", ".xls", ".ods"):
        raise DataError(f"{path} is a spreadsheet. Save the sheet as CSV and give that. Accepted: {ACCEPTED}.")
    if path.suffix.lower() == ".zip" or raw.startswith(ZIP):
        return _unzip(path, raw)
    for suffix, (name, magic, undo) in COMPRESSIONS.items():
        if path.suffix.lower() == suffix or raw.startswith(magic):
            try:
                return undo(raw)
            except DAMAGED as error:
                kind = "cut short" if isinstance(error, EOFError) else f"damaged, or not {name} at all"
                raise DataError(f"{path} is {kind} ({error}). Fetch it again, or give it uncompressed.") from None
    return raw


def _unzip(path: Path, raw: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            members = [m for m in archive.namelist() if not m.endswith("/") and not m.startswith("__MACOSX")]
            if len(members) != 1:
                raise DataError(f"{path} holds {len(members)} files ({listing(members, 6)}). Unpack it and give one.")
            return archive.read(members[0])
    except DAMAGED as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path} is damaged, or not zip at all ({error}). Fetch it again, or unpack it.") from None


def _parquet(path: Path, raw: bytes) -> pd.DataFrame:
    try:
        frame = pd.read_parquet(io.BytesIO(raw))
    except Exception as error:  # pyarrow raises many kinds of its own
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path} is a damaged Parquet file ({reason}). Write it again. Accepted: {ACCEPTED}.") from None
    named = isinstance(frame.index, pd.DatetimeIndex) or frame.index.name is not None
    frame = frame.reset_index() if named else frame
    frame.columns = [str(c) for c in frame.columns]
    return frame


def _csv(path: Path, raw: bytes, texts: bool) -> pd.DataFrame:
    text, encoding, notes = _decode(path, raw)
    head = [line for line in text[:100_000].splitlines()[:50] if line.strip()]
    separator = _separator(head)
    decimal = "."
    if not texts and separator != "," and re.search(r"(^|[;\t|])-?\d+,\d+([;\t|]|$)", "\n".join(head[1:]), re.M):
        decimal = ","
        notes.append("numbers have a decimal comma")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                io.BytesIO(raw),
                sep=separator,
                encoding=encoding,
                decimal=decimal,
                index_col=False,
                low_memory=False,
                encoding_errors="replace" if encoding == "utf-8-sig" else "strict",
                **({"dtype": str, "keep_default_na": False} if texts else {}),
            )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, pd.errors.ParserWarning, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        wanted = f"{ACCEPTED}, the names in the first line"
        raise DataError(f"{path} is not a table: {reason}. Accepted: {wanted}.") from None
    frame.columns = _names(head[0], separator, [str(c).strip() for c in frame.columns], notes)
    if decimal == ",":
        _refuse_points(path, frame)
    if all(re.fullmatch(r"[-+\d.,:/ T]+", c) for c in frame.columns):
        raise DataError(f"{path} has no header: its first line is {listing(frame.columns, 4)}. Put the names there.")
    frame.attrs["notes"] = notes
    return frame


def _refuse_points(path: Path, frame: pd.DataFrame) -> None:
    """Where numbers have a decimal comma, 1.234 could be a thousand or one and a bit."""
    for name in frame.columns:
        if pd.api.types.is_numeric_dtype(frame[name]):
            continue
        cells = frame[name].dropna().astype(str).str.strip()
        pointed = cells.str.fullmatch(r"[-+]?\d+\.\d+")
        if pointed.any() and cells.str.fullmatch(r"[-+]?[\d.]+(,\d+)?").all():
            raise DataError(
                f"{path}, column '{name}', row {row_number(cells.index[pointed][0])}: '{cells[pointed].iloc[0]}' has a "
                "point, and other numbers have a decimal comma. Write the file with one decimal mark, and without "
                "marks between thousands."
            )


def _names(header: str, separator: str, names: list[str], notes: list[str]) -> list[str]:
    """The columns' names, fit to be read and typed."""
    given = [cell.strip() for cell in next(csv.reader([header], delimiter=separator))]
    twice = sorted({name for name in given if name and given.count(name) > 1})
    if twice:
        notes.append(f"several columns are called {listing(twice)}: the later ones became '{twice[0]}.1' and so on")
    readable = [re.sub(f"{LOST}+", "?", name) for name in names]
    changed = [new for new, old in zip(readable, names, strict=True) if new != old]
    if changed:
        notes.append(f"letters were lost in {len(changed)} column names and are shown as ?: {listing(changed, 4)}")
    return readable


def row_number(index: Any) -> Any:
    """The row's number as people count: the first below the header is 1."""
    return index + 1 if isinstance(index, int | np.integer) else index


def _decode(path: Path, raw: bytes) -> tuple[str, str, list[str]]:
    """The start of the text, the whole's encoding, and notes on it."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw[:400_000].decode("utf-16", "replace"), "utf-16", ["read as UTF-16"]
    if b"\x00" in raw:
        raise DataError(f"{path} holds binary data, not a table. Accepted: {ACCEPTED}.")
    try:
        text, encoding, notes = raw.decode("utf-8-sig"), "utf-8-sig", []
    except UnicodeDecodeError:
        text, encoding = raw.decode("utf-8-sig", "replace"), "utf-8-sig"
        other = sum(not c.isascii() for c in text) - text.count(LOST)
        if other > text.count(LOST):
            notes = [not_utf8(raw, text)]
        else:
            text, encoding, notes = raw.decode("latin-1"), "latin-1", ["not UTF-8, read as Latin-1"]
    start = text.lstrip()[:1]
    if start in ("<", "{", "["):
        html = "HTML or XML (a download page saved in the file's place?)"
        what = html if start == "<" else "JSON (an object a line? then name it .jsonl)"
        raise DataError(f"{path} holds {what}, not a table. Accepted: {ACCEPTED}.")
    return text, encoding, notes


def _separator(lines: list[str]) -> str:
    """The separator that occurs most in the header, and in every line after it."""
    scores = {s: lines[0].count(s) if all(s in line for line in lines) else 0 for s in SEPARATORS}
    best = max(scores, key=lambda s: scores[s])
    return best if scores[best] else max(SEPARATORS, key=lines[0].count)
