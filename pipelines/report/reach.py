"""Pictures of a diagnosis: how far the gradient reaches back through each encoder, and what clipping does to it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pipelines.report import axes, numbers
from pipelines.report.chart import Chart, Key, Size, area, both, escape, stroke, svg
from pipelines.report.figures import SPREAD, Figure, is_sample, step_ticks
from pipelines.report.palette import OTHERS

#: Style classes of the curves, in their order; more curves than these begin again.
STYLES = ("model", "ridge", *OTHERS)
#: What lies this far below the last step's norm leaves the pictures.
FLOOR = 1e-8
CAPTION = (
    "Median over examples. The thin lines: a hundredth and a hundred times the norm at the last step. What leaves the "
    "picture below is lost beside the last step’s in a float32 sum."
)
#: The look of a dot where clipping has moved it.
RING = 'style="fill:var(--ground);stroke:var(--c);stroke-width:2"'
#: Where a gradient counts as vanished, or as exploded, relative to the last step.
GUIDES = (0.01, 100.0)


def phases(record: dict[str, Any]) -> list[tuple[str, str]]:
    """What was measured when: its key in a curve, and its heading."""
    found = [("initial", "At initialisation")]
    if any(curve["trained"] for curve in record["curves"]):
        found.append(("trained", f"After {record['steps']:,} training steps"))
    return found


def style_of(index: int) -> str:
    """The colour of a curve, the same in every picture and table."""
    return STYLES[index % len(STYLES)]


def curves(record: dict[str, Any], phase: str) -> Figure:
    """Every encoder's median norm by lag, relative to its norm at the last step, on a logarithmic scale."""
    lines = {i: _relative(c[phase]["median"]) for i, c in enumerate(record["curves"]) if c[phase]}
    names = {i: record["curves"][i]["name"] for i in lines}
    low, high = _span([v for ys in lines.values() for v in ys] + list(GUIDES))

    def draw(size: Size) -> str:
        chart = _axes(record, size, (low, high), list(names.values()), "gradient relative to last step")
        for guide in GUIDES:
            chart.line([0, _lags(record)[-1]], [guide, guide], "nominal")
        for i, ys in lines.items():
            chart.line(_lags(record), _cut(ys, low), f"{style_of(i)} solid", names[i])
        return chart.finish(alt, is_sample(record))

    ends = "; ".join(f"{names[i]} {record['curves'][i][phase]['said']}" for i in lines)
    alt = f"Gradient norm by lag, logarithmic: {ends}."
    return Figure(both(draw), CAPTION)


def panel(record: dict[str, Any], index: int) -> Figure:
    """One encoder at initialisation and after training, with a band over examples."""
    curve = record["curves"][index]
    style = style_of(index)
    shown = [(phase, title) for phase, title in phases(record) if curve[phase]]
    last = shown[-1][0]
    low, high = _span([v for phase, _ in shown for key in ("low", "high") for v in curve[phase][key]])
    labels = ["at first", "trained"][: len(shown)]

    def draw(size: Size) -> str:
        chart = _axes(record, size, (low, high), labels, "gradient’s norm")
        above = _cut(curve[last]["high"], low)
        below = [math.nan if v is None else max(v, low) for v in curve[last]["low"]]
        chart.band(_lags(record), below, above, style, SPREAD)
        for (phase, _), label in zip(shown, labels, strict=True):
            look = "solid" if phase == last else "before"
            chart.line(_lags(record), _cut(curve[phase]["median"], low), f"{style} {look}", label)
        return chart.finish(alt, is_sample(record))

    said = [f"{title}: {curve[phase]['said']}" for phase, title in shown]
    alt = f"Gradient norm by lag of {curve['name']}. " + ". ".join(said) + "."
    caption = numbers.prose(". ".join(said) + ".", [])
    which = "after training" if last == "trained" else "at initialisation"
    keys = [Key(area(style, SPREAD), f"all examples {which} but the lowest and the highest tenth")]
    return Figure(both(draw), caption, title=curve["name"], detail=_detail(curve), legend=keys)


def clipped(record: dict[str, Any]) -> Figure | None:
    """The norms by lag before and after clipping, of the encoders at whose start it acts."""
    found = {i: c for i, c in enumerate(record["curves"]) if min(known(c["initial"]["factors"]), default=1) < 1}
    if not found:
        return None
    low, high = _span([v for c in found.values() for key in ("median", "clipped") for v in c["initial"][key]])
    names = [c["name"] for c in found.values()]

    def draw(size: Size) -> str:
        chart = _axes(record, size, (low, high), names, "gradient’s norm")
        for i, curve in found.items():
            chart.line(_lags(record), _cut(curve["initial"]["median"], low), f"{style_of(i)} before")
            chart.line(_lags(record), _cut(curve["initial"]["clipped"], low), f"{style_of(i)} solid", curve["name"])
        return chart.finish(alt, is_sample(record))

    alt = "Gradient norm by lag before and after clipping at initialisation: " + ", ".join(names) + "."
    keys = [Key(stroke("past before"), "before clipping"), Key(stroke("past solid"), "after")]
    caption = (
        "On a logarithmic scale clipping moves a whole curve down by one distance. The step is bounded and keeps its "
        "direction: what exploded still drowns what is near, and what vanished is no larger for it."
    )
    return Figure(both(draw), caption, legend=keys)


