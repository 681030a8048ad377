"""Reading a table from JSON Lines: an object a line."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from data.errors import DataError, listing

SUFFIXES, PACKED = (".jsonl", ".ndjson"), (".gz", ".xz", ".bz2", ".zip")
#: What stands in a text for a letter that could not be read.
LOST = "\ufffd"


def is_json_lines(path: Path) -> bool:
    """Whether the name says so, leaving aside what it says of compression."""
    inner = path.with_suffix("") if path.suffix.lower() in PACKED else path
    return inner.suffix.lower() in SUFFIXES


def read_json_lines(path: Path, raw: bytes) -> pd.DataFrame:
    """The table: a row an object, a column a key; bytes that are not UTF-8 are replaced, which `attrs["notes"]` says.

    Raises:
        DataError: a line is no JSON object.
    """
    try:
        text, notes = raw.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        text = raw.decode("utf-8-sig", "replace")
        notes = [not_utf8(raw, text)]
    rows = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            last = "; it is the last: is the file cut short?" if line and text.endswith(line) else ""
            raise DataError(
                f"{path}, line {number} is not JSON ({error}){last}. Accepted: an object a line, such as "
                '{"text": "…", "label": "…"}.'
            ) from None
        if not isinstance(row, dict):
            raise DataError(f"{path}, line {number} holds {_short(line)}, not an object. Accepted: an object a line.")
        rows.append(row)
    frame = pd.DataFrame(rows)
    nested = [c for c in frame.columns if frame[c].map(lambda v: isinstance(v, list | dict)).any()]
    if nested:
        notes.append(f"columns with lists or objects in them: {listing(nested)}")
    frame.columns = [str(c) for c in frame.columns]
    frame.attrs["notes"] = notes
    return frame


def not_utf8(raw: bytes, text: str) -> str:
    """What there is to say of a file whose text lost letters."""
    lost = text.count(LOST) - raw.count(LOST.encode())
    return f"{lost:,} bytes or so are not UTF-8, and were replaced"


def _short(line: str, most: int = 40) -> str:
    return line if len(line) <= most else f"{line[:most]}…"
