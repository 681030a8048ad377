"""How far a model can read."""

from __future__ import annotations

from seqlayers.kind import Kind
from seqlayers.model import SequenceModel


def context_of(model: SequenceModel) -> int | None:
    """The most steps that a model can read; None: any number.

    Attention without a window reads as far as its `capacity`, learned positions end with their `length`; kinds that
    slide along, and those that carry a state, have no end.
    """
    ends = [kind.length for kind in model.kinds() if (kind.slot, kind.kind) == ("position", "learned")]
    for kind in stepped(model):
        if kind.attends and kind.window is None and kind.capacity is not None:
            ends.append(kind.capacity)
    return min(ends, default=None)


def stepped(model: SequenceModel) -> list[Kind]:
    """The kinds that are run step by step: all, but for encoders of what a decoder is given whole."""
    given = {id(kind) for row in model.rows if row.decoder for kind in row.encoder}
    return [kind for kind in model.kinds() if id(kind) not in given]


def streams(model: SequenceModel) -> bool:
    """Whether a model can be run step by step."""
    return all(kind.streams for kind in stepped(model))
