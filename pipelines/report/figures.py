"""The pictures of a forecast's report: windows, error by step, learning curves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.report import axes, numbers
from pipelines.report.chart import Chart, Size, both, escape, svg
from pipelines.report.palette import rival, shown_name, styles

#: Of many targets the windows of this many are drawn.
TARGETS_DRAWN = 2

#: A line that rises above this many times the others is let go out of the picture.
TOWERING = 2.5


@dataclass(frozen=True)
class Figure:
    """The drawing and the sentence below it."""

    svg: str
    caption: str
    title: str = ""
    detail: str = ""


def unit_of(record: dict[str, Any], target: str | None = None) -> str:
    """The unit of a target, as its name gives it in brackets; without a name, the one that all targets share."""
    if target is None:
        found = {unit_of(record, t) for t in (record.get("series") or {}).get("targets") or []}
        return found.pop() if len(found) == 1 else ""
    return numbers.unit(_bracketed(target))


def units(record: dict[str, Any]) -> list[str]:
    """The units as the columns' names write them."""
    return [_bracketed(c) for c in (record.get("series") or {}).get("columns") or []]


def _bracketed(name: str) -> str:
    return name.rpartition("(")[2].partition(")")[0].strip() if "(" in name and name.rstrip().endswith(")") else ""


def windows(record: dict[str, Any]) -> list[Figure]:
    """Past, truth, forecast, ridge and quantiles of a few test windows, target by target, good ones first."""
    targets = list(dict.fromkeys(w["target"] for w in record.get("windows") or []))[:TARGETS_DRAWN]
    order = {"good": 0, "typical": 1, "worst": 2}
    chosen = [w for w in record.get("windows") or [] if w["target"] in targets]
    chosen.sort(key=lambda w: (targets.index(w["target"]), order.get(w["label"], 3)))
    return [_window(record, w, several=len(targets) > 1) for w in chosen]


