"""A table of texts made ready for classification: parts, vocabulary, ids, batches of like length; checked for leaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from data import leaks, text_leaks
from data.columns import Repair
from data.errors import DataError
from data.leaks import Check
from data.source import Source
from data.splits import PARTS
from data.text_batches import Buckets, Labelled
from data.text_columns import TextTable, read_texts
from data.text_options import TextOptions
from data.text_splits import split_texts
from data.transforms.text import TextTransform


@dataclass(frozen=True)
class TextData:
    """Everything that a classifying run reads from its data. Every part stands by length, the shortest text first.

    Attributes:
        source: what was read.
        options: as given, with every column's name resolved.
        classes: their names; a label is a number in this order.
        transform: texts to ids, its vocabulary fitted on train.
        repairs: what was put right, dropped, or only counted.
        checks: the leak checks, all passed.
        table: the rows of all parts, as they came.
        stood_in_train: (rows,) whether a row of test has a text that stood in train before it was dropped from there.
    """

    source: Source
    options: TextOptions
    classes: tuple[str, ...]
    transform: TextTransform
    repairs: list[Repair]
    checks: list[Check]
    table: TextTable
    stood_in_train: np.ndarray

    @classmethod
    def prepare(cls, frame: pd.DataFrame, source: Source, options: TextOptions) -> TextData:
        """Read, repair, split, fit and check.

        Raises:
            DataError: the table or the options cannot be used.
            LeakError: a held-out text, or a label, reaches training.
        """
        table, options = read_texts(frame, options)
        table, stood = split_texts(table, options)
        parts = table.parts
        assert parts is not None

        def fit(texts: np.ndarray) -> TextTransform:
            return TextTransform.fit(texts[parts == "train"], options)

        transform = fit(table.texts)
        if not transform.vocabulary:
            raise DataError(
                f"No token occurs {options.fewest} times or more in the {int((parts == 'train').sum())} texts of train "
                f"(data.fewest): nothing can be learnt from '{options.text}'. Set data.text to another column."
            )
        data = cls(source, options, table.classes, transform, table.repairs, [], table, stood)
        names = dict(zip(data.classes, transform.ids_numpy(data.classes), strict=True))
        checks = [text_leaks.nothing_on_two_sides("text", table.texts, parts)]
        if table.groups is not None:
            checks.append(text_leaks.nothing_on_two_sides("group", table.groups, parts))
        checks += [
            text_leaks.vocabulary_is_of_train(transform, fit, table.texts, parts),
            text_leaks.label_is_not_read(data.ids("train"), data.labels("train"), names),
            text_leaks.ids_ignore_the_batch(data.graph_ids, transform.ids_numpy, list(table.texts)),
        ]
        data.checks.extend(leaks.require(checks))
        return data

    @cached_property
    def _rows_as_read(self) -> dict[str, np.ndarray]:
        return {part: np.flatnonzero(self.table.parts == part) for part in PARTS}

    @cached_property
    def _parts(self) -> dict[str, tuple[np.ndarray, list[np.ndarray]]]:
        return {}

    def _part(self, part: str) -> tuple[np.ndarray, list[np.ndarray]]:
        """The part's rows, by length, and their ids; made when first asked for."""
        if part not in self._parts:
            rows = self._rows_as_read[part]
            ids = self.transform.ids_numpy(self.table.texts[rows])
            order = np.argsort([len(i) for i in ids], kind="stable")
            self._parts[part] = rows[order], [ids[i] for i in order]
        return self._parts[part]

    def count(self, part: str) -> int:
        """How many texts `train`, `validation` or `test` has."""
        return len(self._rows_as_read[part])

    def texts(self, part: str) -> list[str]:
        """The part's texts."""
        return list(self.table.texts[self._part(part)[0]])

    def ids(self, part: str) -> list[np.ndarray]:
        """Their ids, int32 (tokens,) each, cut to `longest`."""
        return self._part(part)[1]

    def labels(self, part: str) -> np.ndarray:
        """(texts,) int32, numbers in the order of `classes`."""
        return self.table.labels[self._part(part)[0]]

    def groups(self, part: str) -> np.ndarray | None:
        """(texts,) int64, equal where the group is; None where the table has none."""
        return None if self.table.groups is None else self.table.groups[self._part(part)[0]]

    @property
    def also_in_train(self) -> np.ndarray:
        """(texts of test,) boolean: which stood in train, before they were dropped from there."""
        return self.stood_in_train[self._part("test")[0]]

    def labelled(self, part: str, more: Sequence[np.ndarray] = (), shares: np.ndarray | None = None) -> Labelled:
        """The part's texts for training; see `data.text_batches.Labelled`.

        Args:
            part: which.
            more: ids of further texts, without labels.
            shares: probabilities of their classes, (texts, classes).
        """
        ids, labels = [*self.ids(part), *more], self.labels(part)
        if shares is not None:
            labels = np.concatenate([np.eye(len(self.classes), dtype=np.float32)[labels], shares.astype(np.float32)])
        return self.batched(ids, labels)

    def batched(self, ids: Sequence[np.ndarray], labels: np.ndarray) -> Labelled:
        """Texts of one's own, in batches as those of the parts."""
        lengths = np.array([len(i) for i in ids])
        return Labelled(ids, labels, Buckets.of(lengths, self.options.buckets, self.options.longest))

    def padding(self, batch_size: int) -> float:
        """The share of a static epoch of train that is padding."""
        return self.labelled("train").buckets.padding(batch_size)

    def graph_ids(self, texts: list[str]) -> list[np.ndarray]:
        """Texts → int32 (tokens,) each, by the graph form."""
        import tensorflow as tf

        found = self.transform.ragged(tf.constant(texts, tf.string))
        return np.split(found.values.numpy(), found.row_splits.numpy()[1:-1])

    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """Part → class → how many texts."""
        found = {}
        for part, rows in self._rows_as_read.items():
            numbers = np.bincount(self.table.labels[rows], minlength=len(self.classes))
            found[part] = dict(zip(self.classes, map(int, numbers), strict=True))
        return found
