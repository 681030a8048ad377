"""Train, validation and test of pieces: no music on two sides of a border, in whatever key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from data.columns import Repair
from data.errors import DataError
from data.music_options import MusicOptions
from data.pieces import Piece, fingerprint
from data.splits import PARTS
from data.text_splits import draw


def split_pieces(pieces: Sequence[Piece], options: MusicOptions) -> tuple[list[Piece], list[Repair]]:
    """The pieces with their part, without those that also stand, in whatever key, in a part that is held out.

    Parts that the source names are kept; what stands in test is dropped from validation and train, what stands in
    validation from train. What is not named is drawn from train, seeded; the same music stays together.

    Raises:
        DataError: a part has no piece.
    """
    _, music = np.unique([fingerprint(piece) for piece in pieces], return_inverse=True)
    parts = np.array([piece.part or "train" for piece in pieces], object)
    named, repairs = set(parts), []
    for held, others in (("test", ("train", "validation")), ("validation", ("train",))):
        for part in others:
            shared = (parts == part) & np.isin(music, music[parts == held])
            if shared.any():
                said = f"{part} pieces dropped, since they stand in {held} too, be it in another key"
                repairs.append(Repair(said, int(shared.sum())))
                parts[shared] = ""
    undivided = int((parts == "train").sum())
    for part, share in (("test", options.test), ("validation", options.validation)):
        if part not in named:
            rows = np.flatnonzero(parts == "train")
            if len(np.unique(music[rows])) > 1:
                rng = np.random.default_rng((options.seed, PARTS.index(part)))
                parts[rows[draw(music[rows], np.zeros(len(rows), np.int64), share * undivided / len(rows), rng)]] = part
    for part in PARTS:
        if not (parts == part).any():
            raise DataError(
                f"The {part} part has no piece: {len(pieces)} are too few, since a piece is in one part alone. Give "
                "three different pieces or more."
            )
    return [replace(piece, part=part) for piece, part in zip(pieces, parts, strict=True) if part], repairs
