"""Where pieces come from: the JSB chorales by name or file, MIDI files and folders of them, or the built-in sample."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from data.chorales import CHORALES, FORMS, is_chorales, read_chorales
from data.columns import Repair
from data.errors import DataError, nearest
from data.midi import SUFFIXES, read_midi, read_midi_folder
from data.music_options import MusicOptions
from data.pieces import Piece
from data.source import Dataset, Source, data_folders, download

Sample = Callable[[MusicOptions], tuple[list[Piece], Source]]
ACCEPTED = f"a MIDI file ({', '.join(SUFFIXES)}), a folder of them, or the JSB chorales: {FORMS}"


def locate_pieces(
    source: str, *, options: MusicOptions, sample: Sample | None, data_dir: Path | None = None
) -> tuple[list[Piece], Source, list[Repair]]:
    """The pieces that `source` names, what it is, and what was put right or left out.

    Args:
        source: `jsb`, `jsb-quarter`, `jsb-16th`, `sample`, or a path: a MIDI file, a folder of them, or the JSB
            chorales in one of their four forms.
        options: the grid and the pitches that are kept.
        sample: makes the built-in sample; None where the task has none.
        data_dir: the folder of raw files.

    Raises:
        DataError: nothing is found under that name, or it cannot be read.
    """
    if source == "sample":
        if sample is None:
            raise DataError(f"There is no sample here. Give {ACCEPTED}; or one of: {', '.join(CHORALES)}.")
        return *sample(options), []
    if source in CHORALES:
        path, dataset = _find(CHORALES[source], data_dir, ", or use --source sample" if sample else "")
        pieces, found = read_chorales(path, options)
        if found.sha256 != dataset.sha256:
            found = replace(found, note=f"not the bytes that are published: their SHA-256 is {dataset.sha256}")
        return pieces, replace(found, name=source), []
    path = Path(source).expanduser()
    if path.is_dir():
        return read_midi_folder(path, options)
    if path.is_file():
        if path.suffix.lower() not in SUFFIXES and is_chorales(path):
            return *read_chorales(path, options), []
        piece = read_midi(path, options)
        return [piece], Source(path.name, path.resolve(), hashlib.sha256(path.read_bytes()).hexdigest(), False, ""), []
    known = [*CHORALES, "sample"] if sample else list(CHORALES)
    raise DataError(
        f"'{source}' is neither a file or folder here nor a dataset's name.{nearest(source, known)} Give {ACCEPTED}; "
        f"or one of: {', '.join(known)}."
    )


def _find(datasets: tuple[Dataset, ...], data_dir: Path | None, otherwise: str) -> tuple[Path, Dataset]:
    """The file of the first form that lies in a data folder; else the first form, downloaded."""
    folders = data_folders(data_dir)
    place = folders[0] if folders else Path("~/.cache/seqlayers").expanduser()
    for folder in [*folders, place]:
        for dataset in datasets:
            for file in dataset.files:
                if (folder / file).is_file():
                    return folder / file, dataset
    return download(datasets[0], place, otherwise=otherwise), datasets[0]
