"""The reports of a run and of a backtest, each a page that opens offline, and the card that goes with a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines.report.card import model_card
from pipelines.workspace import write_atomically

__all__ = ["model_card", "write_backtest_report", "write_report"]


def write_report(record: dict[str, Any], path: Path) -> None:
    """Write the report of `record` to `path`, whole or not at all.

    Args:
        record: a run's record, as `record.json` holds it; entries that a task does not have may be missing or null.
        path: the HTML file, replaced in one step; its folder must be there.
    """
    from pipelines.report.page import render

    write_atomically(path, render(record))


def write_backtest_report(record: dict[str, Any], path: Path) -> None:
    """Write the report of a backtest to `path`, whole or not at all.

    Args:
        record: a backtest's record, as `backtest.json` holds it.
        path: the HTML file, replaced in one step; its folder must be there.
    """
    from pipelines.report.backtest import render

    write_atomically(path, render(record))
