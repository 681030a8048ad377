"""What was taken for what: the confusion matrix, tinted by the share of its line, and the pairs most often confused."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from pipelines.report import numbers
from pipelines.report.classify import shares

#: A matrix of more classes is no longer read as a matrix: its worst pairs are listed alone.
MOST_CLASSES = 20
#: So many pairs are listed below a matrix, and so many in its place.
PAIRS, PAIRS_ALONE = 3, 15


@dataclass(frozen=True)
class Square:
    """A cell: how many texts, their share of the label's, and whether they are right."""

    count: str
    share: str
    depth: str
    right: bool


@dataclass(frozen=True)
class Confusion:
    """The classes, a line of squares for each label, and sentences about the pairs most often confused."""

    classes: list[str]
    lines: list[tuple[str, list[Square]]]
    pairs: list[str]


def confusion(record: dict[str, Any]) -> Confusion | None:
    """The matrix of `record["confusion"]`: a line a label, a column a prediction."""
    given = record.get("confusion") or {}
    classes, matrix = [str(name) for name in given.get("classes") or []], given.get("matrix") or []
    if not classes or not matrix:
        return None
    lines = []
    for i, row in enumerate(matrix):
        total = sum(row)
        squares = []
        for j, count in enumerate(row):
            part = count / total if total else 0.0
            share = numbers.percent(part) if total else numbers.ABSENT
            depth = part if i == j else math.sqrt(part)  # or few mistakes would not be seen at all
            squares.append(Square(numbers.whole(count), share, f"{depth:.3f}", i == j))
        lines.append((classes[i], squares))
    drawn = lines if len(classes) <= MOST_CLASSES else []
    pairs = _pairs(record, classes, matrix) if len(classes) > 2 else []
    return Confusion(classes, drawn, pairs[: PAIRS if drawn else PAIRS_ALONE])


def wrong(record: dict[str, Any]) -> int | None:
    """How many texts of the test part were put into another class than their label's."""
    matrix = (record.get("confusion") or {}).get("matrix") or []
    return sum(count for i, row in enumerate(matrix) for j, count in enumerate(row) if i != j) if matrix else None


def _pairs(record: dict[str, Any], classes: list[str], matrix: list[list[int]]) -> list[str]:
    found = [(n, i, j) for i, row in enumerate(matrix) for j, n in enumerate(row) if i != j and n]
    said = []
    for count, i, j in sorted(found, key=lambda entry: (-entry[0], entry[1], entry[2])):
        part = shares.share(record, count / sum(matrix[i]))
        said.append(f"{classes[i]} taken for {classes[j]}: {numbers.whole(count)}, {part} of the former")
    return said
