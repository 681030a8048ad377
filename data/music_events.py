"""Pieces of music made ready for a model of events: parts, keys, tokens, streams and windows; checked for leaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from data import music_leaks
from data.columns import Repair
from data.events import NEVER, START, EventTransform
from data.leaks import Check
from data.music_options import MusicOptions
from data.music_parts import MusicParts
from data.pieces import Piece, held
from data.source import Source
from data.splits import PARTS
from data.streams import PADDING, TokenStreams

#: Rows of the batches that the checks look at.
TRIED = 32


class EventData(MusicParts, TokenStreams):
    """Everything that a run on events reads from its data; see `TokenStreams` for its batches.

    Attributes:
        transform: notes to ids and back.
    """

    def __init__(
        self, source: Source, options: MusicOptions, repairs: Sequence[Repair], parts: Mapping[str, Sequence[Piece]]
    ):
        MusicParts.__init__(self, source, options, repairs, parts)
        self.transform = EventTransform.of(options)
        each = {
            part: [
                self.transform.to_ids(held(piece, options.lowest) + np.array([shift, 0, 0]))
                for piece in self.pieces(part)
                for shift in self.shifts(part, piece)
            ]
            for part in PARTS
        }
        TokenStreams.__init__(
            self,
            {part: np.concatenate(ids) for part, ids in each.items()},
            {part: [len(i) for i in ids] for part, ids in each.items()},
            options.window,
        )

    def own_checks(self) -> list[Check]:
        batches = [b for part in PARTS for b in self.ordered(part, TRIED).take(1).as_numpy_iterator()]
        checks = [music_leaks.inputs_are_one_step_behind(batches)]
        for part in PARTS[1:]:
            real = sum(int((target != PADDING).sum()) for _, target in self.ordered(part, TRIED).as_numpy_iterator())
            wanted = self.count(part) - len(self.lengths(part))
            checks.append(music_leaks.padding_is_not_counted(real, wanted, part, "tokens after a first"))
        return checks

    @property
    def unit(self) -> str:
        """What one token is called."""
        return self.transform.unit

    @property
    def start(self) -> int:
        """The id that stands before a piece's first event, and after its last."""
        return START

    def unknown(self, part: str) -> float:
        """The share of the part's tokens that are unknown: none."""
        return float((self.ids(part) == NEVER).mean())
