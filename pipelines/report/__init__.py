"""The reports of a run and of a backtest, each a page that opens offline, and the card that goes with a model."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from pipelines.workspace import write_atomically

__all__ = ["model_card", "write_backtest_report", "write_report"]

#: The package of each family's own pages: `page.render(record)` and `card.model_card(record)`.
FAMILIES = {
    "forecast": "pipelines.report",
    "classify": "pipelines.report.classify",
    "generate": "pipelines.report.generate",
}


def write_report(record: dict[str, Any], path: Path) -> None:
    """Write the report of `record` to `path`, whole or not at all.

    Args:
        record: a run's record, as `record.json` holds it; entries that a task does not have may be missing or null.
        path: the HTML file, replaced in one step; its folder must be there.
    """
    write_atomically(path, _of(record, "page").render(record))


def model_card(record: dict[str, Any]) -> str:
    """Markdown for the registry: intended use, data, metrics beside the baselines, limits, how to run it again."""
    return _of(record, "card").model_card(record)


def write_backtest_report(record: dict[str, Any], path: Path) -> None:
    """Write the report of a backtest to `path`, whole or not at all.

    Args:
        record: a backtest's record, as `backtest.json` holds it.
        path: the HTML file, replaced in one step; its folder must be there.
    """
    from pipelines.report.backtest import render

    write_atomically(path, render(record))


def _of(record: dict[str, Any], module: str) -> Any:
    return import_module(f"{FAMILIES[record.get('family', 'forecast')]}.{module}")
