"""The model card of a forecast: what the model is for, what it learnt from, how good it is, and where it ends."""

from __future__ import annotations

from typing import Any

from pipelines.report import coverage, markdown, numbers, shipped, tables
from pipelines.report.figures import unit_of, units
from pipelines.report.markdown import code, plain, source


def model_card(record: dict[str, Any]) -> str:
    """Markdown for the registry: intended use, data, metrics beside the baselines, limits, how to run it again."""
    return markdown.card(
        record,
        numbers.prose(record.get("verdict") or "", units(record)),
        {
            "Intended use": _use(record),
            "Data": _data(record),
            "Metrics": _metrics(record),
            "Exports": markdown.exports(record, "MAE"),
            "Limits": markdown.bullets(_limits(record)),
            "Run it again": markdown.again(record),
        },
    )


def _use(record: dict[str, Any]) -> str:
    series = record.get("series") or {}
    targets = series.get("targets") or []
    named = ", ".join(f"`{code(t)}`" for t in targets[:6]) + (f" and {len(targets) - 6} more" if targets[6:] else "")
    look_back, horizon = (plain(numbers.span(series.get(k, k))) for k in ("look_back", "horizon"))
    every = plain(numbers.every(series.get("step", "step")))
    said = (
        f"Forecasts {named or 'its targets'} up to {horizon} ahead from the last {look_back} of "
        f"{numbers.count(len(series.get('columns') or []), 'column')}, one reading every {every}."
    )
    return f"{said}\n\n{markdown.model(record)}"


def _data(record: dict[str, Any]) -> str:
    given, series = source(record), record.get("series") or {}
    several = f" in {numbers.whole(series['count'])} series" if (series.get("count") or 1) > 1 else ""
    lines = markdown.origin(record, f"{numbers.whole(given.get('rows'))} rows{several}, {_between(given)}")
    lines += [
        f"- {plain(p['part'])}: {_between(p)}, {numbers.whole(p['windows'])} windows"
        for p in record.get("splits") or []
    ]
    return "\n".join(lines + markdown.cleaned(record))


def _metrics(record: dict[str, Any]) -> str:
    rows = record.get("metrics") or []
    if not rows:
        return "None were recorded."
    table = markdown.metrics(tables.metrics(record, rows), "forecast")
    return f"On the test part, read once; the lowest error of each column in bold.\n\n{table}"


def _limits(record: dict[str, Any]) -> list[str]:
    given, found = source(record), []
    if given.get("sample"):
        found.append("Trained on a made sample: not for use on real readings.")
    found.append(
        f"Learnt and tested on {_between(given)}; readings of another "
        "place, another instrument or a changed climate of the series are outside what was tested."
    )
    found += markdown.losses(record, "mase", f"Worse than the {plain(record.get('best_naive'))} forecast")
    found += _worst(record)
    if record.get("intervals"):
        found += [plain(text) for text in (coverage.source(record), *coverage.sentences(record))]
    else:
        found.append("Gives one number a step and no measure of its own uncertainty.")
    found.append("Readings must come at the step it was trained with, in the same units, without gaps.")
    return found


def _worst(record: dict[str, Any]) -> list[str]:
    """How bad a single forecast of the trained model became; of a baseline the windows are not told."""
    unit = unit_of(record)
    worst = [w for w in record.get("windows") or [] if w["label"] == "worst" and numbers.is_number(w.get("mae"))]
    if not worst or not unit or shipped.baseline(record):
        return []
    error = numbers.with_unit(worst[0]["mae"], unit)
    return [f"In the worst window of the test part its mean absolute error is {error}."]


def _between(part: dict[str, Any]) -> str:
    return f"{numbers.when(part.get('start'))} to {numbers.when(part.get('end'))}"
