"""Train, validation and test of texts: no text and no group on two sides of a border."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.columns import Repair
from data.errors import DataError, listing
from data.splits import PARTS
from data.text_columns import TextTable
from data.text_options import TextOptions

#: Over all units, at most, to bring the classes to their shares.
ROUNDS = 5


def split_texts(table: TextTable, options: TextOptions) -> tuple[TextTable, np.ndarray]:
    """The rows with their part, without those of train that also stand in a held-out part.

    Parts that the table names are kept. A text or a group of test is dropped from validation and train, one of
    validation from train. What is not named is drawn, seeded, by class; rows of one text, or of one group, stay
    together.

    Returns:
        The table, `parts` filled; and (rows,) whether the row's text stood in train before anything was dropped.

    Raises:
        DataError: a part has no row, or train lacks a class.
    """
    texts = pd.factorize(table.texts)[0]
    parts = np.full(len(texts), "train", object) if table.parts is None else table.parts.copy()
    named = set(parts)
    stood = np.isin(texts, texts[parts == "train"]) & (parts == "test")
    repairs = [*table.repairs, *_conflicts(texts, table, options)]
    for held, others in (("test", ("train", "validation")), ("validation", ("train",))):
        for what, of in (("text", texts), ("group", table.groups)):
            if of is None:
                continue
            for part in others:
                shared = (parts == part) & np.isin(of, of[parts == held])
                if shared.any():
                    distinct = len(np.unique(of[shared]))
                    name = options.text if what == "text" else options.group
                    said = f"{part} rows dropped, since their {what} stands in {held} too ({distinct:,} {what}s)"
                    repairs.append(Repair(said, int(shared.sum()), name))
                    parts[shared] = ""
    if not (parts == "train").any():
        raise DataError("Every row of train has a text or a group that stands in a held-out part too: none is left.")
    units = together(texts, table.groups)
    for part, share in (("test", options.test), ("validation", options.validation)):
        if part not in named:
            rows = np.flatnonzero(parts == "train")
            rng = np.random.default_rng((options.seed, PARTS.index(part)))
            drawn = draw(units[rows], table.labels[rows], share, rng)
            parts[rows[drawn]] = part
    kept = parts != ""
    for part in PARTS:
        if again := int(pd.Series(texts[parts == part]).duplicated().sum()):
            repairs.append(Repair(f"{part} rows whose text stands in {part} before, kept", again, options.text))
    found = TextTable(
        table.texts[kept],
        table.labels[kept],
        table.classes,
        None if table.groups is None else table.groups[kept],
        parts[kept],
        repairs,
    )
    _require_all(found, options)
    return found, stood[kept]


def _conflicts(texts: np.ndarray, table: TextTable, options: TextOptions) -> list[Repair]:
    labels = pd.Series(table.labels).groupby(texts).nunique()
    count = int((labels > 1).sum())
    return [Repair("texts with more than one label, kept", count, options.text)] if count else []


def _require_all(table: TextTable, options: TextOptions) -> None:
    assert table.parts is not None
    of = f", or those of one '{options.group}' are too many" if options.group else ""
    for part in PARTS:
        if not (table.parts == part).any():
            raise DataError(
                f"The {part} part has no row: {len(table.texts)} rows are too few{of}. Give more, or change "
                f"data.{part if part != 'train' else 'test'}{' or data.group' if of else ''}."
            )
    lacking = np.setdiff1d(table.labels, table.labels[table.parts == "train"])
    if len(lacking):
        names = listing([table.classes[i] for i in lacking])
        raise DataError(f"No text of train is of class {names}. Give more texts of it, or take it out.")


def together(texts: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """(rows,) numbers that are equal where rows have the same text, or the same group, or are so joined by others."""
    unit = texts.astype(np.int64)
    if groups is None:
        return unit
    while True:  # the smallest number spreads over texts and groups until nothing moves
        before = unit
        for of in (groups, texts):
            unit = pd.Series(unit).groupby(of).transform("min").to_numpy()
        if np.array_equal(unit, before):
            return unit


def draw(units: np.ndarray, labels: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """(rows,) which rows are held out: whole units, in random order, each class as near to its share as they allow.

    A unit is taken, or given back, where the squared distance to the classes' shares falls; one at least is taken.
    """
    number, count = pd.factorize(units)[0], int(labels.max()) + 1
    sizes = np.zeros((number.max() + 1, count), np.int64)
    np.add.at(sizes, (number, labels), 1)
    lacking = share * sizes.sum(axis=0)
    taken = np.zeros(len(sizes), bool)
    for _ in range(ROUNDS):
        if (np.abs(lacking) <= 0.5).all():
            break
        for unit in rng.permutation(len(sizes)):
            after = lacking + (sizes[unit] if taken[unit] else -sizes[unit])
            if after @ after < lacking @ lacking:
                taken[unit], lacking = not taken[unit], after
    if not taken.any() and len(sizes) > 1:
        taken[((lacking - sizes) ** 2).sum(axis=1).argmin()] = True
    return taken[number]
