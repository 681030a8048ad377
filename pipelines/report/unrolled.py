"""A recurrence drawn twice: folded, with its loop, and unrolled in time, with the gradient on its way back.

As SVG: `draw` for a page of the reports, whose colours it takes, `picture` as a file of its own in light and dark.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipelines.report import numbers
from pipelines.report.chart import NARROW, WIDE, escape


@dataclass(frozen=True)
class Cell:
    """What stands in a cell, what each state is carried over by, and its equations; `_{…}` lowers."""

    inside: str
    states: tuple[tuple[str, str], ...]
    equations: tuple[str, ...]


#: Kind → its cell. The states stand as `Kind.initial_state` gives them.
CELLS = {
    "simple_rnn": Cell("tanh", (("h", "U"),), ("h_{t} = tanh(W x_{t} + U h_{t−1} + b)",)),
    "lstm": Cell(
        "i, f, o, g",
        (("h", "U"), ("c", "f")),
        (
            "i, f, o = σ(W x_{t} + U h_{t−1} + b)",
            "g = tanh(W_{g} x_{t} + U_{g} h_{t−1} + b_{g})",
            "c_{t} = f ⊙ c_{t−1} + i ⊙ g",
            "h_{t} = o ⊙ tanh(c_{t})",
        ),
    ),
    "gru": Cell(
        "z, r, n",
        (("h", "U, z"),),
        (
            "z, r = σ(W x_{t} + U h_{t−1} + b)",
            "n = tanh(W_{n} x_{t} + b_{n} + r ⊙ (U_{n} h_{t−1} + d_{n}))",
            "h_{t} = z ⊙ h_{t−1} + (1 − z) ⊙ n",
        ),
    ),
    "min_gru": Cell(
        "z, n",
        (("h", "1 − z"),),
        (
            "z_{t} = σ(W_{z} x_{t} + b_{z})",
            "n_{t} = W_{n} x_{t} + b_{n}",
            "h_{t} = (1 − z_{t}) ⊙ h_{t−1} + z_{t} ⊙ n_{t}",
        ),
    ),
}

#: Pixels of the widest and of the narrowest gradient arrow.
WIDEST, THINNEST = 13.0, 0.8

#: Also for the page: an SVG's own style holds for what it names.
STYLE = """
.unrolled .cell { fill: var(--raised); stroke: var(--quiet); stroke-width: 1; }
.unrolled .ahead { fill: none; stroke: var(--quiet); stroke-width: 1.5; }
.unrolled .tip { fill: var(--quiet); } .unrolled .back { fill: var(--ridge); }
.unrolled text { font-size: 13px; } .unrolled .big { font-size: 15px; fill: var(--ink); font-weight: 600; }
.unrolled .inside { fill: var(--ink); }
.unrolled .weight { fill: var(--model); font-weight: 600; } .unrolled .norm { fill: var(--ridge); font-size: 12px; }
.unrolled .equation { fill: var(--ink); font-family: var(--serif); font-size: 15px; }
"""
#: For a picture that stands alone: what the page's style sheet says.
ALONE = """
.unrolled { --ground: #fcfbf8; --raised: #ffffff; --ink: #1b1d21; --quiet: #5b6068; --model: #0060a6; --ridge: #ad4200;
  --serif: Georgia, "Liberation Serif", serif; }
