"""The page: everything the record says, put into the template."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup, escape

from pipelines.report import figures, numbers, palette, tables
from pipelines.report.diagram import diagram
from pipelines.report.timeline import timeline

#: What the page looks for in a record; a task may leave any of it out.
ENTRIES = (
    *("task", "title", "run_id", "status", "seed", "started", "seconds", "command", "versions", "commit", "source"),
    *("series", "repairs", "splits", "checks", "model", "metrics", "validation", "per_target", "best_naive", "verdict"),
    *("by_step", "windows", "curves", "exports", "resumed"),
)

PARTS = {"train": "training", "validation": "validation", "test": "test"}


def render(record: dict[str, Any]) -> str:
    """The whole page as HTML: styles and drawings inside, nothing loaded from anywhere."""
    record = dict.fromkeys(ENTRIES) | record
    template = _environment().get_template("page.html.jinja")
    page = template.render(
        record=record,
        css=Markup(_read("style.css")),
        sample=bool((record.get("source") or {}).get("sample")),
        verdict=numbers.prose(record.get("verdict") or "", figures.units(record)),
        alarms=alarms(record),
        tiles=tiles(record),
        timeline=Markup(timeline(record)),
        by_the_clock=by_the_clock(record),
        repairs=tables.repairs(record),
        metrics=tables.metrics(record, record["metrics"]) if record.get("metrics") else None,
        validation=tables.metrics(record, record["validation"]) if record.get("validation") else None,
        windows=figures.windows(record),
        targets_drawn=figures.TARGETS_DRAWN,
        by_step=figures.by_step(record),
        curves=figures.curves(record),
        diagram=diagram(record),
        per_target=tables.per_target(record),
        exports=tables.exports(record),
        unit=figures.unit_of(record),
        several=len((record.get("series") or {}).get("targets") or []) > 1,
    )
    return page.encode("utf-8", "replace").decode("utf-8")


def alarms(record: dict[str, Any]) -> list[str]:
    """What must not be overlooked: an unfinished run, a failed check, an export that is not equal to the model."""
    found = []
    if record.get("status") not in (None, "done"):
        found.append(f"This run’s status is “{record['status']}”, not “done”.")
    found += [f"Leak check failed: {c['name']}." for c in record.get("checks") or [] if not c.get("passed")]
    for row in record.get("exports") or []:
        if row.get("status") == "failed":
            name = tables.FORMATS.get(row["format"], row["format"])
            found.append(f"The {name} export failed{': ' + row['note'] if row.get('note') else '.'}")
    for row in record.get("metrics") or []:
        if row.get("mae") is not None and not numbers.is_number(row["mae"]):
            found.append(f"The error of {row['name']} is not a finite number.")
    return found


def tiles(record: dict[str, Any]) -> list[dict[str, str]]:
    """The few numbers to take away: the model's error, its rivals', and the skill."""
    rows = {r["name"]: r for r in record.get("metrics") or []}
    model = next((r for r in rows.values() if r.get("role") == "model"), None)
    if model is None:
        return []
    several = len((record.get("series") or {}).get("targets") or []) > 1
    key, unit = ("mase", "") if several else ("mae", figures.unit_of(record))
    what = "scaled error (MASE)" if several else "mean absolute error"
    names = [model["name"], palette.rival(record), record.get("best_naive")]
    chosen = [rows[n] for n in dict.fromkeys(names) if n in rows]
    kinds = palette.styles(record)
    found = []
    for row, text in zip(chosen, numbers.column([r.get(key) for r in chosen]), strict=True):
        time = f"fitted in {numbers.duration(row['seconds'])}" if row.get("seconds") else "nothing to fit"
        naive = row["name"] == record.get("best_naive")
        name = "the model" if row is model else f"best naive: {row['name']}" if naive else row["name"]
        note, style = f"{what}, {time}", kinds[row["name"]]
        found.append({"style": style, "name": name, "value": text, "unit": unit, "note": note})
    if model.get("skill") is not None:
        known = numbers.is_number(model["skill"])
        share = abs(model["skill"]) if known else model["skill"]
        which = "less" if known and model["skill"] >= 0 else "more"
        note = f"{which} error than the best naive forecast" if known else "not a number: the errors are not finite"
        found.append({"style": "skill", "name": "skill", "value": numbers.percent(share), "unit": "", "note": note})
    return found


def by_the_clock(record: dict[str, Any]) -> bool:
    """Whether the borders of the split need the time of day."""
    found = [numbers.instant(p.get(k)) for p in record.get("splits") or [] for k in ("start", "end")]
    return any(t and (t.hour or t.minute) for t in found)


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
        "span": numbers.span,
        "whole": numbers.whole,
        "when": numbers.when,
    }
    environment.globals["part_names"] = PARTS
    return environment


def _read(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
