"""What a task is to the steps of a run: the only thing that training, evaluation, export and report know of it."""

from __future__ import annotations

import dataclasses
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.config import Configuration
from seqlayers.errors import ConfigurationError

if TYPE_CHECKING:
    from data.columns import Repair
    from data.leaks import Check
    from data.source import Source

#: A line for the screen, as a run goes on.
Say = Callable[[str], None]


@dataclasses.dataclass
class Candidate:
    """Something that forecasts, classifies or generates, with the seconds it took to fit."""

    name: str
    role: str  # "baseline" or "model"
    predictor: Any
    seconds: float = 0.0
    #: What `Task.calibrate` found, such as the bands around a forecast; None before.
    calibration: Any = None


@dataclasses.dataclass
class Evaluation:
    """One part of the data, every candidate: rows for the table, and what the task's pictures need.

    `intervals` says of each candidate how its bands were made and what they cover; only of what is shipped, or of the
    model in a backtest, is it put into the record.
    """

    rows: list[dict[str, Any]]
    details: dict[str, Any]
    intervals: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of the metrics table on the screen: a figure of every row, how it is written, and which is the best."""

    key: str
    head: str
    form: str = "#.4g"
    best: Callable[..., Any] | None = min


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What earned its time, in a sentence, and the name of the candidate that is to be shipped."""

    text: str
    chosen: str


class Task(ABC):
    """Where data come from, what a batch is, what is predicted, against which baselines, and what is exported.

    A run calls, in this order: `prepare`, `model_arguments`, the batches, `baselines`, `adapt`, `trained`, `calibrate`,
    `evaluate` on validation and then once on test, `verdict`, `servable`. Everything between belongs to the run.
    """

    family: ClassVar[str]

    def __init__(self, configuration: Configuration):
        self.configuration = configuration

    @property
    def name(self) -> str:
        return self.configuration.task

    @property
    @abstractmethod
    def title(self) -> str:
        """What is predicted, for the head of the report."""

    @abstractmethod
    def prepare(self, source: str, data_dir: Path | None, say: Say) -> None:
        """Find the data, read, split and check them; raises DataError or LeakError."""

    @abstractmethod
    def fingerprint(self) -> str:
        """A hash of the data as they will be used."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """The record's parts on data: family, source, question (what is predicted), repairs, splits, checks, …"""

    def described(
        self, source: Source, repairs: Sequence[Repair], checks: Sequence[Check], **holds: Any
    ) -> dict[str, Any]:
        """What every record says of its data; `holds` is what the source holds, such as `rows`."""
        told = {key: getattr(source, key) for key in ("name", "sha256", "sample", "note")}
        return {
            "family": self.family,
            "source": told | holds,
            "repairs": [dataclasses.asdict(repair) for repair in repairs],
            "checks": [dataclasses.asdict(check) for check in checks],
        }

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """What stands under `data:` in the configuration, every `auto` resolved."""

    @abstractmethod
    def model_arguments(self) -> dict[str, Any]:
        """What the task decides of the model's heads, such as horizon and targets."""

    @abstractmethod
    def training(self, batch_size: int, *, seed: int, first_epoch: int, epochs: int) -> Any:
        """Shuffled training batches of static shape, epoch after epoch."""

    @abstractmethod
    def steps_per_epoch(self, batch_size: int) -> int: ...

    @abstractmethod
    def ordered(self, part: str, batch_size: int) -> Any:
        """Every example of a part once, in order, the last batch as long as it is."""

    def validation(self, batch_size: int) -> Any:
        """What `trained` is stopped by, in batches as it takes them."""
        return self.ordered("validation", batch_size)

    def trained(self, model: Any, batch_size: int) -> Any:
        """What `fit` is called on: the model, or what carries its state from batch to batch."""
        return model

    def adapt(self, model: Any, batch_size: int) -> float:
        """Solve what of a model is fitted without gradients; returns the seconds that it took, here or earlier."""
        start = time.perf_counter()
        model.adapt(self.ordered("train", batch_size), self.validation(batch_size))
        return time.perf_counter() - start

    @abstractmethod
    def baselines(self, say: Say) -> list[Candidate]:
        """The strong simple models, fitted."""

    @abstractmethod
    def calibrate(self, candidates: list[Candidate]) -> None:
        """Set each candidate's `calibration`, from the validation part."""

    @abstractmethod
    def evaluate(self, part: str, candidates: list[Candidate]) -> Evaluation:
        """Every candidate on every example of a part."""

    @abstractmethod
    def columns(self, rows: list[dict[str, Any]]) -> list[Column]:
        """The columns of the metrics table; one that no row fills is not shown."""

    @abstractmethod
    def verdict(self, test: Evaluation, validation: Evaluation | None = None) -> Verdict:
        """What earned its time, and what is to be shipped; a backtest has no validation part of its own."""

    @abstractmethod
    def shipped(self, evaluation: Evaluation, chosen: Candidate, folder: Path) -> dict[str, Any]:
        """The record's parts on the candidate that is shipped; files for them may be left in the run's folder."""

    @abstractmethod
    def servable(self, candidate: Candidate) -> Any:
        """A candidate as the export room takes it (`pipelines.export.servable.Servable`)."""

    def folds(self, count: int, *, window: str, embargo: str) -> list[Task]:
        """The same task on each fold of a rolling origin, first to last, every transform fitted anew.

        Raises:
            ConfigurationError: a task whose examples have no order in time.
        """
        raise ConfigurationError("task", f"'{self.name}' has no order in time to fold.", "a forecast")


def solvable(name: str, options: Any, given: dict[str, Any], such_as: str) -> Any:
    """A baseline's model of one head, to be solved.

    Args:
        name: of the baseline.
        options: the head's configuration.
        given: what the task decides of its heads (`Task.model_arguments`).
        such_as: a setting by which such a head is solved.

    Raises:
        ConfigurationError: the options are wrong, or of a head that is trained.
    """
    from seqlayers.model import SequenceModel

    where = f"baselines.{name}"
    try:
        model = SequenceModel.for_task({"head": options}, **given)
    except ConfigurationError as error:
        raise ConfigurationError(error.path.replace("model.head", where, 1), error.problem, error.accepted) from None
    if not model.rows[0].adapts:
        raise ConfigurationError(where, "a head that is trained is no baseline.", such_as)
    return model


def build(model: Any, task: Task) -> None:
    """Give every layer of a model its weights, from one real batch.

    Raises:
        ConfigurationError: a kind cannot take what comes, such as bins that are longer than the look-back.
    """
    inputs, _ = next(iter(task.ordered("train", 2)))
    try:
        model(inputs)
    except ValueError as error:
        told = re.search("\x1b\\[1m(.+?)\x1b\\[0m", str(error), re.DOTALL)  # Keras tells of its frames around it
        raise ConfigurationError("model", " ".join((told[1] if told else str(error)).split())) from error
