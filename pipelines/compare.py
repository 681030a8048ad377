"""The tracked runs of a task, as a table."""

from __future__ import annotations

import math
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.store import TrackingError, connect, explained, shown, uri_of

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from rich.console import Console

#: The figure that runs of a task are compared by, the first that any of them has: its head, and how it is written.
FIGURES = {"loss": ("loss", ".4f"), "accuracy": ("accuracy", ".2%"), "mae": ("MAE", ".4g")}
#: What the table can be sorted by, best or newest first.
SORTS = {
    "started": "attributes.start_time DESC",
    "mae": "metrics.mae ASC",
    "accuracy": "metrics.accuracy DESC",
    "loss": "metrics.loss ASC",
    "skill": "metrics.skill DESC",
    "seconds": "metrics.seconds ASC",
}


def runs(home: Path, task: str, *, limit: int = 20, sort: str = "started") -> list[dict[str, Any]]:
    """The runs of a task, from the store of `home` or $MLFLOW_TRACKING_URI.

    Returns:
        One mapping a run: run_id, started (ISO, local time), slots, source, sample, data (the hash's beginning), mae,
        mase, accuracy, loss, skill, seconds, status, chosen (what was exported and offered to the registry: the model,
        by its slots, or a baseline) and registered, such as "champion v3". The figures are the model's. What a run has
        not (yet) got is None.

    Raises:
        TrackingError: no store, no answer, or a limit or sort that is not accepted.
    """
    if sort not in SORTS:
        raise TrackingError(f"--sort: {sort!r} given. Accepted: {', '.join(SORTS)}.")
    if limit < 1:
        raise TrackingError(f"--limit: {limit} given. Accepted: 1 or more.")
    uri = uri_of(home)
    client = connect(uri, create=False)
    with explained(uri):
        experiments = [e.experiment_id for e in client.search_experiments()]
        plain = task.replace("'", "")
        found = client.search_runs(experiments, f"tags.task = '{plain}'", order_by=[SORTS[sort]], max_results=limit)
        registered = _registered(client, plain) if found else {}
    if not found:
        raise TrackingError(f"There are no runs of '{task}' in {shown(uri)}.")
    return [_row(run, registered) for run in found]


def show(console: Console, rows: list[dict[str, Any]]) -> None:
    """Print the table."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("started", "run"):
        table.add_column(name, no_wrap=True)
    table.add_column("slots", min_width=12)
    table.add_column("source", overflow="fold")
    figure = next((name for name in FIGURES if any(row[name] is not None for row in rows)), "mae")
    head, form = FIGURES[figure]
    for name in (head, "skill", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for row in rows:
        source = "" if row["source"] in (None, "sample") else escape(row["source"])
        status = row["registered"] or row["status"]
        other = "" if row["chosen"] in (None, row["slots"]) else f" ({escape(row['chosen'])})"
        table.add_row(
            f"{datetime.fromisoformat(row['started']):%d %b %H:%M}",
            row["run_id"][:8],
            escape((row["slots"] or "").replace(">", " > ")),  # so that it wraps at a slot
            f"{source} [yellow]SAMPLE[/]".strip() if row["sample"] else source,
            _number(row[figure], form),
            _number(row["skill"], ".3f"),
            _number(row["seconds"], ".0f"),
            (f"[green]{status}[/]" if status.startswith("champion") else status) + other,
        )
    console.print(table)
    if len({row["data"] for row in rows}) > 1:
        console.print(f"{head} is comparable between runs on the same data only; these are on several.", style="dim")


def _row(run: Any, registered: dict[str, str]) -> dict[str, Any]:
    tags, metrics = run.data.tags, run.data.metrics
    kind = tags.get("kind_of_data")
    return {
        "run_id": run.info.run_id,
        "started": datetime.fromtimestamp(run.info.start_time / 1000).isoformat(timespec="seconds"),
        "slots": tags.get("slots"),
        "source": tags.get("source"),
        "sample": None if kind is None else kind == "sample",
        "data": tags.get("data"),
        **{name: metrics.get(name) for name in ("mae", "mase", "accuracy", "loss", "skill", "seconds")},
        "status": run.info.status.lower(),
        "chosen": tags.get("chosen"),
        "registered": registered.get(run.info.run_id),
    }


def _registered(client: MlflowClient, task: str) -> dict[str, str]:
    """Run id → its alias in the registry."""
    found = {}
    for name in (f"seqlayers-{task}", f"seqlayers-{task}-sample"):
        for model in client.search_registered_models(f"name = '{name}'"):
            for alias, version in sorted(model.aliases.items(), reverse=True):  # a champion stays one
                run_id = client.get_model_version(name, version).run_id
                found[run_id] = f"{alias} v{version}"
    return found


def _number(value: float | None, form: str) -> str:
    return "" if value is None or math.isnan(value) else format(value, form)
