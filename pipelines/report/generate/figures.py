"""The picture of how a context helps: the loss against the place in a fresh window."""

from __future__ import annotations

import math
from typing import Any

from pipelines.report import axes, numbers
from pipelines.report.chart import Chart, Size, both
from pipelines.report.figures import Figure, is_sample, value_range, widened
from pipelines.report.generate import units
from pipelines.report.palette import shown_name, styles


def by_position(record: dict[str, Any]) -> Figure | None:
    """Loss of every candidate by how far into a window it is, where nothing came before the window.

    A value is the mean from the place before it up to its own.
    """
    given = record.get("by_position") or {}
    places = given.get("positions") or []
    lines = {name: ys for name, ys in (given.get("curves") or {}).items() if any(y is not None for y in ys or [])}
    if not places or not lines:
        return None
    kinds, unit = styles(record), units.unit(record)
    names = {name: shown_name(record, name) for name in lines}
    xs = [math.log2(place) for place in places]
    low, high = value_range(lines.values())

    def draw(size: Size) -> str:
        chart = Chart(size, widened(xs[0], xs[-1]), (low, high), list(names.values()), bottom=46)
        every = math.ceil(len(places) / (size.x_ticks + 1))
        ticks: axes.Ticks = [(x, f"{place:,}") for x, place in zip(xs, places, strict=True)][::every]
        y_title = f"loss (nats {units.each(record)})"
        chart.axes(ticks, axes.linear(low, high, size.y_ticks), f"{unit} of a fresh window", y_title)
        for name, ys in sorted(lines.items(), key=lambda item: kinds.get(item[0]) == "model"):
            chart.line(xs, ys, kinds.get(name, "first"), names[name])
        return chart.finish(alt, is_sample(record))

    said = [f"{names[name]} {_from_to(ys, places)}" for name, ys in lines.items()]
    alt = f"Loss by place in a window, in nats {units.each(record)}: {'; '.join(said)}."
    model = next((name for name in lines if kinds.get(name) == "model"), None)
    if model is None:
        caption = ""
    elif any(map(numbers.is_number, lines[model])):
        caption = f"The model’s loss goes {_from_to(lines[model], places)}, as what it has read grows. "
        caption += "Each point is the mean since the one before."
    else:
        caption = "The model has no finite loss."
    return Figure(both(draw), caption)


def _from_to(ys: list[Any], places: list[int]) -> str:
    """`from 3.317 at place 1 to 1.499 at place 256`; a window may be shorter than the longest."""
    known = [(y, place) for y, place in zip(ys, places, strict=True) if y is not None]
    ends = [f"{numbers.number(y, 4)} at place {place:,}" for y, place in (known[0], known[-1])]
    return f"from {ends[0]} to {ends[1]}"
