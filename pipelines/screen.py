"""What a run shows: a console that TensorFlow's start-up noise does not reach, and progress with the time left."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from pipelines.train import History


@contextmanager
def noise_to(log: Path) -> Iterator[None]:
    """Send what C++ libraries write to file descriptor 2 into a log file; Python's own stderr stays on the screen.

    TensorFlow writes from C++ at import, at the first XLA compilation and in the LiteRT converter, and no setting
    silences all of it.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    screen, shown = os.dup(2), sys.stderr
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(target, 2)
    os.close(target)
    sys.stderr = os.fdopen(screen, "w", buffering=1)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(sys.stderr.fileno(), 2)
        sys.stderr.close()
        sys.stderr = shown


class Screen:
    """Lines and progress bars; on stderr where stdout must hold nothing but a JSON line."""

    def __init__(self, *, to_stderr: bool = False):
        self._stderr = to_stderr

    @property
    def console(self) -> Console:
        return Console(stderr=self._stderr, highlight=False, soft_wrap=True)

    def say(self, line: str) -> None:
        """A line as it is: brackets in it are a column's unit, not markup."""
        self.console.print(f"  {line}", markup=False)

    def heading(self, line: str) -> None:
        self.console.print(line, style="bold", markup=False)

    def failure(self, message: str) -> None:
        self.console.print(f"[bold red]Stopped:[/] {escape(message)}")

    def table(self, rows: list[dict[str, Any]], facts: dict[str, Any]) -> None:
        """The metrics of every candidate, baselines first, the best of each column in bold."""
        from rich.table import Table

        mark = " [bold yellow]SAMPLE[/]" if facts["source"]["sample"] else ""
        table = Table(title=f"Test part{mark}", title_justify="left", box=None, pad_edge=False, padding=(0, 2))
        columns = [("mae", "MAE", min), ("rmse", "RMSE", min), ("mase", "MASE", min), ("skill", "skill", max)]
        if any(row.get("pinball") is not None for row in rows):
            columns.insert(3, ("pinball", "pinball", min))
        table.add_column("")
        for heading in [*(heading for _, heading, _ in columns), "fitted"]:
            table.add_column(heading, justify="right", no_wrap=True)
        best = {key: choose(r[key] for r in rows if r.get(key) is not None) for key, _, choose in columns}
        for row in rows:
            cells = []
            for key, _, _ in columns:
                value = row.get(key)
                text = "–" if value is None else f"{value:+.1%}" if key == "skill" else f"{value:#.4g}"
                cells.append(f"[bold]{text}[/]" if value is not None and value == best[key] else text)
            name = "[cyan]the model[/]" if row["role"] == "model" else escape(row["name"])
            table.add_row(name, *cells, f"{row['seconds']:.1f} s" if row["seconds"] else "–")
        self.console.print(table)

    @contextmanager
    def training(self, epochs: int, patience: int) -> Iterator[Any]:
        """A progress callback for `pipelines.train.fit`: a bar on a terminal, a line an epoch elsewhere."""
        console = self.console
        bar = Progress(
            TextColumn("  {task.description}"),
            BarColumn(24),
            TextColumn("{task.fields[losses]}"),
            TimeElapsedColumn(),
            TextColumn("left ≤"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        with bar:
            task = bar.add_task("training", total=None, losses="")

            def progress(history: History, loss: float, step: int, steps: int) -> None:
                done = len(history.epoch)
                over = step == steps and bool(done) and history.loss[-1] == loss
                if over and not console.is_terminal:
                    console.print(f"  {epoch_line(history, epochs)}", highlight=False)
                losses = f"loss {loss:.4f}"
                if history.best_epoch >= 0:
                    losses += f"  best validation {history.best:.4f} in epoch {history.best_epoch + 1}"
                current = done if over else done + 1
                bar.update(
                    task,
                    description=f"epoch {min(current, epochs)}/{epochs}",
                    total=epochs * steps,
                    completed=(done * steps) if over else done * steps + step,
                    losses=losses,
                )

            yield progress


def epoch_line(history: History, epochs: int) -> str:
    """`epoch  3/30  loss 0.1234  validation 0.2345  best  2.1 s`."""
    last = len(history.epoch) - 1
    best = "  best" if history.best_epoch == last else ""
    return (
        f"epoch {last + 1:>3}/{epochs}  loss {history.loss[-1]:.4f}  "
        f"validation {history.validation_loss[-1]:.4f}  {history.seconds[-1]:.1f} s{best}"
    )