@media (prefers-color-scheme: dark) { .unrolled { --ground: #14161a; --raised: #1b1e24; --ink: #e9e7e2;
  --quiet: #a4a9b2; --model: #6cb8f6; --ridge: #f59a5f; } }
.unrolled text { font-family: system-ui, "Segoe UI", Roboto, "Liberation Sans", sans-serif; fill: var(--quiet); }
.unrolled .ground { fill: var(--ground); }
"""


@dataclass(frozen=True)
class Norms:
    """Norms of the loss's gradient, the last step first.

    Attributes:
        states: with respect to each state, h, or h and c: after the last step, after the one before it, …
        inputs: with respect to what the cell reads at the last step, at the one before it, …
    """

    states: Sequence[Sequence[float]]
    inputs: Sequence[float]


def draw(kind: str, steps: int = 4, norms: Norms | None = None, sample: bool = False) -> str:
    """The drawing for a page, once for a wide screen and once, with two steps, for a narrow one.

    Args:
        kind: one of `CELLS`.
        steps: cells of the chain.
        norms: how wide the arrows of the gradient are, of `steps` steps and one state before them at least; without
            them, all are alike.
        sample: whether the norms are of made data.
    """
    wide, narrow = _wide(kind, steps, norms), _narrow(kind, min(steps, 2), norms)
    return "".join(
        f'<div class="{size.name}">{drawing.svg(_alt(kind, steps, norms), sample)}</div>'
        for size, drawing in ((WIDE, wide), (NARROW, narrow))
    )


def picture(kind: str, steps: int = 4, norms: Norms | None = None) -> str:
    """The wide drawing as an SVG file: it brings its colours, and is dark where the reader's screen is."""
    return _wide(kind, steps, norms).svg(_alt(kind, steps, norms), alone=True)


@dataclass
class _Drawing:
    """Shapes on a ground of `width` × `height`."""

    width: float
    height: float
    parts: list[str] = field(default_factory=list)

    def text(self, x: float, y: float, text: str, style: str = "", anchor: str = "middle") -> None:
        said = re.sub(
            r"_\{([^}]*)\}", r'<tspan dy="4" font-size="10">\1</tspan><tspan dy="-4">&#8203;</tspan>', escape(text)
        )
        self.parts.append(f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{said}</text>')

    def line(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """An arrow of the way ahead, along an axis."""
        self.parts.append(f'<path class="ahead" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>')
        self.tip(x2, y2, x2 - x1, y2 - y1)

    def tip(self, x: float, y: float, dx: float, dy: float) -> None:
        """The head of an arrow that comes along (dx, dy) and ends at (x, y)."""
        size = abs(dx) + abs(dy)
        ux, uy = 7 * dx / size, 7 * dy / size
        points = ((x, y), (x - ux - uy / 2, y - uy + ux / 2), (x - ux + uy / 2, y - uy - ux / 2))
        self.parts.append(f'<path class="tip" d="M{"L".join(f"{a:.1f} {b:.1f}" for a, b in points)}Z"/>')

    def back(self, x1: float, y1: float, x2: float, y2: float, width: float) -> None:
        """An arrow of the gradient along an axis, as wide as it is large."""
        length = abs(x2 - x1) + abs(y2 - y1)
        ux, uy = (x2 - x1) / length, (y2 - y1) / length
        half, head = width / 2, min(length * 0.45, 5 + 0.6 * width)
        flare = half + 3
        at = (
            *((0, half), (length - head, half), (length - head, flare), (length, 0)),
            *((length - head, -flare), (length - head, -half), (0, -half)),
        )
        points = ((x1 + along * ux - across * uy, y1 + along * uy + across * ux) for along, across in at)
        self.parts.append(f'<path class="back" d="M{"L".join(f"{a:.1f} {b:.1f}" for a, b in points)}Z"/>')

    def svg(self, alt: str, sample: bool = False, alone: bool = False) -> str:
        mark = f'<text class="sample-mark" x="{self.width - 2}" y="14" text-anchor="end">SAMPLE</text>'
        inside = "".join([f"<style>{STYLE}{ALONE if alone else ''}</style>", *self.parts, mark if sample else ""])
        box = f'viewBox="0 0 {self.width:g} {self.height:g}" role="img" aria-label="{escape(alt)}"'
        if not alone:
            return f'<svg class="unrolled" {box}>{inside}</svg>'
        size = f'xmlns="http://www.w3.org/2000/svg" width="{self.width:g}" height="{self.height:g}"'
        ground = f'<rect class="ground" width="{self.width:g}" height="{self.height:g}"/>'
        return f'<svg class="unrolled" {size} {box}>{ground}{inside}</svg>\n'


def _wide(kind: str, steps: int, norms: Norms | None) -> _Drawing:
    cell = CELLS[kind]
    tall = _tall(cell)
    rows = [cell.equations[i : i + 2] for i in range(0, len(cell.equations), 2)]
    drawing = _Drawing(WIDE.width, 206 + tall + 24 * (len(rows) + 1))
    drawing.text(96, 16, "folded")
    _folded(drawing, cell, 96, 92, tall)
    drawing.text(234, 92 + tall / 2 + 5, "=", "big")
    drawing.text(560, 16, "unrolled in time: the same weights at every step")
    _chain(drawing, cell, steps, norms, 274, WIDE.width - 46, 92, tall)
    for i, row in enumerate(rows):
        for j, equation in enumerate(row):
            drawing.text(20 + 330 * j, 208 + tall + 24 * i, equation, "equation", "start")
    drawing.text(20, 208 + tall + 24 * len(rows), _key(norms), "norm", "start")
    return drawing


def _narrow(kind: str, steps: int, norms: Norms | None) -> _Drawing:
    cell = CELLS[kind]
    tall = _tall(cell)
    below = 196 + tall
    drawing = _Drawing(NARROW.width, below + 206 + tall + 24 * (len(cell.equations) + 1))
    drawing.text(0, 16, "folded", anchor="start")
    _folded(drawing, cell, 184, 92, tall)
    drawing.text(0, below + 16, "unrolled in time: the same weights at each step", anchor="start")
    _chain(drawing, cell, steps, norms, 34, NARROW.width - 46, below + 92, tall)
    for i, equation in enumerate(cell.equations):
        drawing.text(0, below + 208 + tall + 24 * i, equation, "equation", "start")
    drawing.text(0, below + 208 + tall + 24 * len(cell.equations), _key(norms), "norm", "start")
    return drawing


def _tall(cell: Cell) -> float:
    """A cell's height: room for a rail of each state that is handed on."""
    return 66.0 if len(cell.states) == 1 else 138.0


def _key(norms: Norms | None) -> str:
    return "Orange: the gradient of L on its way back" + (", as wide as its norm." if norms else ".")


def _folded(drawing: _Drawing, cell: Cell, x: float, top: float, tall: float) -> None:
    """The cell with its loop: what it hands on comes back to it."""
    half, bottom = 37.0, top + tall
    _box(drawing, cell, x, top, tall, half)
    drawing.line(x, bottom + 46, x, bottom)
    drawing.text(x + 9, bottom + 30, "W", "weight", "start")
    drawing.text(x, bottom + 64, "x_{t}", "big")
    drawing.line(x, top, x, top - 36)
    drawing.text(x + 9, top - 14, "V", "weight", "start")
    drawing.text(x, top - 44, "ŷ_{t}", "big")
    for i, (name, by) in enumerate(cell.states):
        side = 1 if i == 0 else -1
        edge, high, low = x + side * half, top + 16, bottom - 16
        drawing.parts.append(
            f'<path class="ahead" d="M{edge} {high}C{edge + side * 46} {high - 26} {edge + side * 46} {low + 26} '
            f'{edge} {low}"/>'
        )
        drawing.tip(edge, low, -side * 1.0, -0.35)
        drawing.text(edge + side * 40, (high + low) / 2 - 2, by, "weight", "start" if side > 0 else "end")
        drawing.text(edge + side * 40, (high + low) / 2 + 16, f"{name}_{{t}}", "", "start" if side > 0 else "end")


def _chain(
    drawing: _Drawing, cell: Cell, steps: int, norms: Norms | None, left: float, right: float, top: float, tall: float
) -> None:
    """`steps` cells side by side, from left to right in time, and the gradient from the loss back through them."""
    half, bottom = 34.0, top + tall
    pitch = (right - half - left) / steps
    xs = [left + pitch * (i + 1) for i in range(steps)]
    largest = max([v for line in norms.states for v in line[: steps + 1]] + list(norms.inputs[:steps])) if norms else 1

    def arrow(x1: float, y1: float, x2: float, y2: float, norm: float | None, at: tuple[float, float, str]) -> None:
        width = 4.0 if norm is None else max(THINNEST, WIDEST * norm / (largest or 1))
        drawing.back(x1, y1, x2, y2, width)
        if norm is not None:
            drawing.text(at[0], at[1], _norm(norm), "norm", at[2])

    rails = [top + tall / 2] if len(cell.states) == 1 else [top + 104, top + 34]
    for k, x in enumerate(reversed(xs)):
        lag = "t" if k == 0 else f"t−{k}"
        _box(drawing, cell, x, top, tall, half)
        drawing.line(x - 11, bottom + 46, x - 11, bottom)
        drawing.text(x - 20, bottom + 30, "W", "weight", "end")
        drawing.text(x, bottom + 64, f"x_{{{lag}}}", "big")
        of_x = norms.inputs[k] if norms else None
        arrow(x + 11, bottom + 2, x + 11, bottom + 44, of_x, (x + 22, bottom + 29, "start"))
        for i, ((name, by), rail) in enumerate(zip(cell.states, rails, strict=True)):
            end, start = x - half, x - pitch + half
            drawing.line(start, rail - 13, end, rail - 13)
            drawing.text((start + end) / 2, rail - 20, by, "weight")
            if k == steps - 1:
                drawing.text(start - 4, rail - 9, f"… {name}_{{t−{steps}}}", "", "end")
            of_state = norms.states[i][k + 1] if norms else None
            arrow(end - 1, rail + 4, start + 1, rail + 4, of_state, ((start + end) / 2, rail + 25, "middle"))
    last = xs[-1]
    drawing.line(last - 11, top, last - 11, top - 36)
    drawing.text(last - 20, top - 14, "V", "weight", "end")
    drawing.text(last, top - 44, "loss L", "big")
    arrow(
        last + 11, top - 34, last + 11, top - 2, norms.states[0][0] if norms else None, (last + 22, top - 14, "start")
    )


def _box(drawing: _Drawing, cell: Cell, x: float, top: float, tall: float, half: float) -> None:
    drawing.parts.append(
        f'<rect class="cell" x="{x - half:.1f}" y="{top}" width="{2 * half:g}" height="{tall}" rx="4"/>'
    )
    drawing.text(x, top + tall / 2 + 5, cell.inside, "inside")


def _norm(value: float) -> str:
    """Short enough for the room beside an arrow."""
    return numbers.number(value, 2) if value >= 0.001 else numbers.scientific(value)


def _alt(kind: str, steps: int, norms: Norms | None) -> str:
    said = f"The recurrence {kind} with its loop, and unrolled over {numbers.count(steps, 'step')}"
    if norms is None:
        return f"{said}, the gradient flowing back from the loss."
    back = ", ".join(_norm(v) for v in norms.states[0][: steps + 1])
    return f"{said}. The gradient’s norm at h, from the last step back: {back}."
