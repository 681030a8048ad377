"""The forecasting family: any regular series, single or a panel, one target or many, set beside its baselines."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import tensorflow as tf

from data import durations
from data import source as sources
from data.datasets import SERIES
from data.forecasting import ForecastData, iso
from data.options import ForecastOptions
from pipelines import config
from pipelines.baselines import NAIVE
from pipelines.evaluate import columns, verdict
from pipelines.task import Candidate, Column, Evaluation, Say, Task, Verdict, build, solvable
from pipelines.tasks.forecast_evaluation import BATCH, ForecastEvaluator, unit_of
from pipelines.tasks.serving import ForecastServable
from seqlayers.errors import ConfigurationError
from seqlayers.model import SequenceModel


class Forecast(Task):
    """A forecast of `horizon` steps from `look_back` steps; see `data.options.ForecastOptions` for the settings."""

    family = "forecast"
    datasets: ClassVar[Mapping[str, sources.Dataset]] = SERIES
    sample: ClassVar[Any] = None
    data: ForecastData

    @property
    def title(self) -> str:
        series, options = self.data.series, self.data.options
        targets = series.columns[: series.targets]
        what = ", ".join(targets[:3]) + (f" and {len(targets) - 3} more" if len(targets) > 3 else "")
        return f"{self.configuration.title}: {what}, {options.horizon} ahead"

    def prepare(self, source: str, data_dir: Path | None, say: Say) -> None:
        options = config.check(ForecastOptions, self.configuration.data, "data")
        frame, found = sources.locate(source, datasets=self.datasets, sample=self.sample, data_dir=data_dir)
        say(f"Read {len(frame):,} rows from {found.name}" + (" (SAMPLE)" if found.sample else ""))
        if found.note:
            say(found.note)
        self.data = ForecastData.prepare(frame, found, options)
        series, spec = self.data.series, self.data.spec
        averaged = f" (averaged from {durations.text(series.averaged_from)})" if series.averaged_from else ""
        windows = {part: len(self.data.origins(part)) for part in ("train", "validation", "test")}
        say(
            f"{len(series.times):,} steps of {self.data.options.step}{averaged}; "
            f"{spec.look_back} in, {spec.horizon} out; windows: "
            + ", ".join(f"{part} {count:,}" for part, count in windows.items())
        )
        for r in series.repairs:
            say(str(r))
        say(f"{len(self.data.checks)} leak checks passed")
        for name, simple in self.configuration.baselines.items():
            self._unfitted(name, simple)  # refused here, before anything is written

    def fingerprint(self) -> str:
        digest = hashlib.sha256(self.data.series.values.tobytes())
        digest.update(self.data.series.times.tobytes() + self.data.series.bounds.tobytes())
        digest.update(repr((self.data.series.names, self.data.series.columns)).encode())
        return digest.hexdigest()

    def describe(self) -> dict[str, Any]:
        data, series = self.data, self.data.series
        targets = list(series.columns[: series.targets])
        holds = {"rows": len(series.times), "start": iso(series.times.min()), "end": iso(series.times.max())}
        return self.described(data.source, series.repairs, data.checks, **holds) | {
            "question": {"targets": targets, "step": data.options.step, "horizon": data.options.horizon},
            "series": {
                "count": len(set(series.names)),
                "step": data.options.step,
                "averaged_from": durations.text(series.averaged_from) if series.averaged_from else None,
                "look_back": data.options.look_back,
                "horizon": data.options.horizon,
                "columns": list(series.columns),
                "targets": targets,
            },
            "splits": data.borders(),
        }

    def settings(self) -> dict[str, Any]:
        return self.data.options.model_dump(mode="json")

    def model_arguments(self) -> dict[str, Any]:
        return {"horizon": self.data.spec.horizon, "targets": self.data.series.targets}

    def training(self, batch_size: int, *, seed: int, first_epoch: int, epochs: int) -> tf.data.Dataset:
        batch_size = min(batch_size, len(self.data.origins("train")))
        return self.data.dataset(
            "train", batch_size, seed=seed, first_epoch=first_epoch, epochs=epochs, drop_remainder=True
        )

    def steps_per_epoch(self, batch_size: int) -> int:
        count = len(self.data.origins("train"))
        return count // min(batch_size, count)

    def ordered(self, part: str, batch_size: int) -> tf.data.Dataset:
        return self.data.dataset(part, batch_size)

    def baselines(self, say: Say) -> list[Candidate]:
        found = [Candidate(name, "baseline", rule) for name, rule in NAIVE.items()]
        for name, options in self.configuration.baselines.items():
            simple, start = self._unfitted(name, options), time.perf_counter()
            if isinstance(simple, SequenceModel):
                build(simple, self)
                simple.adapt(self.ordered("train", BATCH), self.ordered("validation", BATCH))
                say(f"Solved the {name} in {time.perf_counter() - start:.1f} s")
                predictor: Any = simple
            else:  # its forecasts are made at once: the seconds are for the fit and all of them
                predictor = simple(say)
            found.append(Candidate(name, "baseline", predictor, time.perf_counter() - start))
        return found

    def _unfitted(self, name: str, options: Any) -> Any:
        """A baseline as its options say: a model to be solved, or what fits a classical one; wrong ones are refused."""
        where = f"baselines.{name}"
        if name in NAIVE:
            raise ConfigurationError(where, "the name is taken, and it is always there.", "another")
        if not isinstance(options, dict) or ("kind" in options) == ("classical" in options):
            accepted = "{kind: linear, solve: ridge, …} or {classical: auto_ets, …}"
            raise ConfigurationError(where, f"{options!r} given.", accepted)
        if "classical" in options:
            from pipelines.classical import ClassicalOptions, fit, maker

            checked = config.check(ClassicalOptions, options, where)
            maker(where, checked, self.data)
            return lambda say: fit(name, checked, self.data, say)
        return solvable(name, options, self.model_arguments(), "solve: ridge")

    @cached_property
    def _evaluator(self) -> ForecastEvaluator:
        return ForecastEvaluator(self.data)

    def calibrate(self, candidates: list[Candidate]) -> None:
        self._evaluator.calibrate(candidates, self.configuration.intervals.bands)

    def evaluate(self, part: str, candidates: list[Candidate]) -> Evaluation:
        return self._evaluator.evaluate(part, candidates)

    def columns(self, rows: list[dict[str, Any]]) -> list[Column]:
        return columns(rows)

    def verdict(self, test: Evaluation, validation: Evaluation | None = None) -> Verdict:
        solved = [name for name, options in self.configuration.baselines.items() if "kind" in options]
        wanted = self.configuration.export.candidate
        return verdict(test.rows, test.details["best_naive"], unit_of(self.data), solved, wanted)

    def shipped(self, evaluation: Evaluation, chosen: Candidate, folder: Path) -> dict[str, Any]:
        return {"intervals": evaluation.intervals.get(chosen.name)}

    def servable(self, candidate: Candidate) -> ForecastServable:
        return ForecastServable(self.name, candidate, self.data)

    def folds(self, count: int, *, window: str, embargo: str) -> list[Task]:
        found: list[Task] = []
        for data in self.data.folds(count, window=window, embargo=embargo):  # type: ignore[arg-type]
            fold = type(self)(self.configuration)
            fold.data = data
            found.append(fold)
        return found
