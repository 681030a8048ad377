"""Pictures of errors: by how far ahead, and by epoch; and what the other pictures share with them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.report import axes, numbers
from pipelines.report.chart import Chart, Key, Size, area, both, escape, svg
from pipelines.report.palette import shown_name, styles

#: A line that rises above this many times the others is let go out of the picture.
TOWERING = 2.5

#: How dark a band is that shows a spread.
SPREAD = 0.16


@dataclass(frozen=True)
class Figure:
    """The drawing, the sentence below it, and what its marks stand for."""

    svg: str
    caption: str
    title: str = ""
    detail: str = ""
    legend: Sequence[Key] = ()


def unit_of(record: dict[str, Any], target: str | None = None) -> str:
    """The unit of a target, as its name gives it in brackets; without a name, the one that all targets share."""
    if target is None:
        found = {unit_of(record, t) for t in (record.get("series") or {}).get("targets") or []}
        return found.pop() if len(found) == 1 else ""
    return numbers.unit(_bracketed(target))


def several_targets(record: dict[str, Any]) -> bool:
    return len((record.get("series") or {}).get("targets") or []) > 1


def scaled(record: dict[str, Any]) -> bool:
    """Whether errors are told as MASE: several targets, or several series, have no unit or no size in common."""
    return several_targets(record) or (record.get("by_step") or {}).get("of") == "MASE"


def units(record: dict[str, Any]) -> list[str]:
    """The units as the columns' names write them."""
    return [_bracketed(c) for c in (record.get("series") or {}).get("columns") or []]


def _bracketed(name: str) -> str:
    return name.rpartition("(")[2].partition(")")[0].strip() if "(" in name and name.rstrip().endswith(")") else ""


def by_step(record: dict[str, Any]) -> Figure | None:
    """Mean absolute error against how far ahead, every candidate; bars where there is one step alone.

    `record["by_step"]["spread"]`, name → (lowest, highest) by step, is drawn as a band around a candidate's line.
    """
    given = record.get("by_step") or {}
    lines = {name: ys for name, ys in (given.get("mae") or {}).items() if ys}
    if not lines:
        return None
    unit = numbers.unit(given.get("of") or "")
    steps, ahead, spread = list(given["hours"]), given.get("unit", "steps"), given.get("spread") or {}
    title = error_title(unit)
    if len(steps) == 1:
        return _bars(record, lines, title, f"{steps[0]:g}{numbers.GAP}{ahead}", "" if unit == "MASE" else unit)
    kinds = styles(record)
    names = {n: shown_name(record, n) for n in lines}
    top, towering = ceiling(record, {n: [*ys, *spread.get(n, ((), ()))[1]] for n, ys in lines.items()})

    def draw(size: Size) -> str:
        chart = Chart(size, (min(0.0, steps[0]), steps[-1]), (0.0, top), list(names.values()), bottom=46)
        chart.axes(step_ticks(steps, ahead, size), axes.linear(0, top, size.y_ticks), f"time ahead ({ahead})", title)
        for name, (low, high) in spread.items():
            chart.band(steps, low, high, kinds[name], SPREAD)
        for name, ys in sorted(lines.items(), key=lambda item: kinds.get(item[0]) == "model"):
            chart.line(steps, ys, kinds.get(name, "first"), names[name])
        return chart.finish(alt, is_sample(record))

    said = [f"{names[n]} {_from_to(ys, steps, ahead)}" for n, ys in lines.items()]
    alt = f"Error by time ahead ({title}): " + "; ".join(said) + "."
    model = next((n for n in lines if kinds.get(n) == "model"), None)
    caption = ""
    if model and not any(numbers.is_number(v) for v in lines[model]):
        caption = "The model has no finite error."
    elif model:
        caption = f"The model’s error goes {_from_to(lines[model], steps, ahead)}" + (f", in {unit}." if unit else ".")
    caption += leaving(towering)
    keys = [Key(area(kinds[n], SPREAD), f"{names[n]}, from its best to its worst fold") for n in spread]
    return Figure(both(draw), caption, legend=keys)


def error_title(unit: str) -> str:
    """What an axis of errors measures."""
    return "mean absolute scaled error" if unit == "MASE" else f"mean absolute error{f' ({unit})' if unit else ''}"


def ceiling(record: dict[str, Any], lines: Mapping[str, Sequence[float]]) -> tuple[float, dict[str, float]]:
    """Where a picture of errors ends, and the peaks of those that tower above the others and leave it."""
    kinds = styles(record)
    peaks = {n: max((v for v in ys if numbers.is_number(v)), default=0.0) for n, ys in lines.items()}
    main = [p for n, p in peaks.items() if kinds.get(n) in ("model", "ridge") or n == record.get("best_naive")]
    limit = TOWERING * max(main, default=max(peaks.values()))
    towering = {n: p for n, p in peaks.items() if p > limit}
    return max([p for n, p in peaks.items() if n not in towering], default=limit) * 1.06 or 1.0, towering


def leaving(towering: dict[str, float]) -> str:
    """Of each line that leaves the picture, how far it goes."""
    return "".join(f" The {n} leaves the picture and reaches {numbers.number(p)}." for n, p in towering.items())