def _window(record: dict[str, Any], window: dict[str, Any], several: bool) -> Figure:
    sample, name = _is_sample(record), rival(record) or "ridge"
    target, unit = window["target"], unit_of(record, window["target"])
    past_x, ahead_x = _places(window.get("past_times") or [], window["times"])
    clock = numbers.instant(window["times"][0]) is not None
    other = window.get("ridge")
    bands = sorted((float(q), ys) for q, ys in (window.get("quantiles") or {}).items())
    everything = [window.get("past") or [], window["truth"], window["forecast"], other or [], *(ys for _, ys in bands)]
    low, high = _range(everything)
    labels = ["truth", "model", *([name] if other else []), *(["90 %"] if bands else [])]
    mae = numbers.with_unit(window.get("mae"), unit)
    last = past_x[-1:] + ahead_x  # lines begin at the last reading
    known = (window.get("past") or [])[-1:]

    def draw(size: Size) -> str:
        first = past_x[0] if past_x else ahead_x[0]
        chart = Chart(size, _widened(first, ahead_x[-1]), (low, high), labels, bottom=28 if clock else 46)
        x_ticks = (axes.times if clock else axes.whole)(*chart.x, size.x_ticks)
        chart.axes(x_ticks, axes.linear(low, high, size.y_ticks), "" if clock else "steps from now", target)
        for (lower, below), (upper, above) in zip(bands[: len(bands) // 2], reversed(bands), strict=False):
            chart.band(last[-len(below) :], below, above, "model")
            for level, ys in ((lower, below), (upper, above)):
                if numbers.is_number(ys[-1]):
                    chart.ends.append((chart.at_y(ys[-1]), numbers.percent(level, 0), "model faint"))
        if past_x:
            chart.upright(past_x[-1], "forecast made", "quiet")
        chart.line(past_x, window.get("past") or [], "past")
        if other:
            chart.line(last, known + list(other), "ridge", name)
        few = len(ahead_x) <= 3
        chart.line(last, known + list(window["truth"]), "truth", "truth", dots=few)
        chart.line(last, known + list(window["forecast"]), "model", "model", dots=few)
        return chart.finish(alt, sample)

    truth, made = ([v for v in window[k] if numbers.is_number(v)] for k in ("truth", "forecast"))
    spans = f"{_span('truth', truth, unit)}; {_span('forecast', made, unit)}"
    alt = f"{window['label']} window of {target}: {spans}; mean absolute error {mae}."
    caption = f"Mean absolute error {mae}"
    if other:
        caption += f", the {name}’s {numbers.with_unit(_mean_error(window['truth'], other), unit)}"
    caption += f". Made {numbers.when(window.get('origin'), clock=True)}."
    if bands:
        outermost = (numbers.percent(bands[i][0], 0) for i in (0, -1))
        caption += f" Shaded: from the {' to the '.join(outermost)} quantile."
    return Figure(both(draw), caption, window["label"], target if several else "")


def by_step(record: dict[str, Any]) -> Figure | None:
    """Mean absolute error against how far ahead, every candidate; bars where there is one step alone."""
    given = record.get("by_step") or {}
    lines = {name: ys for name, ys in (given.get("mae") or {}).items() if ys}
    if not lines:
        return None
    unit = numbers.unit(given.get("of") or "")
    steps, ahead = list(given["hours"]), given.get("unit", "steps")
    title = "mean absolute scaled error" if unit == "MASE" else f"mean absolute error{f' ({unit})' if unit else ''}"
    if len(steps) == 1:
        return _bars(record, lines, title, f"{steps[0]:g}{numbers.GAP}{ahead}", "" if unit == "MASE" else unit)
    kinds, sample = styles(record), _is_sample(record)
    names = {n: shown_name(record, n) for n in lines}
    peaks = {n: max((v for v in ys if numbers.is_number(v)), default=0.0) for n, ys in lines.items()}
    main = [p for n, p in peaks.items() if kinds.get(n) in ("model", "ridge") or n == record.get("best_naive")]
    limit = TOWERING * max(main, default=max(peaks.values()))
    towering = [n for n, p in peaks.items() if p > limit]
    top = max([p for n, p in peaks.items() if n not in towering], default=limit) * 1.06 or 1.0

    def draw(size: Size) -> str:
        chart = Chart(size, (min(0.0, steps[0]), steps[-1]), (0.0, top), list(names.values()), bottom=46)
        chart.axes(_steps(steps, ahead, size), axes.linear(0, top, size.y_ticks), f"time ahead ({ahead})", title)
        for name, ys in sorted(lines.items(), key=lambda item: kinds.get(item[0]) == "model"):
            chart.line(steps, ys, kinds.get(name, "first"), names[name])
        return chart.finish(alt, sample)

    said = [f"{names[n]} {_from_to(ys, steps, ahead)}" for n, ys in lines.items()]
    alt = f"Error by time ahead ({title}): " + "; ".join(said) + "."
    model = next((n for n in lines if kinds.get(n) == "model"), None)
    caption = ""
    if model and not any(numbers.is_number(v) for v in lines[model]):
        caption = "The model has no finite error."
    elif model:
        caption = f"The model’s error goes {_from_to(lines[model], steps, ahead)}" + (f", in {unit}." if unit else ".")
    for name in towering:
        caption += f" The {name} leaves the picture and reaches {numbers.number(peaks[name])}."
    return Figure(both(draw), caption)


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
    low, high = _range([loss, held])
    if log:
        low, high = min(known) * 0.9, max(known) * 1.1
    at_best: float = held[best] if 0 <= best < len(held) else math.nan

    def draw(size: Size) -> str:
        span = _widened(float(epochs[0]), float(epochs[-1]))
        chart = Chart(size, span, (low, high), ["validation", "training"], log=log, bottom=46)
        y_ticks = (axes.logarithmic if log else axes.linear)(low, high, size.y_ticks)
        chart.axes(axes.whole(*span, size.x_ticks), y_ticks, "epoch", "loss" + (" (logarithmic)" if log else ""))
        if numbers.is_number(at_best):
            chart.upright(epochs[best], f"best: epoch {epochs[best]}", "model")
        chart.line(epochs, loss, "truth thin", "training")
        chart.line(epochs, held, "model", "validation")
        if numbers.is_number(at_best):
            chart.dot(chart.at_x(epochs[best]), chart.at_y(at_best), "model")
        return chart.finish(alt, _is_sample(record))

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
        return svg(size.width, 40 + 28 * len(values), "".join(parts), alt, _is_sample(record))

    alt = f"{title}, {ahead} ahead: " + "; ".join(f"{shown_name(record, n)} {t}" for n, t in texts.items()) + "."
    return Figure(both(draw), f"The horizon is a single step, {ahead} ahead.")


def _is_sample(record: dict[str, Any]) -> bool:
    return bool((record.get("source") or {}).get("sample"))


def _steps(steps: list[float], unit: str, size: Size) -> axes.Ticks:
    """Ticks by hours are multiples of 3, 6, 12 or 24 where the horizon is that long."""
    if unit == "h" and steps[-1] >= 12:
        gap = next((g for g in (3, 6, 12, 24, 48, 96, 168) if steps[-1] / g <= size.x_ticks), None)
        if gap:
            return [(float(v), f"{v:,}") for v in range(0, int(steps[-1]) + 1, gap)]
    return axes.linear(0, steps[-1], size.x_ticks)


def _places(past: list[str], ahead: list[str]) -> tuple[list[float], list[float]]:
    found = [numbers.instant(t) for t in [*past, *ahead]]
    if all(t is not None for t in found):
        at = [(t - axes.EPOCH).total_seconds() for t in found if t is not None]
    else:
        at = [float(i - len(past) + 1) for i in range(len(found))]
    return at[: len(past)], at[len(past) :]


def _range(lines: Iterable[Sequence[float]]) -> tuple[float, float]:
    known = [v for line in lines for v in line if numbers.is_number(v)]
    low, high = min(known, default=0.0), max(known, default=1.0)
    pad = 0.07 * (high - low) or 0.1 * abs(high) or 1.0
    return low - pad, high + pad


def _widened(low: float, high: float) -> tuple[float, float]:
    return (low, high) if high > low else (low - 1, high + 1)


def _mean_error(truth: Sequence[float], forecast: Sequence[float]) -> float:
    found = [abs(a - b) for a, b in zip(truth, forecast, strict=False) if numbers.is_number(a) and numbers.is_number(b)]
    return sum(found) / len(found) if found else math.nan


def _span(what: str, values: Sequence[float], unit: str) -> str:
    if not values:
        return f"no {what}"
    return f"{what} between {numbers.number(min(values))} and {numbers.with_unit(max(values), unit)}"


def _from_to(ys: Sequence[float], steps: Sequence[float], unit: str) -> str:
    ends = [f"{numbers.number(ys[i])} at {steps[i]:g}{numbers.GAP}{unit}" for i in (0, -1)]
    return f"from {ends[0]} to {ends[1]}"
