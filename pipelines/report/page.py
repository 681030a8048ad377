"""The page of a run: everything its record says, put into the template."""

from __future__ import annotations

from typing import Any

from pipelines.report import coverage, fan, figures, headline, numbers, shipped, tables, template
from pipelines.report.timeline import timeline


def render(record: dict[str, Any]) -> str:
    """The whole page as HTML."""
    metrics, validation = record.get("metrics"), record.get("validation")
    return template.run(
        "page.html.jinja",
        record,
        fate=shipped.fate(record),
        timeline=timeline(record),
        by_the_clock=by_the_clock(record),
        metrics=tables.metrics(record, metrics) if metrics else None,
        validation=tables.metrics(record, validation) if validation else None,
        windows=fan.windows(record),
        targets_drawn=fan.TARGETS_DRAWN,
        by_step=figures.by_step(record),
        coverage=coverage.section(record),
        per_target=tables.per_target(record),
        **headline.values(record),
    )


def by_the_clock(record: dict[str, Any]) -> bool:
    """Whether the borders of the split need the time of day."""
    found = [numbers.instant(p.get(k)) for p in record.get("splits") or [] for k in ("start", "end")]
    return any(t and (t.hour or t.minute) for t in found)
