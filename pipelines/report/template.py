"""The templates of the pages, with what they are given and how they write numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup, escape

from pipelines.report import figures, numbers, shipped, tables, timeline
from pipelines.report.diagram import diagram

#: What the pages look for in a record; a task may leave any of it out.
ENTRIES = (
    *("task", "title", "run_id", "status", "seed", "started", "seconds", "command", "versions", "commit", "source"),
    *("series", "repairs", "splits", "checks", "model", "metrics", "validation", "per_target", "best_naive", "verdict"),
    *("by_step", "windows", "intervals", "chosen", "curves", "exports", "resumed", "embargo", "window"),
)


def page(
    template: str,
    record: dict[str, Any],
    *,
    tiles: Sequence[Mapping[str, str]] = (),
    styles: Sequence[str] = (),
    **values: Any,
) -> str:
    """A whole page as HTML: styles, those of `style.css` first, and drawings inside, nothing loaded from anywhere."""
    record = dict.fromkeys(ENTRIES) | record
    filled = (
        _environment()
        .get_template(template)
        .render(
            record=record,
            css=Markup("".join(map(_read, ("style.css", *styles)))),
            sample=figures.is_sample(record),
            verdict=numbers.prose(record["verdict"] or "", figures.units(record)),
            tiles=tiles,
            repairs=tables.repairs(record),
            **values,
        )
    )
    return filled.encode("utf-8", "replace").decode("utf-8")


def run(template: str, record: dict[str, Any], **values: Any) -> str:
    """The page of a run, of whatever family: what all are given, and the family's own values."""
    return page(
        template,
        record,
        kind="run",
        alarms=alarms(record),
        shipped=shipped.baseline(record),
        shipping=shipped.sentence(record),
        diagram=diagram(record),
        curves=figures.curves(record),
        exports=tables.exports(record),
        **values,
    )


def alarms(record: dict[str, Any]) -> list[str]:
    """What must not be overlooked: an unfinished run, a failed check, an error that is no number, a failed export."""
    found = []
    if record.get("status") not in (None, "done"):
        found.append(f"This run’s status is “{record['status']}”, not “done”.")
    found += [f"Leak check failed: {c['name']}." for c in record.get("checks") or [] if not c.get("passed")]
    for row in record.get("metrics") or []:
        for key, what in (("mae", "error"), ("log_loss", "log loss"), ("loss", "loss")):
            if row.get(key) is not None and not numbers.is_number(row[key]):
                found.append(f"The {what} of {row['name']} is not a finite number.")
    for row in record.get("exports") or []:
        if row.get("status") == "failed":
            name = tables.FORMATS.get(row["format"], row["format"])
            found.append(f"The {name} export failed{': ' + row['note'] if row.get('note') else '.'}")
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