def curves(record: dict[str, Any]) -> Figure | None:
    """Training and validation loss by epoch, the best epoch marked; None for a model without gradients."""
    given = record.get("curves")
    if not given or not given.get("epoch"):
        return None
    epochs = [e + 1 for e in given["epoch"]]
    loss, held = given.get("loss") or [], given.get("validation_loss") or []
    best = given.get("best_epoch", -1)
    known = [v for v in [*loss, *held] if numbers.is_number(v)]
    log = bool(known) and min(known) > 0 and max(known) > 20 * min(known)
    low, high = value_range([loss, held])
    if log:
        low, high = min(known) * 0.9, max(known) * 1.1
    at_best: float = held[best] if 0 <= best < len(held) else math.nan

    def draw(size: Size) -> str:
        span = widened(float(epochs[0]), float(epochs[-1]))
        chart = Chart(size, span, (low, high), ["validation", "training"], log=log, bottom=46)
        y_ticks = (axes.logarithmic if log else axes.linear)(low, high, size.y_ticks)
        chart.axes(axes.whole(*span, size.x_ticks), y_ticks, "epoch", "loss" + (" (logarithmic)" if log else ""))
        if numbers.is_number(at_best):
            chart.upright(epochs[best], f"best: epoch {epochs[best]}", "model")
        chart.line(epochs, loss, "truth thin", "training")
        chart.line(epochs, held, "model", "validation")
        if numbers.is_number(at_best):
            chart.dot(chart.at_x(epochs[best]), chart.at_y(at_best), "model")
        return chart.finish(alt, is_sample(record))

    after = len(epochs) - best - 1
    caption = f"{numbers.count(len(epochs), 'epoch').capitalize()}"
    seconds = [s for s in given.get("seconds") or [] if numbers.is_number(s)]
    if seconds:
        caption += f", {numbers.duration(sum(seconds) / len(seconds))} each"
    if numbers.is_number(at_best):
        caption += f". Lowest validation loss {numbers.number(at_best)} in epoch {epochs[best]}, with its weights kept"
        caption += f"; {numbers.count(after, 'epoch')} after it brought nothing better." if after > 0 else "."
    else:
        caption += ". No epoch had a finite validation loss."
    alt = "Learning curves. " + caption
    jit = given.get("jit") or {}
    if jit:
        why = jit.get("why") or (
            f"{numbers.number(jit['plain_ms'])} ms a step without, {numbers.number(jit['xla_ms'])} ms with"
            if numbers.is_number(jit.get("plain_ms")) and numbers.is_number(jit.get("xla_ms"))
            else ""
        )
        caption += f" XLA {'on' if jit.get('chosen') else 'off'}{f' ({why})' if why else ''}."
    return Figure(both(draw), caption)


def _bars(record: dict[str, Any], lines: dict[str, Sequence[float]], title: str, ahead: str, unit: str) -> Figure:
    kinds, values = styles(record), {n: ys[0] for n, ys in lines.items()}
    longest = max([v for v in values.values() if numbers.is_number(v)], default=1.0) or 1.0
    texts = dict(zip(values, numbers.column(values.values()), strict=True))

    def draw(size: Size) -> str:
        room = size.width - 150 - 70
        parts = [f'<text class="title" x="0" y="14">{escape(title)}, {escape(ahead)} ahead</text>']
        for i, (name, value) in enumerate(values.items()):
            y, style = 34 + 28 * i, kinds.get(name, "first")
            width = room * value / longest if numbers.is_number(value) else 0
            label = numbers.shorten(shown_name(record, name), 20)
            parts.append(f'<text class="label {style}" x="138" y="{y + 14}" text-anchor="end">{escape(label)}</text>')
            parts.append(f'<rect class="bar {style}" x="146" y="{y + 2}" width="{max(width, 1):.1f}" height="16"/>')
            said = escape(f"{texts[name]} {unit}".strip())
            parts.append(f'<text class="tick" x="{152 + width:.1f}" y="{y + 14}">{said}</text>')
        return svg(size.width, 40 + 28 * len(values), "".join(parts), alt, is_sample(record))

    alt = f"{title}, {ahead} ahead: " + "; ".join(f"{shown_name(record, n)} {t}" for n, t in texts.items()) + "."
    return Figure(both(draw), f"The horizon is a single step, {ahead} ahead.")


def is_sample(record: dict[str, Any]) -> bool:
    """Whether the data are made."""
    return bool((record.get("source") or {}).get("sample"))


def step_ticks(steps: list[float], unit: str, size: Size) -> axes.Ticks:
    """Ticks by hours are multiples of 3, 6, 12 or 24 where the horizon is that long."""
    if unit == "h" and steps[-1] >= 12:
        gap = next((g for g in (3, 6, 12, 24, 48, 96, 168) if steps[-1] / g <= size.x_ticks), None)
        if gap:
            return [(float(v), f"{v:,}") for v in range(0, int(steps[-1]) + 1, gap)]
    return axes.linear(0, steps[-1], size.x_ticks)


def value_range(lines: Iterable[Sequence[float]]) -> tuple[float, float]:
    """From a little below the lowest to a little above the highest."""
    known = [v for line in lines for v in line if numbers.is_number(v)]
    low, high = min(known, default=0.0), max(known, default=1.0)
    pad = 0.07 * (high - low) or 0.1 * abs(high) or 1.0
    return low - pad, high + pad


def widened(low: float, high: float) -> tuple[float, float]:
    """A domain that is not empty."""
    return (low, high) if high > low else (low - 1, high + 1)


def _from_to(ys: Sequence[float], steps: Sequence[float], unit: str) -> str:
    ends = [f"{numbers.number(ys[i])} at {steps[i]:g}{numbers.GAP}{unit}" for i in (0, -1)]
    return f"from {ends[0]} to {ends[1]}"
