"""Which columns of a table hold the texts, the classes, the groups and the parts, and what stands in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from data.columns import Repair
from data.errors import DataError, listing, nearest
from data.tables import LOST, row_number
from data.text_options import TextOptions

TEXT = ("text", "review", "sentence", "content", "comment", "message", "body", "document", "tweet", "description")
LABEL = ("label", "sentiment", "class", "category", "target", "polarity", "topic", "intent", "y")
GROUP = ("group", "movie", "film")
SPLIT = ("split", "part", "subset", "set")
#: As the group: rows are split one by one, whatever columns there are.
NO_GROUP = "none"
#: What a table calls a part → the part.
PART_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "development"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
#: Characters on average that make a column one of texts, where no name tells.
LONG = 20
#: Rows that decide it.
LOOKED_AT = 1000
#: Rows without which nothing can be split, learnt and tested.
LEAST = 20


@dataclass(frozen=True)
class TextTable:
    """What a table of texts holds, row by row.

    Attributes:
        texts: (rows,) strings.
        labels: (rows,) int32, numbers in the order of `classes`.
        classes: the classes' names, sorted; whole numbers as numbers.
        groups: (rows,) int64, equal where the group is; None where there is none.
        parts: (rows,) train, validation or test; None where the table does not say.
        repairs: what was put right or left out.
    """

    texts: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    groups: np.ndarray | None
    parts: np.ndarray | None
    repairs: list[Repair]


def read_texts(frame: pd.DataFrame, options: TextOptions) -> tuple[TextTable, TextOptions]:
    """The table's texts, and the options with every column's name resolved.

    Raises:
        DataError: a column is missing or does not hold what it should, there is one class only, or too few rows.
    """
    options = resolve(frame, options)
    assert options.text and options.label
    if len(frame) < LEAST:
        raise DataError(f"{len(frame)} rows given, and at least {LEAST} are needed to learn, choose and test.")
    repairs: list[Repair] = []
    parts = None
    if options.split:
        parts, others = _parts(frame, options.split)
        if others:
            left = parts == ""
            repairs.append(Repair(f"rows of no part ({listing(others, 4)}), left out", int(left.sum()), options.split))
            frame, parts = frame[~left], parts[~left]
    texts = texts_of(frame, options.text, repairs)
    labels, classes = _labels(frame, options.label)
    groups = None
    if options.group:
        column = frame[options.group].astype(str).str.strip().mask(_missing(frame[options.group]))
        groups = pd.factorize(column)[0].astype(np.int64)
        groups[groups < 0] = groups.max() + 1 + np.arange((groups < 0).sum())  # a missing group is one of its own
    return TextTable(texts, labels, classes, groups, parts, repairs), options


def resolve(frame: pd.DataFrame, options: TextOptions) -> TextOptions:
    """The options with the columns that the table has."""
    grouped = options.group != NO_GROUP
    for column in (options.label, options.group if grouped else None, options.split):
        if column is not None:
            _require(frame, column)
    text = find_text(frame, options)
    taken = {text, options.label, options.group, options.split} - {None}
    split = options.split or _named(frame, SPLIT, taken)
    if split and not options.split and "train" not in _part_names(frame[split]):
        split = None
    group = (options.group or _named(frame, GROUP, taken)) if grouped else None
    taken |= {split, group} - {None}
    label = options.label or _named(frame, LABEL, taken)
    if label is None:
        left = [str(c) for c in frame.columns if c not in taken]
        if len(left) != 1:
            raise DataError(f"Which column holds the labels? Set data.label. {_columns(frame)}")
        label = left[0]
    if label == text:
        raise DataError(f"Column '{text}' is both text and label. Set data.text and data.label to two columns.")
    return options.model_copy(update={"text": text, "label": label, "group": group, "split": split})


def find_text(frame: pd.DataFrame, options: TextOptions) -> str:
    """The column of texts: the one that is set, else one with a usual name, else the only one of long strings, else the
    only one of strings; none that is called as labels, groups or parts are.

    Raises:
        DataError: there is none, or several could be meant.
    """
    if options.text is not None:
        return _require(frame, options.text)
    taken = {options.label, options.group, options.split}
    if name := _named(frame, TEXT, taken):
        return name
    other = {*LABEL, *GROUP, *SPLIT}
    lengths = {str(c): _length(frame[c]) for c in frame.columns if c not in taken and str(c).lower() not in other}
    strings = [c for c, length in lengths.items() if length > 0]
    long = [c for c in strings if lengths[c] >= LONG] or strings
    if len(long) != 1:
        found = f"several columns could ({listing(long)})" if long else "no column could"
        raise DataError(f"Which column holds the texts? {found}. Set data.text. {_columns(frame)}")
    return long[0]


def _require(frame: pd.DataFrame, column: str) -> str:
    if column not in frame.columns:
        raise DataError(f"No column '{column}'.{nearest(column, frame.columns)} {_columns(frame)}")
    return column


def _named(frame: pd.DataFrame, names: Sequence[str], taken: set[str | None]) -> str | None:
    """The first column, of those that are not taken, that has one of the names."""
    lower = {str(c).lower(): str(c) for c in frame.columns if c not in taken}
    return next((lower[n] for n in names if n in lower), None)


def _columns(frame: pd.DataFrame) -> str:
    return f"Columns: {listing(frame.columns)}."


def _length(column: pd.Series) -> float:
    """Characters on average, of a column of strings; 0 for any other."""
    some = column.iloc[:LOOKED_AT]
    lengths = [len(v) for v in some if isinstance(v, str | bytes)]
    return float(np.mean(lengths)) if len(lengths) > len(some) / 2 else 0.0


def _part_names(column: pd.Series) -> set[str]:
    return {PART_NAMES.get(str(v).strip().lower(), "") for v in column.unique()}


def _parts(frame: pd.DataFrame, name: str) -> tuple[np.ndarray, list[str]]:
    """(rows,) parts, empty where a row is in none, and what stands there."""
    said = frame[name].astype(str).str.strip()
    parts = said.str.lower().map(PART_NAMES).fillna("").to_numpy(object)
    if "train" not in parts:
        accepted = "train, test and, if there is one, validation"
        raise DataError(f"Column '{name}' names no row of train: {listing(said.unique(), 4)}. Accepted: {accepted}.")
    return parts, sorted(set(said[parts == ""]))


def texts_of(frame: pd.DataFrame, name: str, repairs: list[Repair]) -> np.ndarray:
    """(rows,) strings that can be written as UTF-8; what is missing is empty, what was lost or is empty is counted."""
    column = _single(frame, name, "a text")
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        raise DataError(f"Column '{name}' holds {column.dtype}, not texts. Set data.text. {_columns(frame)}")
    found = np.empty(len(column), object)
    lost = 0
    for row, value in enumerate(column):
        if isinstance(value, bytes):
            text = value.decode("utf-8", "replace")
            lost += LOST in text
        elif isinstance(value, str):
            text = value
            if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
                text, lost = re.sub("[\ud800-\udfff]", LOST, value), lost + 1
        else:
            text = "" if _is_missing(value) else str(value)
        found[row] = text
    if lost:
        repairs.append(Repair("texts that are not UTF-8, the letters that were lost replaced", lost, name))
    if empty := sum(not text.strip() for text in found):
        repairs.append(Repair("empty texts, kept", empty, name))
    return found


def _single(frame: pd.DataFrame, name: str, what: str) -> pd.Series:
    """The column, in which no cell holds several values."""
    column = frame[name]
    several = column.map(lambda value: isinstance(value, list | dict | tuple | set | np.ndarray)).to_numpy(bool)
    if several.any():
        row = row_number(column.index[several][0])
        raise DataError(f"Column '{name}' holds lists or objects (row {row}), and {what} is a single value.")
    return column


def _missing(column: pd.Series) -> np.ndarray:
    """(rows,) whether nothing stands there, or only space."""
    return column.isna().to_numpy() | (column.astype(str).str.strip() == "").to_numpy()


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value))


def _labels(frame: pd.DataFrame, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """(rows,) int32 class numbers, and the classes' names."""
    column = _single(frame, name, "a class")
    missing = _missing(column)
    if missing.any():
        rows = listing([row_number(i) for i in column.index[missing][:4]])
        raise DataError(
            f"Column '{name}': {int(missing.sum())} of {len(column)} labels are missing (rows {rows}). Label these "
            "texts, take them out, or give them apart as unlabelled."
        )
    if pd.api.types.is_float_dtype(column):
        if (column % 1 != 0).any():
            raise DataError(f"Column '{name}' holds numbers with a fraction, not classes. Set data.label.")
        column = column.astype(np.int64)
    said = column.astype(str).str.strip()
    names = sorted(said.unique())
    if all(re.fullmatch(r"[-+]?\d+", n) for n in names):
        names.sort(key=int)
    if len(names) < 2:
        raise DataError(f"Column '{name}' holds one class only: {listing(names)}. At least two are needed.")
    if len(names) > len(said) / 2:
        raise DataError(
            f"Column '{name}' holds {len(names)} different values in {len(said)} rows: these are not classes. "
            f"Set data.label. {_columns(frame)}"
        )
    numbers = {n: i for i, n in enumerate(names)}
    return said.map(numbers).to_numpy(np.int32), tuple(names)
