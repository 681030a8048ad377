"""Where texts come from: IMDB by name, a table, a folder or archive of class folders, or the built-in sample."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from data.imdb import IMDB, locate_imdb
from data.source import Dataset, Sample, Source, locate
from data.text_folder import is_archive, read_text_archive, read_text_folder

TEXTS: dict[str, Dataset] = {IMDB.name: IMDB}


def locate_texts(source: str, *, sample: Sample | None, data_dir: Path | None = None) -> tuple[pd.DataFrame, Source]:
    """The table of texts that `source` names, and what it is.

    Args:
        source: `imdb`, `sample`, or a path: JSON Lines, CSV, TSV or Parquet, compressed or not; a folder of class
            folders, or a tar archive of one.
        sample: makes the built-in sample; None where the task has none.
        data_dir: the folder of raw files.

    Raises:
        DataError: nothing is found under that name, or it cannot be read.
    """
    if source == IMDB.name:
        return locate_imdb(data_dir, advice=", or use --source sample" if sample else "")
    path = Path(source).expanduser()
    if path.is_dir():
        return read_text_folder(path)
    if path.is_file() and is_archive(path):
        return read_text_archive(path)
    return locate(source, datasets=TEXTS, sample=sample, data_dir=data_dir, texts=True)
