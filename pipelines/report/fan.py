"""A forecast against what came: the past, the truth, the forecast and the bands around it, as a fan."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pipelines.report import axes, bands, numbers
from pipelines.report.chart import Chart, Size, both
from pipelines.report.figures import Figure, is_sample, unit_of, value_range, widened
from pipelines.report.palette import styles

#: Of many targets the windows of this many are drawn.
TARGETS_DRAWN = 2


def windows(record: dict[str, Any]) -> list[Figure]:
    """Past, truth, forecast, that of the best solved baseline, and bands, of a few test windows: good ones first."""
    targets = list(dict.fromkeys(w["target"] for w in record.get("windows") or []))[:TARGETS_DRAWN]
    order = {"good": 0, "typical": 1, "worst": 2}
    chosen = [w for w in record.get("windows") or [] if w["target"] in targets]
    chosen.sort(key=lambda w: (targets.index(w["target"]), order.get(w["label"], 3)))
    return [_window(record, w, several=len(targets) > 1) for w in chosen]


def _window(record: dict[str, Any], window: dict[str, Any], several: bool) -> Figure:
    rival = window.get("rival") or {}
    name, other = rival.get("name", ""), rival.get("forecast")
    target, unit = window["target"], unit_of(record, window["target"])
    past_x, ahead_x = _places(window.get("past_times") or [], window["times"])
    clock = numbers.instant(window["times"][0]) is not None
    fan = bands.nested(window.get("quantiles"))
    everything = [window.get("past") or [], window["truth"], window["forecast"], other or []]
    low, high = value_range(everything + [ys for band in fan for ys in (band.low, band.high)])
    labels = ["truth", "model", *([name] if other else [])]
    mae = numbers.with_unit(window.get("mae"), unit)
    last = past_x[-1:] + ahead_x  # lines begin at the last reading
    known = (window.get("past") or [])[-1:]

    def draw(size: Size) -> str:
        first = past_x[0] if past_x else ahead_x[0]
        chart = Chart(size, widened(first, ahead_x[-1]), (low, high), labels, bottom=28 if clock else 46)
        x_ticks = (axes.times if clock else axes.whole)(*chart.x, size.x_ticks)
        chart.axes(x_ticks, axes.linear(low, high, size.y_ticks), "" if clock else "steps from now", target)
        bands.draw(chart, last, fan, known)
        if past_x:
            chart.upright(past_x[-1], "forecast made", "quiet")
        chart.line(past_x, window.get("past") or [], "past")
        if other:
            chart.line(last, known + list(other), styles(record).get(name, "ridge"), name)
        few = len(ahead_x) <= 3
        chart.line(last, known + list(window["truth"]), "truth", "truth", dots=few)
        chart.line(last, known + list(window["forecast"]), "model", "model", dots=few)
        return chart.finish(alt, is_sample(record))

    truth, made = ([v for v in window[k] if numbers.is_number(v)] for k in ("truth", "forecast"))
    spans = f"{_span('truth', truth, unit)}; {_span('forecast', made, unit)}"
    alt = f"{window['label']} window of {target}: {spans}; mean absolute error {mae}."
    caption = f"Mean absolute error {mae}"
    if other:
        caption += f", the {name}’s {numbers.with_unit(_mean_error(window['truth'], other), unit)}"
    caption += f". Made {numbers.when(window.get('origin'), clock=True)}."
    if fan:
        alt += f" Bands for {bands.cases([b.share for b in fan])}; {_widest(fan[0], unit)}."
        caption += _held(fan, window["truth"])
    return Figure(both(draw), caption, window["label"], target if several else "", bands.legend(fan))


def _held(fan: Sequence[bands.Band], truth: Sequence[float]) -> str:
    """How much of this one window lies in each band."""
    held = numbers.listed(str(band.holds(truth)) for band in fan[::-1])
    shares = numbers.listed(bands.hundredths(band.share) for band in fan[::-1])
    which = f"the {shares}{numbers.GAP}% band{'s' if len(fan) > 1 else ''}"
    return f" Of {numbers.count(len(truth), 'reading')}, {held} lie inside {which}."


def _widest(band: bands.Band, unit: str) -> str:
    edges = zip(band.low, band.high, strict=False)
    ends = [(low, high) for low, high in edges if numbers.is_number(low) and numbers.is_number(high)]
    if not ends:
        return "the widest has no finite edge"
    low, high = ends[-1]
    return f"the widest ends between {numbers.number(low)} and {numbers.with_unit(high, unit)}"


def _places(past: list[str], ahead: list[str]) -> tuple[list[float], list[float]]:
    found = [numbers.instant(t) for t in [*past, *ahead]]
    if all(t is not None for t in found):
        at = [(t - axes.EPOCH).total_seconds() for t in found if t is not None]
    else:
        at = [float(i - len(past) + 1) for i in range(len(found))]
    return at[: len(past)], at[len(past) :]


def _mean_error(truth: Sequence[float], forecast: Sequence[float]) -> float:
    found = [abs(a - b) for a, b in zip(truth, forecast, strict=False) if numbers.is_number(a) and numbers.is_number(b)]
    return sum(found) / len(found) if found else math.nan


def _span(what: str, values: Sequence[float], unit: str) -> str:
    if not values:
        return f"no {what}"
    return f"{what} between {numbers.number(min(values))} and {numbers.with_unit(max(values), unit)}"
