"""The tutorial's pictures of how things are put together: boxes and arrows."""

from __future__ import annotations

from typing import Any

from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

INK, QUIET, BLUE, ORANGE, GREEN = "#1b1d21", "#5b6068", "#0060a6", "#c05000", "#2e7d4f"


def box(axes: Any, x: float, y: float, width: float, height: float, colour: str, text: str = "") -> None:
    """A box around (x, y)."""
    corner, shape = (x - width / 2, y - height / 2), "round,pad=0,rounding_size=0.08"
    axes.add_patch(
        FancyBboxPatch(corner, width, height, boxstyle=shape, fc=f"{colour}22", ec=colour, lw=1.1, mutation_aspect=1)
    )
    axes.text(x, y, text, ha="center", va="center", color=INK, fontsize=8.5)


def arrow(
    axes: Any, start: tuple[float, float], end: tuple[float, float], colour: str = QUIET, bend: float = 0
) -> None:
    axes.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle="-|>",
            mutation_scale=8,
            lw=1.1,
            color=colour,
            shrinkA=0,
            shrinkB=0,
            connectionstyle=f"arc3,rad={bend}",
        )
    )


def mappings(axes: Any) -> None:
    """One to one, one to many, many to one, and many to many twice: what is read, the states, what is given."""
    axes.set(xlim=(-2.2, 20.9), ylim=(-0.3, 4.5))
    axes.set_aspect("equal")
    axes.axis("off")
    columns = (
        ("one to one", 0.0, 1, {0}, {0}),
        ("one to many", 2.8, 3, {0}, {0, 1, 2}),
        ("many to one", 7.1, 3, {0, 1, 2}, {2}),
        ("many to many,\naligned", 11.4, 3, {0, 1, 2}, {0, 1, 2}),
        ("many to many", 15.7, 5, {0, 1, 2}, {3, 4}),
    )
    for name, left, steps, reads, gives in columns:
        for t in range(steps):
            x = left + 1.15 * t
            box(axes, x, 1.5, 0.72, 0.72, GREEN if steps == 5 and t not in reads else BLUE)
            if t in reads:
                box(axes, x, 0.1, 0.72, 0.52, QUIET)
                arrow(axes, (x, 0.38), (x, 1.12))
            if t in gives:
                box(axes, x, 2.9, 0.72, 0.52, ORANGE)
                arrow(axes, (x, 1.88), (x, 2.62))
            if t:
                arrow(axes, (x - 0.79, 1.5), (x - 0.38, 1.5))
            if t - 1 in gives and t not in reads:  # reads what it has given
                arrow(axes, (x - 0.86, 2.62), (x - 0.2, 1.88), ORANGE)
        axes.text(left + 1.15 * (steps - 1) / 2, 3.5, name, ha="center", va="bottom", color=INK, fontsize=9)
    for text, y, colour in (("gives", 2.9, ORANGE), ("state", 1.5, BLUE), ("reads", 0.1, QUIET)):
        axes.text(-0.8, y, text, ha="right", va="center", color=colour, fontsize=8.5)


def transformer_block(axes: Any) -> None:
    """Attention and feed-forward, each with normalisation before it and a shortcut beside it."""
    axes.set(xlim=(-2.4, 2.2), ylim=(-0.4, 9.6))
    axes.axis("off")
    axes.text(0, -0.3, "x", ha="center", color=INK)
    layers = (("norm", 1.2, QUIET), ("attention", 2.4, BLUE), ("norm", 5.4, QUIET), ("feed-forward", 6.6, GREEN))
    for text, y, colour in layers:
        box(axes, 0, y, 2.0, 0.8, colour, text)
    for below, above in ((0.1, 0.8), (1.6, 2.0), (2.8, 3.45), (4.0, 5.0), (5.8, 6.2), (7.0, 7.65), (8.2, 9.0)):
        arrow(axes, (0, below), (0, above))
    for start, plus in ((0.4, 3.72), (4.5, 7.92)):
        axes.plot([0, -1.7, -1.7], [start, start, plus], color=ORANGE, lw=1.3)
        arrow(axes, (-1.72, plus), (-0.22, plus), ORANGE)
        axes.text(0, plus, "+", ha="center", va="center", color=ORANGE, fontsize=12, weight="bold")
    axes.text(-1.85, 2.1, "shortcut", rotation=90, ha="right", va="center", color=ORANGE, fontsize=8.5)
    axes.text(0.25, 4.35, "u", color=INK)
    axes.text(0, 9.15, "y", ha="center", color=INK)
