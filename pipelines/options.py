"""The options that commands share, and what they are together: the order for a piece of work."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer


class Window(StrEnum):
    """What the training part of a fold is."""

    expanding = "expanding"
    sliding = "sliding"


Home = Annotated[
    Path | None,
    typer.Option(help="Where runs/ and mlflow.db stand. Default: the --config file's folder, else the current one."),
]
Tracking = Annotated[
    str | None,
    typer.Option(
        help="MLflow server or store, or `local` for mlflow.db in --home. Default: $MLFLOW_TRACKING_URI, else local."
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print the result as one line of JSON, last; all else goes to stderr.")
]

TaskName = Annotated[
    str | None,
    typer.Argument(help="weather, sentiment, text or music; forecast or classify for series or texts of your own."),
]
SourceName = Annotated[
    str | None,
    typer.Option(help="A file (a table, a text, MIDI) or folder, a data set's name, or `sample` for the built-in one."),
]
Unlabelled = Annotated[
    Path | None, typer.Option(help="A file of further texts, without labels, that a classifier learns from too.")
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(help="A YAML file laid over the task's own configuration, or a variant of it: `music-harmony`, …"),
]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="One setting, such as model.encoder.0.units=128. Repeatable.")
]
Classical = Annotated[
    str | None,
    typer.Option(help="Further baselines, fitted to each series: ets, arima or theta, or several with commas between."),
]
DataDir = Annotated[Path | None, typer.Option(help="Where named data sets are looked for. Default: $SEQLAYERS_DATA.")]


@dataclass(frozen=True)
class Asked:
    """What a run, a backtest and a diagnosis are given on the command line."""

    task: str | None
    source: str | None
    config: Path | None
    settings: list[str] | None
    classical: str | None
    data_dir: Path | None
    home: Path | None
    tracking: str | None
    unlabelled: Path | None = None

    def order(self, screen: Any, *, tracked: bool = True, otherwise: str | None = None) -> Any:
        """The order for it, checked as far as it can be before anything heavy starts.

        Args:
            screen: told before TensorFlow starts, which takes seconds.
            tracked: whether it will need MLflow.
            otherwise: the source where none is named.
        """
        from pipelines import config as configurations
        from pipelines.store import check_server, uri_of

        settings = [*(self.settings or ()), *configurations.classical(self.classical)]
        if self.unlabelled is not None:
            settings.append(f"unlabelled={self.unlabelled.resolve()}")
        configuration = configurations.load(self.task, self.config, settings)
        source = self.source or configuration.source or otherwise
        if not source:
            raise configurations.ConfigurationError(
                "--source", "no data named.", "a file, a data set's name, or sample"
            )
        own = self.config is not None and not configurations.is_variant(self.config)
        home = (self.home or (self.config.parent if own and self.config else Path.cwd())).resolve()
        if tracked:
            track(self.tracking)
            check_server(uri_of(home))
        screen.say("Starting TensorFlow")
        from pipelines.job import Order

        return Order(configuration, source, home, self.data_dir, shlex.join(["seqlayers", *sys.argv[1:]]))


def track(tracking: str | None) -> None:
    """Put --tracking where MLflow looks for it."""
    if tracking == "local":
        os.environ.pop("MLFLOW_TRACKING_URI", None)
    elif tracking:
        os.environ["MLFLOW_TRACKING_URI"] = tracking
