"""The generating family: streams of tokens or of notes, learnt step by step, set beside what is counted."""

from __future__ import annotations

import hashlib
import json
from abc import abstractmethod
from functools import cached_property
from typing import Any, ClassVar

from data.columns import Repair
from data.leaks import Check
from data.source import Source
from data.splits import PARTS
from pipelines.solved import Solved
from pipelines.task import Candidate, Evaluation, Say, Task, Verdict, build, solvable
from pipelines.tasks.context import stepped, streams
from pipelines.tasks.paired_verdict import Measure, verdict
from seqlayers.carried import Carried
from seqlayers.errors import ConfigurationError
from seqlayers.model import SequenceModel


def article(noun: str) -> str:
    return "an" if noun[0] in "aeiou" else "a"


class Generate(Task):
    """What comes next, step by step: the family's frame, on which texts and music stand.

    A model whose kinds all stream, and of which none attends, is trained by truncated backpropagation through time over
    streams that go on from batch to batch; any other on windows drawn from everywhere (`data.batching`).
    """

    family = "generate"
    sample: Any = None
    data: Any

    #: The baseline that is always there, and its head.
    naive: str
    naive_head: ClassVar[dict[str, Any]]
    #: Such as another baseline may be.
    such_as: str

    @property
    def title(self) -> str:
        return f"{self.configuration.title}: the next {self.unit}"

    @property
    @abstractmethod
    def unit(self) -> str:
        """What a step is, such as `character`."""

    @property
    def source(self) -> Source:
        return self.data.source

    @property
    def repairs(self) -> list[Repair]:
        return self.data.repairs

    @property
    def checks(self) -> list[Check]:
        return self.data.checks

    def settings(self) -> dict[str, Any]:
        return self.data.options.model_dump(mode="json")

    def fingerprint(self) -> str:
        parts = [self.source.sha256, self.settings(), self.describe()["splits"], self.model_arguments()]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def describe(self) -> dict[str, Any]:
        rows = sum(self.data.count(part) for part in PARTS)
        said = self.described(self.source, self.repairs, self.checks, rows=rows)
        return said | {"unit": self.unit, "question": {"unit": self.unit}}

    def refuse(self) -> None:
        """What the data cannot be asked for, before anything is written."""
        for name, options in self.configuration.baselines.items():
            self._unfitted(name, options)
        model = SequenceModel.for_task(self.configuration.model, **self.model_arguments())
        if not model.head.per_step:
            problem = f"head '{model.head.kind}' gives one answer for a whole sequence."
            raise ConfigurationError("model.head", problem, "head 'tokens' for ids, 'notes' for frames")
        for kind in stepped(model):
            if not kind.causal:
                problem = f"{kind.slot} '{kind.kind}' sees the steps it is to foretell."
                raise ConfigurationError("model", problem, "kinds that look back only")
        if self.data.options.batching == "streams":
            self._require_streams(model)

    def _require_streams(self, model: SequenceModel) -> None:
        for kind in stepped(model):
            if not kind.streams:
                problem = (
                    f"'streams' given, but {kind.slot} '{kind.kind}' does not stream: {kind.refusals()['streams']}."
                )
                raise ConfigurationError("data.batching", problem, "windows, or auto")

    def carries(self, model: SequenceModel) -> bool:
        """Whether the state goes on from batch to batch in training."""
        if self.data.options.batching != "auto":
            return self.data.options.batching == "streams"
        return streams(model) and not any(kind.attends for kind in model.kinds())

    @cached_property
    def batching(self) -> str:
        """How the configured model is trained: in `streams`, or in `windows`."""
        model = SequenceModel.for_task(self.configuration.model, **self.model_arguments())
        return "streams" if self.carries(model) else "windows"

    def trained(self, model: SequenceModel, batch_size: int) -> Any:
        self._streaming = self.carries(model)
        if not self._streaming:
            return model
        learner = Carried(model, self.rows(batch_size))
        inputs, _ = next(iter(self.training(batch_size, seed=0, first_epoch=0, epochs=1)))
        learner(inputs)
        return learner

    #: Whether batches go on from one another; settled by `trained`.
    _streaming = False

    @abstractmethod
    def rows(self, batch_size: int) -> int:
        """How many streams are read side by side, at most `batch_size`."""

    def training(self, batch_size: int, *, seed: int, first_epoch: int, epochs: int) -> Any:
        rows = self.rows(batch_size)
        batches = self.data.streams if self._streaming else self.data.windows
        return batches(rows, seed=seed, first_epoch=first_epoch, epochs=epochs)

    def steps_per_epoch(self, batch_size: int) -> int:
        rows = self.rows(batch_size)
        return self.data.stream_steps(rows) if self._streaming else self.data.window_steps(rows)

    def validation(self, batch_size: int) -> Any:
        if not self._streaming:
            return self.ordered("validation", batch_size)
        return self.data.streams_of("validation", self.rows(batch_size))

    def ordered(self, part: str, batch_size: int) -> Any:
        return self.data.ordered(part, batch_size)

    @cached_property
    def _solved(self) -> Solved:
        return Solved()

    @abstractmethod
    def counted(self) -> tuple[Any, Any]:
        """Batches of train and of validation, as what is counted reads them."""

    def adapt(self, model: SequenceModel, batch_size: int) -> float:
        return self._solved.adapt(model, self.counted)

    def baselines(self, say: Say) -> list[Candidate]:
        found = []
        for name, options in {self.naive: self.naive_head, **self.configuration.baselines}.items():
            model = self._unfitted(name, options)
            build(model, self)
            seconds = self._solved.solve(model, self.counted)
            say(f"Counted the {name} in {seconds:.1f} s")
            found.append(Candidate(name, "baseline", model, seconds))
        return found

    def _unfitted(self, name: str, options: Any) -> SequenceModel:
        """A baseline as its options say, to be counted; wrong ones are refused."""
        where = f"baselines.{name}"
        if name == self.naive and options is not self.naive_head:
            raise ConfigurationError(where, "the name is taken, and it is always there.", "another")
        if not isinstance(options, dict) or "kind" not in options:
            raise ConfigurationError(where, f"{options!r} given.", self.such_as)
        return solvable(name, options, self.model_arguments(), self.such_as)

    @property
    @abstractmethod
    def evaluator(self) -> Any:
        """What judges candidates: `evaluate(part, candidates)` and `shipped(candidate)`."""

    def calibrate(self, candidates: list[Candidate]) -> None:
        """Nothing: the likelihood is what they are trained for."""

    def evaluate(self, part: str, candidates: list[Candidate]) -> Evaluation:
        return self.evaluator.evaluate(part, candidates)

    def verdict(self, test: Evaluation, validation: Evaluation | None = None) -> Verdict:
        measure = Measure.of_loss(
            "loss", lambda value: f"at {value:.4f} nats {article(self.unit)} {self.unit}", f"the {self.naive}"
        )
        return verdict(test, validation or test, measure, self.configuration.export.candidate)
