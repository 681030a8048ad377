"""Checks that no held-out piece reaches the training of a model of music. Run on every run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np

from data.leaks import Check
from data.pieces import Piece, fingerprint
from data.splits import PARTS
from data.streams import PADDING


def nothing_on_two_sides(pieces: Sequence[Piece]) -> Check:
    """No piece stands in two parts, be it in another key."""
    name = "no piece on both sides of a border, in whatever key"
    of = {part: {fingerprint(piece) for piece in pieces if piece.part == part} for part in PARTS}
    for one, other in combinations(PARTS, 2):
        if shared := of[one] & of[other]:
            return Check(name, False, f"{len(shared)} pieces stand in {one} and in {other}.")
    return Check(name, True, f"Different pieces: {', '.join(f'{len(of[part]):,} in {part}' for part in PARTS)}.")


def inputs_are_one_step_behind(batches: Iterable[tuple[np.ndarray, np.ndarray]]) -> Check:
    """In every row the input of a step is the target of the step before.

    Args:
        batches: inputs and targets (batch, time, …) as the model is given them, −1 in the target where there is
            padding.
    """
    name = "the input is the step before, of the same piece"
    steps = 0
    for past, target in batches:
        past, target = (array.reshape(*array.shape[:2], -1) for array in (past, target))
        real = (target[:, 1:] != PADDING).any(axis=-1)
        same = (past[:, 1:] == target[:, :-1]).all(axis=-1)
        steps += int(real.sum())
        if wrong := int((real & ~same).sum()):
            return Check(name, False, f"At {wrong} of {int(real.sum())} steps the input is not the target before.")
    return Check(name, True, f"{steps:,} steps, each input the target of the step before.")


def padding_is_not_counted(real: int, wanted: int, part: str, unit: str = "frames") -> Check:
    """The targets of a part that are no padding are as many as the part has frames.

    Args:
        real: targets that are counted.
        wanted: what the part's pieces have.
        part: its name.
        unit: what is counted.
    """
    detail = f"{real:,} targets count in {part}, which has {wanted:,} {unit}."
    return Check("padding is never counted", real == wanted, detail)


def transposed_in_train_alone(keys: Mapping[str, Sequence[int]]) -> Check:
    """Every held-out piece is in its own key, and in no other.

    Args:
        keys: part → how many keys each of its pieces comes in.
    """
    name = "pieces are transposed in train alone"
    for part in PARTS[1:]:
        if more := sum(count != 1 for count in keys[part]):
            return Check(name, False, f"{more} pieces of {part} come in more than one key.")
    return Check(
        name, True, f"{len(keys['train'])} train pieces in {sum(keys['train'])} keys, all others in their own."
    )
