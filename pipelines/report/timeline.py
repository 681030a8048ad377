"""The split of the data, drawn as a bar over time."""

from __future__ import annotations

from typing import Any

from pipelines.report import axes, numbers
from pipelines.report.chart import CHARACTER, Size, both, escape, svg


def timeline(record: dict[str, Any]) -> str:
    """A bar with a stretch for each part, its name inside where it fits, the dates of the borders below."""
    parts = [p for p in record.get("splits") or [] if numbers.instant(p.get("start")) and numbers.instant(p.get("end"))]
    if not parts:
        return ""
    borders = [(p, _seconds(p["start"]), _seconds(p["end"])) for p in parts]
    low, high = min(b[1] for b in borders), max(b[2] for b in borders)
    alt = "The split in time: " + "; ".join(
        f"{p['part']} from {numbers.when(p['start'])} to {numbers.when(p['end'])}" for p in parts
    )
    sample = bool((record.get("source") or {}).get("sample"))

    def draw(size: Size) -> str:
        drawn, top = [], 22 if sample else 2
        for part, start, end in borders:
            x = (start - low) / ((high - low) or 1) * size.width
            width = max(2.0, (end - start) / ((high - low) or 1) * size.width - 2)
            style = escape(part["part"]) if part["part"] in ("train", "validation", "test") else "train"
            drawn.append(f'<rect class="part {style}" x="{x:.1f}" y="{top}" width="{width:.1f}" height="30" rx="2"/>')
            if width > len(part["part"]) * CHARACTER + 14:
                where = f'x="{x + width / 2:.1f}" y="{top + 20}" text-anchor="middle"'
                drawn.append(f'<text class="part-name {style}" {where}>{escape(part["part"])}</text>')
        drawn += _dates([b[1] for b in borders], low, high, top + 50, size)
        return svg(size.width, top + 56, "".join(drawn), alt + ".", sample)

    return both(draw)


def _dates(starts: list[float], low: float, high: float, y: float, size: Size) -> list[str]:
    """The first and the last date, then the borders between for which there is room, the later ones first."""
    taken: list[tuple[float, float]] = []
    found = []
    for at in dict.fromkeys([low, high, *reversed(starts[1:])]):
        text = numbers.when((axes.EPOCH + axes.timedelta(seconds=at)).isoformat(), clock=high - low < 2 * axes.DAY)
        width, x = len(text) * CHARACTER, (at - low) / ((high - low) or 1) * size.width
        left = 0.0 if at == low else size.width - width if at == high else x - width / 2
        if left < 0 or left + width > size.width + 1 or any(left < b + 16 and a < left + width + 16 for a, b in taken):
            continue
        taken.append((left, left + width))
        anchor, place = ("start", 0.0) if at == low else ("end", float(size.width)) if at == high else ("middle", x)
        found.append(f'<text class="tick" x="{place:.1f}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>')
    return found


def _seconds(text: Any) -> float:
    found = numbers.instant(text)
    assert found is not None
    return (found - axes.EPOCH).total_seconds()