def joint(record: dict[str, Any], phase: str) -> Figure:
    """The joint norm of all weights' gradients, a line from the lowest batch to the highest, before and after."""
    rows = [(i, c["name"], known(c[phase]["joint"])) for i, c in enumerate(record["curves"]) if c[phase]]
    limit = record["clip_norm"]
    values = [v for _, _, joints in rows for v in joints if v > 0] + ([limit] if limit else [])
    values = values or [1.0]
    low, high = 10.0 ** math.floor(math.log10(min(values))), 10.0 ** math.ceil(math.log10(max(values) * 1.001))

    def draw(size: Size) -> str:
        left = 132 if size.name == "wide" else 106
        room, floor = size.width - left - 20, 38 + 30 * len(rows)

        def at(value: float) -> float:
            return left + room * math.log(min(max(value, low), high) / low) / math.log(high / low)

        parts = ['<text class="title" x="0" y="14">joint norm of all weights’ gradients, batch by batch</text>']
        for value, text in _powers(low, high, size.x_ticks):
            parts.append(f'<path class="grid" d="M{at(value):.1f} 28V{floor}"/>')
            parts.append(f'<text class="tick" x="{at(value):.1f}" y="{floor + 19}" text-anchor="middle">{text}</text>')
        if limit:
            parts.append(f'<path class="upright truth" d="M{at(limit):.1f} 28V{floor}"/>')
        for row, (i, name, joints) in enumerate(rows):
            y, style = 50 + 30 * row, style_of(i)
            short = numbers.shorten(name, 18 if size.name == "wide" else 14)
            parts.append(
                f'<text class="label {style}" x="{left - 12}" y="{y + 4}" text-anchor="end">{escape(short)}</text>'
            )
            if not joints:
                parts.append(f'<text class="tick" x="{left}" y="{y + 4}">not finite</text>')
                continue
            parts.append(f'<path class="line {style} solid" d="M{at(min(joints)):.1f} {y}H{at(max(joints)):.1f}"/>')
            parts += [f'<circle class="dot {style}" cx="{at(v):.1f}" cy="{y}" r="4.5"/>' for v in joints]
            if limit and max(joints) > limit:
                parts.append(f'<circle class="dot {style}" {RING} cx="{at(limit):.1f}" cy="{y}" r="4.5"/>')
        return svg(size.width, floor + 28, "".join(parts), alt, is_sample(record))

    said = "; ".join(f"{name} {numbers.number(min(j))} to {numbers.number(max(j))}" for _, name, j in rows if j)
    alt = f"Joint norm of the gradient, {phase}: {said}."
    keys = [Key(_dot(""), "before clipping"), Key(_dot(RING), "after, where it acts")] if limit else []
    caption = f"The upright line: train.clip_norm, {limit:g}; what lies to its right is moved onto it." if limit else ""
    return Figure(both(draw), caption, legend=keys)


def _dot(look: str) -> str:
    """A legend's mark for a batch."""
    circle = f'<circle class="dot past" {look} cx="13" cy="6" r="4.5"/>'
    return f'<svg class="key" viewBox="0 0 26 12" aria-hidden="true">{circle}</svg>'


def _detail(curve: dict[str, Any]) -> str:
    """`loss 0.81, trained 0.35`."""
    first, then = curve["initial"]["loss"], (curve["trained"] or {}).get("loss")
    return f"loss {numbers.number(first)}" + (f", trained {numbers.number(then)}" if curve["trained"] else "")


def _axes(record: dict[str, Any], size: Size, y: tuple[float, float], labels: Sequence[str], title: str) -> Chart:
    """A chart over lags with a logarithmic y axis."""
    lags, unit = _lags(record), record["axis"][1]
    chart = Chart(size, (0.0, lags[-1]), y, labels, log=True, bottom=46)
    told = f"back from the last step ({unit})" if unit != "steps" else "steps back from the last"
    chart.axes(step_ticks(lags, unit, size), _powers(*y, size.y_ticks), told, f"{title} (log scale)")
    return chart


def _lags(record: dict[str, Any]) -> list[float]:
    """Where each lag stands on the axis."""
    between = record["axis"][0]
    return [k * between for k in range(len(record["curves"][0]["initial"]["median"]))]


def _relative(values: Sequence[float | None]) -> list[float]:
    first = values[0] or max(known(values), default=0.0) or 1.0
    return [math.nan if v is None else v / first for v in values]


def _cut(values: Sequence[float | None], low: float) -> list[float]:
    """A line down to where it leaves the picture, at its lower edge; none from there on."""
    found = [math.nan if v is None else v for v in values]
    left = next((i for i, v in enumerate(found) if v < low), len(found))
    return [*found[:left], *found[left : left + 1], *[math.nan if v < low else v for v in found[left + 1 :]]]


def _span(values: Sequence[float | None]) -> tuple[float, float]:
    """Powers of ten around what is to be seen: down to `FLOOR` times the largest, at most."""
    seen = [v for v in known(values) if v > 0] or [1.0]
    high = 10.0 ** math.ceil(math.log10(max(seen)) - 1e-9)
    low = max(min(seen), FLOOR * min(high, 1.0))
    return min(10.0 ** math.floor(math.log10(low) + 1e-9), high / 10), high


def _powers(low: float, high: float, about: int) -> axes.Ticks:
    """Powers of ten, each so many apart that some `about` of them stand on the axis."""
    first, last = round(math.log10(low)), round(math.log10(high))
    step = next(s for s in (1, 2, 3, 4, 5, 6, 8, 10, 20, 40) if (last - first) / s <= about)
    return [(10.0**p, _power(p)) for p in range(-(-first // step) * step, last + 1, step)]


def _power(exponent: int) -> str:
    if -2 <= exponent <= 3:
        return f"{10**exponent:,}" if exponent >= 0 else numbers.fixed(10.0**exponent, -exponent)
    return "10" + str(exponent).translate(str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"))


def known(values: Sequence[float | None]) -> list[float]:
    return [v for v in values if numbers.is_number(v)]
