"""Texts of the user's own domain without labels, with nothing among them that a held-out part is scored on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.columns import Repair
from data.errors import DataError
from data.leaks import Check, require
from data.source import Source, locate
from data.text_columns import find_text, texts_of
from data.text_options import TextOptions
from data.texts import TextData
from data.transforms.characters import clean


@dataclass(frozen=True)
class Unlabelled:
    """Texts without labels.

    Attributes:
        source: what was read.
        texts: those that stand in neither validation nor test.
        repairs: what was put right, and how many texts were left out.
        checks: that none of a held-out part is left; passed.
    """

    source: Source
    texts: list[str]
    repairs: list[Repair]
    checks: list[Check]


def read_unlabelled(path: Path, data: TextData) -> Unlabelled:
    """The texts of a file, without those that stand in validation or test, whatever their case, breaks and spaces.

    Args:
        path: JSON Lines, CSV, TSV or Parquet with the column of texts that `data` has, or one called `text`, `review`
            and so on.
        data: whose held-out parts are left out.

    Raises:
        DataError: the file cannot be read, has no such column, or no text is left.
    """
    if ".txt" in Path(path).suffixes:
        raise DataError(f"{path}: where one text ends and the next begins is not said. Give JSON Lines or CSV.")
    frame, source = locate(str(path), datasets={}, sample=None, texts=True)
    own = data.options.text in frame.columns
    column = find_text(frame, data.options if own else TextOptions())
    repairs: list[Repair] = []
    texts = list(texts_of(frame, column, repairs))
    plains = list(map(plain, texts))
    keep = np.ones(len(texts), bool)
    for part in ("test", "validation"):
        held = set(map(plain, data.texts(part)))
        stands = keep & np.array([text in held for text in plains])
        if stands.any():
            repairs.append(Repair(f"further texts that stand in {part}, left out", int(stands.sum()), column))
        keep &= ~stands
    texts = [text for text, kept in zip(texts, keep, strict=True) if kept]
    if not texts:
        raise DataError(f"Every text of {path} stands in validation or test: there is nothing to learn from.")
    return Unlabelled(source, texts, repairs, require([nothing_held_out(texts, data)]))


def plain(text: str) -> str:
    """The text without what does not tell it from another: case, HTML's breaks, and how much space is where."""
    return " ".join(clean(text, lower=True).split())


def nothing_held_out(texts: list[str], data: TextData) -> Check:
    """No unlabelled text stands in validation or test."""
    held = {plain(text) for part in ("validation", "test") for text in data.texts(part)}
    count = sum(plain(text) in held for text in texts)
    detail = f"{count:,} of {len(texts):,} unlabelled texts stand in validation or test."
    return Check("no held-out text among the unlabelled", not count, detail)
