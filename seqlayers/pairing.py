"""What may stand beside what in a row: a pairing that would go unused or wrong is refused, with what would do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from seqlayers.errors import ConfigurationError

if TYPE_CHECKING:
    from seqlayers.kind import Kind
    from seqlayers.row import Row


def check_row(row: Row) -> None:
    """Raise the first `ConfigurationError` that there is about a row of slots."""
    for error in _errors(row):
        raise error


def _errors(row: Row) -> Iterator[ConfigurationError]:
    place, head = row.place, row.head
    if row.channels not in ("mixed", "independent"):
        yield ConfigurationError(f"{place}.channels", f"{row.channels!r} given.", "mixed, independent")
    if row.channels == "independent":
        if not row.targets:
            yield ConfigurationError(f"{place}.targets", "independent channels need their number.", "int ≥ 1")
        if row.decoder or _takes_ids(row):
            yield ConfigurationError(f"{place}.channels", "'independent' is for readings, without a decoder.", "mixed")
    if row.adapts or (head is not None and head.takes == "ids"):
        before = [k for k in row.kinds() if k is not head and (k.slot, k.kind) != ("normalise", "none")]
        if before or row.channels == "independent":
            stands = ", ".join(f"{k.slot} '{k.kind}'" for k in before) or "channels: independent"
            yield ConfigurationError(
                f"{place}.head",
                f"'{head.kind}' {_how(head)}, but {stands} stands before it.",
                "a row with this head alone",
            )
    yield from _about_positions(row)
    yield from _about_ids(row)
    if head is not None and head.per_step and row.pooling is not None:
        yield ConfigurationError(
            f"{place}.pooling",
            f"head '{head.kind}' gives an output for each step, but pooling '{row.pooling.kind}' leaves one for all.",
            "no pooling; or a head such as 'classify', which gives one output",
        )
    if row.decoder and row.normalise is not None and row.normalise.kind != "none":
        yield ConfigurationError(
            f"{place}.normalise", f"'{row.normalise.kind}' knows the level of the past, not of the target.", "none"
        )


def _how(head: Kind) -> str:
    if not getattr(head, "adapts", False):
        return "reads the ids themselves"
    if head.per_step or head.takes == "ids":
        return f"is counted from the {'ids' if head.takes == 'ids' else 'notes'} themselves"
    return "is solved in closed form from the readings"


def _about_positions(row: Row) -> Iterator[ConfigurationError]:
    if row.position is None or not row.position.in_attention:
        return
    if not any(layer.attends for layer in [*row.encoder, *row.decoder]):
        stands = ", ".join(f"'{layer.kind}'" for layer in [*row.encoder, *row.decoder]) or "nothing"
        yield ConfigurationError(
            f"{row.place}.position",
            f"'{row.position.kind}' acts inside attention, but {stands} stands behind it and would not use it.",
            "'none' or an additive kind such as 'sinusoidal'; or encoder 'attention' or 'transformer'",
        )


def _takes_ids(row: Row) -> bool:
    return row.embedding is not None and row.embedding.takes == "ids"


def _about_ids(row: Row) -> Iterator[ConfigurationError]:
    if _takes_ids(row) and row.normalise is not None and row.normalise.kind != "none":
        yield ConfigurationError(
            f"{row.place}.normalise", f"'{row.normalise.kind}' is for readings; ids have no level.", "none"
        )
    if getattr(row.head, "tied", False) and (row.embedding is None or row.embedding.kind != "token"):
        stands = "there is none" if row.embedding is None else f"embedding '{row.embedding.kind}' has none"
        yield ConfigurationError(
            f"{row.place}.head.tied", f"the output weights are to be those of a token table, but {stands}.", "false"
        )
