"""What a run shows: a console that TensorFlow's start-up noise does not reach, and progress with the time left."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
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
        self._table("Test part", ("mae", "rmse", "mase", "pinball"), rows, facts["source"]["sample"])

    def backtest_table(self, record: dict[str, Any]) -> None:
        """Every candidate over the folds of a backtest: mean ± standard deviation, and in how many it was the best.

        Errors are told as MASE where several targets or series have no unit in common.
        """
        folds = len(record["folds"])
        error = "mase" if record["unit"] is None else "mae"
        title = f"Test parts of {folds} folds, mean ± standard deviation"
        self._table(title, (error, "pinball"), record["summary"], record["source"]["sample"], folds)

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

    def _table(
        self, title: str, errors: tuple[str, ...], rows: list[dict[str, Any]], sample: bool, folds: int = 0
    ) -> None:
        from rich.table import Table

        from pipelines.report.bands import column, hundredths
        from pipelines.report.tables import HEADS

        columns: dict[str, list[str]] = {}
        for key in (key for key in errors if any(row.get(key) is not None for row in rows)):
            columns[HEADS[key]] = _figures(rows, key, min)
        covered = column(rows)
        if covered:
            shares = [row.get(covered[0]) for row in rows]
            columns[f"in {hundredths(covered[1])} %"] = ["–" if s is None else f"{s:.1%}" for s in shares]
        columns["skill"] = _figures(rows, "skill", max)
        if folds:
            columns["best in"] = [f"{row['best_in']}/{folds}" for row in rows]
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


def _figures(rows: list[dict[str, Any]], key: str, choose: Callable[..., float]) -> list[str]:
    """A column: figures with their spread where they have one, the best in bold."""
    best = choose((row[key] for row in rows if row.get(key) is not None), default=None)
    texts = []
    for row in rows:
        value, deviation = row.get(key), row.get(f"{key}_sd")
        form, short = ("+.1%", ".1%") if key == "skill" else ("#.4g", "#.2g")
        text = "–" if value is None else format(value, form)
        text += "" if value is None or deviation is None else f" ± {format(deviation, short)}"
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
