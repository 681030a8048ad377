"""Pictures of a classifier: whether its confidence is to be believed, and what a threshold costs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from pipelines.report import axes, numbers
from pipelines.report.chart import HALF, Chart, Key, Size, both, escape, stroke
from pipelines.report.classify import shares
from pipelines.report.figures import Figure, is_sample
from pipelines.report.palette import shown_name, styles

#: A bar of the histogram is this wide, in pixels, where its neighbours leave room.
BAR = 16
WHOLE = (0.0, 100.0)


def reliability(record: dict[str, Any]) -> list[Figure]:
    """Accuracy against confidence, before and after the temperature; and how many texts have which confidence."""
    given = record.get("reliability") or {}
    after = _bins(given.get("after"))
    before = _bins(given.get("before"))
    shown = after or before
    if not shown:
        return []
    style = _style(record)
    known = [v for confidence, accuracy, _ in [*before, *after] for v in (confidence, accuracy)]
    low = min(90.0, 10.0 * int(min(known) // 10))

    def diagram(size: Size) -> str:
        chart = Chart(size, (low, 100.0), (low, 100.0), bottom=46)
        ticks = axes.linear(low, 100, size.x_ticks)
        chart.axes(ticks, axes.linear(low, 100, size.y_ticks), "confidence (%)", "share that is right (%)")
        chart.line((low, 100), (low, 100), "nominal")
        if after:
            chart.line(*_points(before), f"{style} before")
        chart.line(*_points(shown), f"{style} solid", dots=True)
        return chart.finish(alt, is_sample(record))

    alt = "Reliability, share that is right by confidence: " + "; ".join(
        f"{numbers.fixed(a, 1)} % right at {numbers.fixed(c, 1)} %" for c, a, _ in shown
    )
    keys = [Key(stroke(f"{style} solid"), "after the temperature" if after and before else "measured")]
    if after and before:
        keys.append(Key(stroke(f"{style} before"), "before it"))
    keys.append(Key(stroke("nominal"), "as sure as right"))
    return [
        Figure(both(diagram, HALF), "", title="How often it is right, by how sure it is", legend=keys),
        _histogram(record, shown, low, style),
    ]


def _histogram(record: dict[str, Any], shown: list[tuple[float, float, int]], low: float, style: str) -> Figure:
    most, total = max(count for _, _, count in shown), sum(count for _, _, count in shown)

    def draw(size: Size) -> str:
        chart = Chart(size, (low, 100.0), (0.0, most * 1.06), bottom=46)
        ticks = axes.linear(low, 100, size.x_ticks)
        chart.axes(ticks, axes.whole(0, most * 1.06, size.y_ticks), "confidence (%)", "texts")
        at = [chart.at_x(confidence) for confidence, _, _ in shown]
        gaps = [b - a for a, b in pairwise(at)]
        width = max(3.0, min([BAR, *(g - 2 for g in gaps if g > 0)]))
        for x, (_, _, count) in zip(at, shown, strict=True):
            y = chart.at_y(count)
            left = min(max(x - width / 2, size.left), size.left + chart.inner - width)
            tall = max(chart.at_y(0) - y, 0.5 if count else 0.0)
            chart.parts.append(
                f'<rect class="bar {escape(style)}" x="{left:.1f}" y="{y:.1f}" width="{width:.1f}" '
                f'height="{tall:.1f}"/>'
            )
        return chart.finish(alt, is_sample(record))

    sure, _, many = shown[-1]
    share = numbers.percent(many / total) if total else numbers.ABSENT
    alt = "Texts by confidence: " + "; ".join(f"{numbers.whole(n)} at {numbers.fixed(c, 1)} %" for c, _, n in shown)
    caption = f"{share} of the texts are in the surest bin, at {numbers.fixed(sure, 1)}{numbers.GAP}%."
    return Figure(both(draw, HALF), caption, title="How many texts it is how sure of")


def threshold(record: dict[str, Any]) -> Figure | None:
    """The validation part's accuracy, precision and recall against the probability from which on it says class two."""
    given = record.get("threshold") or {}
    curve = sorted((p for p in given.get("curve") or [] if _known(p.get("threshold"))), key=lambda p: p["threshold"])
    if len(curve) < 2:
        return None
    lines = {"accuracy": "truth solid", "precision": "third", "recall": "second"}
    xs = [p["threshold"] for p in curve]
    ys = {name: [_percent(p.get(name)) for p in curve] for name in lines}
    known = [y for values in ys.values() for y in values if numbers.is_number(y)]
    low = 10.0 * int(min(known, default=0.0) // 10)
    chosen = given.get("chosen")

    def draw(size: Size) -> str:
        chart = Chart(size, (0.0, 1.0), (min(low, 90.0), 100.0), list(lines), bottom=46)
        y_ticks = axes.linear(*chart.y, size.y_ticks)
        chart.axes(axes.linear(0, 1, size.x_ticks), y_ticks, "threshold", "share (%)")
        if numbers.is_number(chosen):
            chart.upright(chosen, f"chosen: {numbers.fixed(chosen, 2)}", "quiet")
        for name, style in lines.items():
            chart.line(xs, ys[name], style, name)
        return chart.finish(alt, is_sample(record))

    said = []
    if numbers.is_number(chosen):
        near = min(curve, key=lambda p: abs(p["threshold"] - chosen))
        said = [f"{name} {shares.share(record, near.get(name))}" for name in lines]
    caption = "On the validation part" + (f"; at the chosen threshold {', '.join(said)}." if said else ".")
    alt = f"Accuracy, precision and recall by threshold. {caption}"
    return Figure(both(draw), caption)


def roc(record: dict[str, Any]) -> Figure | None:
    """How many of the second class are found against how many of the first are taken for it."""
    return _ranked(record, "roc", "false positive rate (%)", "true positive rate (%)", diagonal=True)


def precision_recall(record: dict[str, Any]) -> Figure | None:
    """How many of those called the second class are of it, against how many of it are found."""
    return _ranked(record, "precision_recall", "recall (%)", "precision (%)", diagonal=False)


def _ranked(record: dict[str, Any], key: str, x: str, y: str, *, diagonal: bool) -> Figure | None:
    given = {name: line for name, line in (record.get(key) or {}).items() if line and line.get("points")}
    if not given:
        return None
    kinds = styles(record)
    drawn = sorted(given, key=lambda name: kinds.get(name) == "model")  # which lies above the others
    low = 0.0 if diagonal else _floor([p[1] for line in given.values() for p in line["points"]])

    def draw(size: Size) -> str:
        chart = Chart(size, WHOLE, (low, 100.0), bottom=46)
        chart.axes(axes.linear(*WHOLE, size.x_ticks), axes.linear(low, 100, size.y_ticks), x, y)
        if diagonal:
            chart.line(WHOLE, WHOLE, "nominal")
        for name in drawn:
            points = [(100 * a, 100 * b) for a, b in given[name]["points"] if _known(a) and _known(b)]
            chart.line([a for a, _ in points], [b for _, b in points], kinds.get(name, "first"))
        return chart.finish(alt, is_sample(record))

    areas = {name: f"{shown_name(record, name)} {_area(line.get('area'))}" for name, line in given.items()}
    title = "ROC" if diagonal else "Precision and recall"
    alt = f"{title}, area below the line: {'; '.join(areas.values())}."
    keys = [Key(stroke(kinds.get(name, "first")), text) for name, text in areas.items()]
    return Figure(both(draw, HALF), "", title=title, legend=keys)


def _floor(values: Sequence[Any]) -> float:
    """From where precision is drawn: the tens below its lowest."""
    return min(90.0, 10.0 * int(10 * min((v for v in values if _known(v)), default=0.0)))


def _bins(given: Any) -> list[tuple[float, float, int]]:
    """Confidence and accuracy in per cent and the count of each bin that holds any text, by confidence."""
    rows = [b for b in given or [] if b.get("count") and _known(b.get("confidence")) and _known(b.get("accuracy"))]
    return sorted((100 * b["confidence"], 100 * b["accuracy"], b["count"]) for b in rows)


def _points(bins: Sequence[tuple[float, float, int]]) -> tuple[list[float], list[float]]:
    return [confidence for confidence, _, _ in bins], [accuracy for _, accuracy, _ in bins]


def _style(record: dict[str, Any]) -> str:
    """The colour of what is shipped."""
    return styles(record).get((record.get("chosen") or {}).get("name") or "", "model")


def _area(value: Any) -> str:
    return numbers.fixed(value, 3) if _known(value) else numbers.number(value)


def _percent(value: Any) -> float:
    return 100 * value if _known(value) else float("nan")


def _known(value: Any) -> bool:
    return numbers.is_number(value)
