"""Splits of the data, drawn as bars over time: one for a run, one a fold for a backtest."""

from __future__ import annotations

from typing import Any

from pipelines.report import axes, numbers
from pipelines.report.chart import CHARACTER, Key, Size, both, escape, svg
from pipelines.report.figures import Figure, is_sample

#: The parts that have a colour of their own.
PARTS = {"train": "training", "validation": "validation", "test": "test"}

#: What is left of the bars for the names of the folds.
MARGIN = 52

#: A part, when it begins and when it ends, in seconds.
Bar = tuple[str, float, float]


def timeline(record: dict[str, Any]) -> str:
    """A bar with a stretch for each part, its name inside where it fits, the dates of the borders below."""
    bars = _bars(record.get("splits"))
    if not bars:
        return ""
    low, high = bars[0][1], max(end for *_, end in bars)
    alt = f"The split in time: {_told(bars)}."
    sample = is_sample(record)

    def draw(size: Size) -> str:
        scale, top = Scale(low, high, 0, size.width), 22 if sample else 2
        drawn = []
        for part, start, end in bars:
            x, width = scale.span(start, end)
            drawn.append(_rect(part, x, width, top, 30))
            if width > len(part) * CHARACTER + 14:
                where = f'x="{x + width / 2:.1f}" y="{top + 20}" text-anchor="middle"'
                drawn.append(f'<text class="part-name {_style(part)}" {where}>{escape(part)}</text>')
        drawn += scale.dates([low, high, *(start for _, start, _ in bars[:0:-1])], top + 50)
        return svg(size.width, top + 56, "".join(drawn), alt, sample)

    return both(draw)


def folds(record: dict[str, Any]) -> Figure | None:
    """A bar for each fold, one below the other, with what is left out between its parts."""
    rows = [(f["number"], _bars(f.get("splits"))) for f in record["folds"]]
    rows = [(number, bars) for number, bars in rows if bars]
    if not rows:
        return None
    embargo = numbers.stretch(record.get("embargo"))
    low, high = min(bars[0][1] for _, bars in rows), max(end for _, bars in rows for *_, end in bars)
    alt = "The folds in time: " + ". ".join(f"Fold {number}: {_told(bars)}" for number, bars in rows) + "."
    sample = is_sample(record)

    def draw(size: Size) -> str:
        scale, top = Scale(low, high, MARGIN, size.width), 22 if sample else 2
        drawn = []
        for at, (number, bars) in enumerate(rows):
            y = top + 26 * at
            drawn.append(f'<text class="tick" x="0" y="{y + 14}">fold {escape(number)}</text>')
            if embargo:
                drawn.append(_rect("embargo", *scale.span(bars[0][1], bars[-1][2]), y + 8, 4))
            drawn += [_rect(part, *scale.span(start, end), y, 20) for part, start, end in bars]
        y = top + 26 * len(rows)
        tests = [start for _, bars in rows[::-1] for part, start, _ in bars if part == "test"]
        drawn += scale.dates([low, high, *tests], y + 14)
        return svg(size.width, y + 20, "".join(drawn), alt, sample)

    parts = [*PARTS.items(), *([("embargo", "left out (embargo)")] if embargo else [])]
    keys = [Key(f'<svg class="key" viewBox="0 0 26 12" aria-hidden="true">{_key(p)}</svg>', said) for p, said in parts]
    return Figure(both(draw), "", legend=keys)


class Scale:
    """Where instants from `low` to `high` stand between `left` and `right`."""

    def __init__(self, low: float, high: float, left: float, right: float):
        self.low, self.high, self.left, self.right = low, high, left, right

    def at(self, instant: float) -> float:
        return self.left + (instant - self.low) / ((self.high - self.low) or 1) * (self.right - self.left)

    def span(self, start: float, end: float) -> tuple[float, float]:
        """Left edge and width of a bar that can be seen, with a gap after it."""
        return self.at(start), max(2.0, self.at(end) - self.at(start) - 2)

    def dates(self, instants: list[float], y: float) -> list[str]:
        """The dates of those instants for which there is room, the earlier in the list first."""
        taken: list[tuple[float, float]] = []
        found = []
        clock = self.high - self.low < 2 * axes.DAY
        for instant in dict.fromkeys(instants):
            text = numbers.when((axes.EPOCH + axes.timedelta(seconds=instant)).isoformat(), clock=clock)
            width, x = len(text) * CHARACTER, self.at(instant)
            left = x if instant == self.low else x - width if instant == self.high else x - width / 2
            out = left < self.left or left + width > self.right + 1
            if out or any(left < b + 16 and a < left + width + 16 for a, b in taken):
                continue
            taken.append((left, left + width))
            anchor = {self.low: "start", self.high: "end"}.get(instant, "middle")
            found.append(f'<text class="tick" x="{x:.1f}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>')
        return found


def _bars(splits: list[dict[str, Any]] | None) -> list[Bar]:
    """The parts of a split that have readings, by their beginning."""
    found = []
    for part in splits or []:
        start, end = (numbers.instant(part.get(key)) for key in ("start", "end"))
        if start is not None and end is not None:
            seconds = [(at - axes.EPOCH).total_seconds() for at in (start, end)]
            found.append((str(part["part"]), seconds[0], seconds[1]))
    return sorted(found, key=lambda bar: bar[1])


def _told(bars: list[Bar]) -> str:
    def when(at: float) -> str:
        return numbers.when((axes.EPOCH + axes.timedelta(seconds=at)).isoformat())

    return "; ".join(f"{part} from {when(start)} to {when(end)}" for part, start, end in bars)


def _style(part: str) -> str:
    return part if part in PARTS else "train"


def _rect(part: str, x: float, width: float, y: float, height: float) -> str:
    style = part if part == "embargo" else _style(part)
    return f'<rect class="part {style}" x="{x:.1f}" y="{y}" width="{width:.1f}" height="{height}" rx="2"/>'


def _key(part: str) -> str:
    return _rect(part, 0, 26, 4, 4) if part == "embargo" else _rect(part, 0, 26, 0, 12)
