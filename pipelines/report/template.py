"""The templates of the pages, with what they are given and how they write numbers."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup, escape

from pipelines.report import figures, numbers, palette, shipped, tables, timeline

#: What the pages look for in a record; a task may leave any of it out.
ENTRIES = (
    *("task", "title", "run_id", "status", "seed", "started", "seconds", "command", "versions", "commit", "source"),
    *("series", "repairs", "splits", "checks", "model", "metrics", "validation", "per_target", "best_naive", "verdict"),
    *("by_step", "windows", "intervals", "chosen", "curves", "exports", "resumed", "embargo", "window"),
)


def page(template: str, record: dict[str, Any], **values: Any) -> str:
    """A whole page as HTML: styles and drawings inside, nothing loaded from anywhere."""
    record = dict.fromkeys(ENTRIES) | record
    filled = (
        _environment()
        .get_template(template)
        .render(
            record=record,
            css=Markup(_read("style.css")),
            sample=figures.is_sample(record),
            verdict=numbers.prose(record["verdict"] or "", figures.units(record)),
            tiles=tiles(record),
            repairs=tables.repairs(record),
            unit=figures.unit_of(record),
            scaled=figures.scaled(record),
            several=figures.several_targets(record),
            **values,
        )
    )
    return filled.encode("utf-8", "replace").decode("utf-8")


def alarms(record: dict[str, Any]) -> list[str]:
    """What must not be overlooked: an unfinished run, a failed check, an error that is not a number."""
    found = []
    if record.get("status") not in (None, "done"):
        found.append(f"This run’s status is “{record['status']}”, not “done”.")
    found += [f"Leak check failed: {c['name']}." for c in record.get("checks") or [] if not c.get("passed")]
    for row in record.get("metrics") or []:
        if row.get("mae") is not None and not numbers.is_number(row["mae"]):
            found.append(f"The error of {row['name']} is not a finite number.")
    return found


def tiles(record: dict[str, Any]) -> list[dict[str, str]]:
    """The few numbers to take away: the model's error, its rivals', and the skill of what is shipped."""
    rows = {r["name"]: r for r in record.get("metrics") or []}
    model = next((r for r in rows.values() if r.get("role") == "model"), None)
    if model is None:
        return []
    key, unit = ("mase", "") if figures.scaled(record) else ("mae", figures.unit_of(record))
    what = "scaled error (MASE)" if key == "mase" else "mean absolute error"
    chosen = shipped.baseline(record)
    names = [model["name"], chosen or palette.rival(record), record.get("best_naive")]
    told = [rows[n] for n in dict.fromkeys(names) if n in rows]
    kinds = palette.styles(record)
    found = []
    texts = numbers.spreads([r.get(key) for r in told], [r.get(f"{key}_sd") for r in told])
    for row, text in zip(told, texts, strict=True):
        time = f"fitted in {numbers.duration(row['seconds'])}" if row.get("seconds") else "nothing to fit"
        naive = row["name"] == record.get("best_naive")
        name = "the model" if row is model else f"best naive: {row['name']}" if naive else row["name"]
        if row["name"] == chosen:
            name += f" ({shipped.fate(record)})"
        note, style = f"{what}, {time}", kinds[row["name"]]
        found.append({"style": style, "name": name, "value": text, "unit": unit, "note": note})
    ours = rows.get(chosen or model["name"], model)
    if ours.get("skill") is not None:
        known = numbers.is_number(ours["skill"])
        share = abs(ours["skill"]) if known else ours["skill"]
        which = "less" if known and ours["skill"] >= 0 else "more"
        note = f"{which} error than the best naive forecast" if known else "not a number: the errors are not finite"
        name = "skill" if ours is model else f"skill of the {ours['name']}"
        found.append({"style": "skill", "name": name, "value": numbers.percent(share), "unit": "", "note": note})
    return found


def breakable(text: Any) -> Markup:
    """Long names may break after the signs that join them."""
    whole = escape(text)
    for sign in ("&gt;", "_", "/", "."):
        whole = Markup(str(whole).replace(sign, f"{sign}<wbr>"))
    return whole


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_read),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "breakable": breakable,
        "count": numbers.count,
        "drawing": Markup,
        "duration": numbers.duration,
        "every": numbers.every,
        "sentence": numbers.sentence,
        "span": numbers.span,
        "stretch": numbers.stretch,
        "whole": numbers.whole,
        "when": numbers.when,
    }
    environment.globals["part_names"] = timeline.PARTS
    return environment


def _read(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
