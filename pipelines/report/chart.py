"""A small drawing of lines over axes, as inline SVG that takes its colours and its type from the page.

Drawn once for a wide screen and once for a narrow one, since SVG text shrinks with its picture.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from pipelines.report import numbers
from pipelines.report.axes import Ticks

#: Pixels that a character takes, on average, and that one of a bold label does.
CHARACTER = 6.7
BOLD = 7.6


def escape(text: object) -> str:
    return html.escape(str(text), quote=True)


@dataclass(frozen=True)
class Size:
    """A picture's width and height, what the axes take of it, and how many ticks stand well on each."""

    name: str
    width: int
    height: int
    left: int
    x_ticks: int
    y_ticks: int
    #: The longest label beside a line, in characters.
    label: int


WIDE = Size("wide", 860, 270, 54, 8, 5, 22)
NARROW = Size("narrow", 368, 250, 44, 4, 4, 14)
#: On a wide screen, one of two beside each other.
HALF = Size("wide", 412, 320, 48, 5, 5, 14)


@dataclass(frozen=True)
class Key:
    """An entry of a legend: a small drawing, and what it stands for."""

    mark: str
    text: str


def area(style: str, opacity: float) -> str:
    """A legend's mark for an area."""
    inside = f'<rect class="band {style}" fill-opacity="{opacity:.3g}" width="26" height="12" rx="2"/>'
    return f'<svg class="key" viewBox="0 0 26 12" aria-hidden="true">{inside}</svg>'


def stroke(style: str) -> str:
    """A legend's mark for a line."""
    line = f'<path class="line {style}" d="M1 6h24"/>'
    return f'<svg class="key" viewBox="0 0 26 12" aria-hidden="true">{line}</svg>'


def both(draw: Callable[[Size], str], wide: Size = WIDE) -> str:
    """The two drawings of one figure; the page's style shows one of them."""
    return "".join(f'<div class="{size.name}">{draw(size)}</div>' for size in (wide, NARROW))


