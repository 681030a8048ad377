"""The page of a backtest: every candidate over all folds, with how far its figures spread."""

from __future__ import annotations

from typing import Any

from pipelines.report import coverage, figures, folds, headline, numbers, summary, tables, template, timeline


def render(record: dict[str, Any]) -> str:
    """The whole page as HTML."""
    record = folds.averaged(record)
    return template.page(
        "backtest.html.jinja",
        record,
        kind="backtest",
        alarms=alarms(record),
        shipping="",
        timeline=timeline.folds(record),
        summary=summary.summary(record),
        by_fold=folds.by_fold(record),
        matrix=summary.by_fold(record),
        each=[_fold(record, fold) for fold in record["folds"]],
        by_step=figures.by_step(record) if len((record["by_step"] or {}).get("hours") or []) > 1 else None,
        coverage=coverage.section(record),
        passed=_checked(record),
        **headline.values(record),
    )


def alarms(record: dict[str, Any]) -> list[str]:
    """What must not be overlooked, a check among it that failed in one fold."""
    found = template.alarms(record)
    for fold in record["folds"]:
        failed = [c["name"] for c in fold.get("checks") or [] if not c.get("passed")]
        found += [f"Leak check failed in fold {fold['number']}: {name}." for name in failed]
    return found


def _fold(record: dict[str, Any], fold: dict[str, Any]) -> dict[str, Any]:
    """A fold's own table, and what it was learnt from and tested on."""
    parts = [
        f"{timeline.PARTS.get(p['part'], p['part'])} {numbers.when(p.get('start'))} to {numbers.when(p.get('end'))}, "
        f"{numbers.count(p.get('windows'), 'window')}"
        for p in fold.get("splits") or []
    ]
    rows = fold.get("metrics") or []
    return {
        "number": fold["number"],
        "parts": parts,
        "seconds": fold.get("seconds"),
        "metrics": tables.metrics(record, rows) if rows else None,
    }


def _checked(record: dict[str, Any]) -> str:
    """How many checks ran in the folds, and whether all of them passed."""
    found = [bool(c.get("passed")) for fold in record["folds"] for c in fold.get("checks") or []]
    if not found:
        return ""
    failed = found.count(False)
    which = f"{numbers.count(failed, 'check')} failed" if failed else "every one passed"
    return (
        f"In {numbers.count(len(record['folds']), 'fold')} together {numbers.count(len(found), 'check')} ran: {which}."
    )
