"""A piano roll: pitch upwards, time to the right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from data.pitches import OCTAVE, pitch_name

NOTE, EDGE, QUIET, TEXT = "#0f766e", "#ffffff", "#8a919c", "#57606f"
#: Beats of a bar, and inches of a beat; the narrowest and widest picture.
BAR, BEAT, NARROW, WIDE = 4, 0.22, 7.0, 60.0
#: Semitones around the lowest and highest note.
AROUND = 2


def draw(path: Path, notes: np.ndarray, grid: int, title: str) -> None:
    """Write a PNG.

    Args:
        path: where it goes.
        notes: int32 (notes, 3) of MIDI pitch, first step and step after the last.
        grid: steps of a quarter note.
        title: what stands above.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    beats = float(notes[:, 2].max(initial=grid * BAR)) / grid
    figure = Figure(figsize=(min(WIDE, max(NARROW, beats * BEAT)), 3.4), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    axis: Any = figure.subplots()
    lengths = (notes[:, 2] - notes[:, 1]) / grid
    axis.barh(notes[:, 0], lengths, left=notes[:, 1] / grid, height=0.9, color=NOTE, edgecolor=EDGE, linewidth=0.6)
    low, high = (notes[:, 0].min(), notes[:, 0].max()) if len(notes) else (60, 60)
    axis.set(xlim=(0, beats), ylim=(low - AROUND, high + AROUND))
    axis.xaxis.set_major_locator(MultipleLocator(BAR * max(1, round(beats / BAR / 16))))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda beat, _: f"{beat / BAR + 1:g}"))
    axis.yaxis.set_major_locator(MultipleLocator(OCTAVE))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda pitch, _: pitch_name(int(pitch))))
    axis.set_xlabel("bar", fontsize=8, color=TEXT)
    axis.set_title(title, loc="left", fontsize=10)
    axis.grid(color=QUIET, alpha=0.3, linewidth=0.6)
    axis.set_axisbelow(True)
    axis.tick_params(labelsize=8, colors=TEXT)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    figure.savefig(path, format="png")