@dataclass
class Chart:
    """A chart in the making.

    Args:
        size: the page's width.
        x, y: the domain of each axis, low and high.
        labels: what will be written to the right of the lines, for the room it takes.
        log: whether y is logarithmic.
    """

    size: Size
    x: tuple[float, float]
    y: tuple[float, float]
    labels: Sequence[str] = ()
    log: bool = False
    parts: list[str] = field(default_factory=list)
    ends: list[tuple[float, str, str]] = field(default_factory=list)
    top: int = 34
    bottom: int = 28

    def __post_init__(self) -> None:
        longest = max((min(len(t), self.size.label) for t in self.labels), default=0)
        self.right = round(longest * BOLD) + 14 if longest else 12
        self.inner = self.size.width - self.size.left - self.right
        self.height = self.size.height - self.top - self.bottom

    def at_x(self, value: float) -> float:
        low, high = self.x
        return self.size.left + self.inner * (value - low) / ((high - low) or 1)

    def at_y(self, value: float) -> float:
        low, high = self.y
        if self.log:
            low, high, value = math.log(low), math.log(high), math.log(max(value, 1e-300))
        return self.top + self.height * (1 - (value - low) / ((high - low) or 1))

    def axes(self, x: Ticks, y: Ticks, x_title: str, y_title: str) -> None:
        """Grid lines, tick labels, the y title over its axis and the x title below the right end."""
        size, floor = self.size, self.top + self.height
        if x_title:
            self.text(size.left + self.inner, floor + 38, x_title, "title", "end")
        for value, text in y:
            at = self.at_y(value)
            self.parts.append(f'<path class="grid" d="M{size.left} {at:.1f}h{self.inner}"/>')
            self.text(size.left - 8, at + 4, text, "tick", "end")
        for value, text in x:
            at = self.at_x(value)
            self.parts.append(f'<path class="mark" d="M{at:.1f} {floor}v5"/>')
            self.text(min(max(at, 16), size.width - 16), floor + 19, text, "tick", "middle")
        self.parts.append(f'<path class="axis" d="M{size.left} {floor}h{self.inner}"/>')
        self.text(0, 14, numbers.shorten(y_title, int(size.width / CHARACTER / 1.25)), "title", "start")

    def line(self, xs: Sequence[float], ys: Sequence[float], style: str, label: str = "", dots: bool = False) -> None:
        """A line that breaks where a value is missing and never leaves the plot; a lone point is drawn as a dot."""
        runs = [self._thin(run) for run in self._runs(xs, ys)]
        d = "".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in run) for run in runs if len(run) > 1)
        if d:
            self.parts.append(f'<path class="line {style}" d="{d}"/>')
        for run in runs:
            for point in run if dots or len(run) == 1 else []:
                self.dot(*point, style)
        if label and runs:
            self.ends.append((runs[-1][-1][1], label, style))

    def band(
        self, xs: Sequence[float], low: Sequence[float], high: Sequence[float], style: str, opacity: float
    ) -> None:
        """The area between two lines."""
        rows = zip(xs, low, high, strict=False)
        known = [(x, a, b) for x, a, b in rows if numbers.is_number(a) and numbers.is_number(b)]
        if len(known) == 1:
            (x, a, b) = known[0]
            known = [(x - (self.x[1] - self.x[0]) * 0.008, a, b), (x + (self.x[1] - self.x[0]) * 0.008, a, b)]
        if not known:
            return
        there = self._thin([(self.at_x(x), self._inside(b)) for x, _, b in known])
        back = self._thin([(self.at_x(x), self._inside(a)) for x, a, _ in known])[::-1]
        d = "L".join(f"{x:.1f} {y:.1f}" for x, y in [*there, *back])
        self.parts.append(f'<path class="band {style}" fill-opacity="{opacity:.3g}" d="M{d}Z"/>')

    def upright(self, value: float, text: str, style: str) -> None:
        """A vertical line at x with a few words over it, on the side where they fit."""
        at = self.at_x(value)
        self.parts.append(f'<path class="upright {style}" d="M{at:.1f} {self.top - 10}v{self.height + 10}"/>')
        left = at + len(text) * CHARACTER + 6 > self.size.left + self.inner
        self.text(at - 6 if left else at + 6, self.top - 4, text, f"note {style}", "end" if left else "start")

    def dot(self, x: float, y: float, style: str) -> None:
        self.parts.append(f'<circle class="dot {style}" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>')

    def text(self, x: float, y: float, text: str, style: str, anchor: str) -> None:
        place = "" if anchor == "start" else f' text-anchor="{anchor}"'
        self.parts.append(f'<text class="{style}" x="{x:.1f}" y="{y:.1f}"{place}>{escape(text)}</text>')

    def finish(self, alt: str, sample: bool) -> str:
        """The SVG, its line labels set apart so that none covers another."""
        floor = self.top + self.height
        ends = sorted(self.ends)
        at_x = self.size.left + self.inner + 8
        for y, (was, label, style) in zip(apart([e[0] for e in ends], 15, self.top, floor), ends, strict=True):
            short = numbers.shorten(label, self.size.label)
            if abs(y - was) > 4:
                self.parts.append(f'<path class="lead {style}" d="M{at_x - 7} {was:.1f}L{at_x - 2} {y:.1f}"/>')
            self.text(at_x, y + 4, short, f"label {style}", "start")
        return svg(self.size.width, self.size.height, "".join(self.parts), alt, sample)

    def _inside(self, value: float) -> float:
        return min(max(self.at_y(value), self.top), self.top + self.height)

    def _runs(self, xs: Sequence[float], ys: Sequence[float]) -> Iterable[list[tuple[float, float]]]:
        run: list[tuple[float, float]] = []
        for x, y in zip(xs, ys, strict=False):
            if numbers.is_number(y):
                run.append((self.at_x(x), self._inside(y)))
            elif run:
                yield run
                run = []
        if run:
            yield run

    def _thin(self, run: list[tuple[float, float]]) -> list[tuple[float, float]]:
        """No more points than can be seen: the lowest and the highest of each pixel's."""
        if len(run) <= 2 * self.inner:
            return run
        pixels: dict[int, list[tuple[float, float]]] = {}
        for point in run:
            pixels.setdefault(int(point[0]), []).append(point)
        kept = [run[0]]
        for points in pixels.values():
            extremes = {min(points, key=lambda p: p[1]), max(points, key=lambda p: p[1])}
            kept += sorted(extremes)
        return [*kept, run[-1]]


def svg(width: float, height: float, inside: str, alt: str, sample: bool) -> str:
    """The picture's frame; with SAMPLE in its corner where the data are made."""
    mark = f'<text class="sample-mark" x="{width - 2}" y="14" text-anchor="end">SAMPLE</text>' if sample else ""
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(alt)}">{inside}{mark}</svg>'


def apart(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Sorted places moved as little as need be for `gap` between neighbours, inside low … high where there is room."""
    groups: list[list[float]] = []  # [sum of wished starts, members]; members stand `gap` apart
    for i, place in enumerate(places):
        groups.append([place - i * gap, 1])
        while len(groups) > 1 and groups[-2][0] / groups[-2][1] >= groups[-1][0] / groups[-1][1]:
            total, members = groups.pop()
            groups[-1][0] += total
            groups[-1][1] += members
    found, i = [], 0
    for total, members in groups:
        for _ in range(int(members)):
            found.append(total / members + i * gap)
            i += 1
    if found:
        over = max(0.0, found[-1] - high)
        found = [min(y, high - (len(found) - 1 - k) * gap) if over else y for k, y in enumerate(found)]
        found = [max(y, low + k * gap) for k, y in enumerate(found)]
    return found
