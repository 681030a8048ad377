"""What a run shows: a console that TensorFlow's start-up noise does not reach, and progress with the time left."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from pipelines.task import Column
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

    @cached_property
    def console(self) -> Console:
        """One for lines and bars alike: a line then stands above a bar that is on the screen, not in it."""
        return Console(stderr=self._stderr, highlight=False, soft_wrap=True)

    def say(self, line: str) -> None:
        """A line as it is: brackets in it are a column's unit, not markup."""
        self.console.print(f"  {line}", markup=False)

    def heading(self, line: str) -> None:
        self.console.print(line, style="bold", markup=False)

    def failure(self, message: str) -> None:
        self.console.print(f"[bold red]Stopped:[/] {escape(message)}")

    def table(self, rows: list[dict[str, Any]], columns: Sequence[Column], sample: bool) -> None:
        """The metrics of every candidate, baselines first, the best of each column in bold."""
        self._table("Test part", _columns(rows, columns), rows, sample)

    def backtest_table(self, record: dict[str, Any]) -> None:
        """Every candidate over the folds of a backtest: mean ± standard deviation, and in how many it was the best.

        Errors are told as MASE where several targets or series have no unit in common.
        """
        from pipelines.evaluate import columns as of_forecasts

        rows, folds = record["summary"], len(record["folds"])
        left_out = "mae" if record["unit"] is None else "mase"
        title = f"Test parts of {folds} folds, mean ± standard deviation"
        columns = _columns(rows, [c for c in of_forecasts(rows) if c.key not in (left_out, "rmse")])
        columns["best in"] = [f"{row['best_in']}/{folds}" for row in rows]
        self._table(title, columns, rows, record["source"]["sample"])

    def fold_line(self, fold: dict[str, Any], folds: int) -> None:
        """A fold of a backtest that is done: when it was tested, and the errors of the model and its best rival."""
        from pipelines.report.numbers import when

        rows, test = fold["metrics"], next(p for p in fold["splits"] if p["part"] == "test")
        key, unit = ("mase", " (MASE)") if fold["by_step"]["of"] == "MASE" else ("mae", "")
        model = next(row for row in rows if row["role"] == "model")
        rival = min((row for row in rows if row is not model), key=lambda row: row["mase"])
        skill = "" if model["skill"] is None else f"skill {model['skill']:+.1%}  "
        self.say(
            f"fold {fold['number']}/{folds}  {when(test['start'], clock=False)} to {when(test['end'], clock=False)}  "
            f"the model {model[key]:#.4g}, {rival['name']} {rival[key]:#.4g}{unit}  {skill}{fold['seconds']:.0f} s"
        )

    def _table(self, title: str, columns: dict[str, list[str]], rows: list[dict[str, Any]], sample: bool) -> None:
        from rich.table import Table

        columns["fitted"] = [f"{row['seconds']:.1f} s" if row["seconds"] else "–" for row in rows]
        mark = " [bold yellow]SAMPLE[/]" if sample else ""
        table = Table(title=f"{title}{mark}", title_justify="left", box=None, pad_edge=False)
        table.add_column("", min_width=14)
        for heading in columns:
            table.add_column(heading, justify="right", no_wrap=True)
        for row, *cells in zip(rows, *columns.values(), strict=True):
            table.add_row("[cyan]the model[/]" if row["role"] == "model" else escape(row["name"]), *cells)
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


def _columns(rows: list[dict[str, Any]], columns: Sequence[Column]) -> dict[str, list[str]]:
    """Head → figures, of the columns that any row fills."""
    return {c.head: _figures(rows, c) for c in columns if any(row.get(c.key) is not None for row in rows)}


def _figures(rows: list[dict[str, Any]], column: Column) -> list[str]:
    """A column: figures with their spread where they have one, the best in bold."""
    known = [row[column.key] for row in rows if row.get(column.key) is not None]
    best = column.best(known, default=None) if column.best else None
    texts = []
    for row in rows:
        value, deviation = row.get(column.key), row.get(f"{column.key}_sd")
        text = "–" if value is None else format(value, column.form)
        if value is not None and deviation is not None:
            text += f" ± {format(deviation, column.form.replace('+', '').replace('.4g', '.2g'))}"
        texts.append(f"[bold]{text}[/]" if value is not None and value == best else text)
    return texts


def epoch_line(history: History, epochs: int) -> str:
    """`epoch  3/30  loss 0.1234  validation 0.2345  best  2.1 s`."""
    last = len(history.epoch) - 1
    best = "  best" if history.best_epoch == last else ""
    return (
        f"epoch {last + 1:>3}/{epochs}  loss {history.loss[-1]:.4f}  "
        f"validation {history.validation_loss[-1]:.4f}  {history.seconds[-1]:.1f} s{best}"
    )
