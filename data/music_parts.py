"""What frames and events of pieces have in common: the parts, the keys that train pieces come in, and their checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

from data import leaks, music_leaks
from data.columns import Repair
from data.leaks import Check
from data.music_options import MusicOptions
from data.music_splits import split_pieces
from data.pieces import Piece, held
from data.source import Source
from data.splits import PARTS

Some = TypeVar("Some", bound="MusicParts")


class MusicParts:
    """Pieces in three parts. Every part stands by length, the shortest piece first.

    Args:
        source: what was read.
        options: what becomes of the pieces.
        repairs: what was put right, dropped, or only counted.
        parts: part → its pieces.

    Attributes:
        checks: the leak checks, all passed.
    """

    def __init__(
        self, source: Source, options: MusicOptions, repairs: Sequence[Repair], parts: Mapping[str, Sequence[Piece]]
    ):
        self.source, self.options, self.repairs = source, options, list(repairs)
        self.checks = list[Check]()
        self._parts = {part: sorted(pieces, key=len) for part, pieces in parts.items()}

    @classmethod
    def prepare(
        cls: type[Some], pieces: Sequence[Piece], source: Source, options: MusicOptions, repairs: Sequence[Repair] = ()
    ) -> Some:
        """Split, transpose and check.

        Args:
            pieces: with the part of each, where the source names one.
            source: what was read.
            options: what becomes of them.
            repairs: what was put right while they were read.

        Raises:
            DataError: there are too few pieces, or they cannot be used.
            LeakError: a held-out piece reaches training.
        """
        found, dropped = split_pieces(pieces, options)
        lost = sum(piece.lost for piece in found)
        said = [*repairs, *dropped]
        if lost:
            said.append(Repair("notes outside the pitches that are kept, or too short for the grid, left out", lost))
        data = cls(source, options, said, {part: [p for p in found if p.part == part] for part in PARTS})
        keys = {part: [len(data.shifts(part, piece)) for piece in data.pieces(part)] for part in PARTS}
        checks = [music_leaks.nothing_on_two_sides(found), music_leaks.transposed_in_train_alone(keys)]
        data.checks.extend(leaks.require([*checks, *data.own_checks()]))
        return data

    def own_checks(self) -> list[Check]:
        """The checks of the representation."""
        raise NotImplementedError

    def pieces(self, part: str) -> list[Piece]:
        """The pieces of `train`, `validation` or `test`."""
        return self._parts[part]

    def shifts(self, part: str, piece: Piece) -> list[int]:
        """The semitones by which a piece is shifted: by none, and in train by all that keep its notes inside."""
        if part != "train" or not self.options.transpose:
            return [0]
        reach, lowest = self.options.transpose, self.options.lowest
        pitches = held(piece, lowest)[:, 0]
        down, up = pitches.min() - lowest, lowest + self.options.pitches - 1 - pitches.max()
        return list(range(int(max(-reach, -down)), int(min(reach, up)) + 1))

    @property
    def tempo(self) -> float:
        """Quarter notes a minute, the median of train's pieces."""
        return float(np.median([piece.tempo for piece in self.pieces("train")]))
