"""The picture of a forecast: the recent past, what is expected, and a fan of bands around it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.intervals import pairs_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Panels at most: more series or targets stand in the CSV alone.
PANELS = 6
PAST, FORECAST, QUIET = "#57606f", "#c2410c", "#8a919c"
#: How much of the forecast's colour the widest and the narrowest band hold.
TINTS = 0.16, 0.45


def draw(
    path: Path,
    panels: list[tuple[str, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]],
    levels: list[float],
    title: str,
) -> None:
    """Write a PNG with a panel a forecast.

    Args:
        path: where it goes.
        panels: (label, past times, past readings, forecast times, forecast, its quantiles (horizon, levels) or None).
        levels: the quantiles' levels, lowest first.
        title: what stands above.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = panels[:PANELS]
    figure = Figure(figsize=(9, 0.9 + 2.5 * len(shown)), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(shown), 1, squeeze=False)[:, 0]
    for panel, axis in zip(shown, axes, strict=True):
        _panel(axis, *panel, levels)
    more = f"   ({len(panels) - len(shown)} more in the table)" if len(panels) > len(shown) else ""
    figure.suptitle(title + more, x=0.01, ha="left", fontsize=11)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", frameon=False, fontsize=8, ncols=5)
    figure.savefig(path, format="png")


def _panel(
    axis: Axes,
    label: str,
    past_times: np.ndarray,
    past: np.ndarray,
    times: np.ndarray,
    forecast: np.ndarray,
    quantiles: np.ndarray | None,
    levels: list[float],
) -> None:
    from matplotlib.colors import to_rgb
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    before, after = past_times.astype("datetime64[s]"), times.astype("datetime64[s]")
    joined, line = np.append(before[-1:], after), np.append(past[-1:], forecast)
    axis.plot(before, past, color=PAST, linewidth=1.2, label="readings", marker="." if len(before) < 4 else None)
    axis.plot(joined, line, color=FORECAST, linewidth=1.6, label="forecast", marker="." if len(times) < 4 else None)
    if quantiles is not None:
        bands = pairs_of(levels)[::-1]  # the widest first, and palest
        for (band, i, j), share in zip(bands, np.linspace(*TINTS, max(2, len(bands))), strict=False):
            low, high = np.append(past[-1:], quantiles[:, i]), np.append(past[-1:], quantiles[:, j])
            tint = 1 - share * (1 - np.array(to_rgb(FORECAST)))
            axis.fill_between(joined, low, high, color=tint, linewidth=0, label=f"{band:.0%} band")
    axis.axvline(before[-1], color=QUIET, linewidth=0.8, linestyle=(0, (2, 2)))
    axis.set_title(label, loc="left", fontsize=9, color=PAST)
    axis.margins(x=0.01)
    axis.grid(axis="y", color=QUIET, alpha=0.25, linewidth=0.6)
    locator: Any = AutoDateLocator()
    axis.xaxis.set_major_locator(locator)
    axis.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axis.xaxis.get_offset_text().set(size=8, color=PAST)
    axis.tick_params(labelsize=8, colors=PAST)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
