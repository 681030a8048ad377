"""The forecasting family: any regular series, single or a panel, one target or many, set beside its baselines."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from data import durations
from data import source as sources
from data.forecasting import ForecastData, iso
from data.options import ForecastOptions
from pipelines import config
from pipelines.baselines import NAIVE
from pipelines.evaluate import ForecastErrors, pick_windows, verdict
from pipelines.task import Candidate, Evaluation, Say, Task, build
from pipelines.tasks.serving import ForecastServable, quantile_levels
from seqlayers.errors import ConfigurationError
from seqlayers.model import SequenceModel

#: Windows a batch when nothing is learnt.
BATCH = 1024


class Forecast(Task):
    """A forecast of `horizon` steps from `look_back` steps; see `data.options.ForecastOptions` for the settings."""

    family = "forecast"
    datasets: ClassVar[Mapping[str, sources.Dataset]] = {}
    sample: ClassVar[Any] = None
    data: ForecastData

    def __init__(self, configuration: config.Configuration):
        super().__init__(configuration)
        self._graphs: dict[int, Any] = {}

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
            say(f"{r.count:,} {r.what}" + (f" in {r.column}" if r.column else ""))
        say(f"{len(self.data.checks)} leak checks passed")

    def fingerprint(self) -> str:
        digest = hashlib.sha256(self.data.series.values.tobytes())
        digest.update(self.data.series.times.tobytes() + self.data.series.bounds.tobytes())
        digest.update(repr((self.data.series.names, self.data.series.columns)).encode())
        return digest.hexdigest()

    def describe(self) -> dict[str, Any]:
        data, series, source = self.data, self.data.series, self.data.source
        return {
            "source": {
                "name": source.name,
                "sha256": source.sha256,
                "sample": source.sample,
                "note": source.note,
                "rows": len(series.times),
                "start": iso(series.times.min()),
                "end": iso(series.times.max()),
            },
            "series": {
                "count": len(set(series.names)),
                "step": data.options.step,
                "averaged_from": durations.text(series.averaged_from) if series.averaged_from else None,
                "look_back": data.options.look_back,
                "horizon": data.options.horizon,
                "columns": list(series.columns),
                "targets": list(series.columns[: series.targets]),
            },
            "repairs": [{"what": r.what, "count": r.count, "column": r.column} for r in series.repairs],
            "splits": data.borders(),
            "checks": [{"name": c.name, "passed": c.passed, "detail": c.detail} for c in data.checks],
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
        for name, head in self.configuration.baselines.items():
            start = time.perf_counter()
            try:
                model = SequenceModel.for_task({"head": head}, **self.model_arguments())
            except ConfigurationError as error:
                path = error.path.replace("model.head", f"baselines.{name}", 1)
                raise ConfigurationError(path, error.problem, error.accepted) from None
            build(model, self)
            if model.needs_fit:
                raise ConfigurationError(f"baselines.{name}", "a head that is trained is no baseline.", "solve: ridge")
            model.adapt(self.ordered("train", BATCH), self.ordered("validation", BATCH))
            found.append(Candidate(name, "baseline", model, time.perf_counter() - start))
            say(f"Solved the {name} in {found[-1].seconds:.1f} s")
        return found

    def evaluate(self, part: str, candidates: list[Candidate]) -> Evaluation:
        spec, series, origins = self.data.spec, self.data.series, self.data.origins(part)
        errors = {c.name: ForecastErrors(spec.horizon, series.targets, _quantiles(c.predictor)) for c in candidates}
        predict = {c.name: self._graph(c.predictor) for c in candidates}
        scale = self._naive_scale()
        for rows, (inputs, _) in zip(_chunks(origins, BATCH), self.ordered(part, BATCH), strict=True):
            truth = self.data.truth(rows)
            for c in candidates:
                forecast, bands = self._forecast(c.predictor, predict[c.name], rows, inputs)
                errors[c.name].add(truth, forecast, scale[self._segment(rows)], bands)
        naive = min((e.row()["mase"], name) for name, e in errors.items() if name in NAIVE)
        rows_ = [{"name": c.name, "role": c.role, "seconds": c.seconds, **errors[c.name].row()} for c in candidates]
        for row in rows_:
            row["skill"] = 1 - row["mase"] / naive[0]
        targets = series.columns[: series.targets]
        by_target = [
            {"target": target, "name": c.name, "role": c.role, **row}
            for c in candidates
            for target, row in zip(targets, errors[c.name].rows_by_target(), strict=True)
        ]
        details = {
            "best_naive": naive[1],
            "per_target": by_target,
            "by_step": self._by_step(errors),
            "windows": self._windows(origins, errors, candidates, predict),
        }
        return Evaluation(rows_, details)

    def verdict(self, evaluation: Evaluation) -> str:
        return verdict(evaluation.rows, evaluation.details["best_naive"], self._unit())

    def servable(self, model: Any) -> ForecastServable:
        return ForecastServable(self.name, model, self.data)

    def _forecast(self, predictor: Any, predict: Any, origins: np.ndarray, inputs: Any) -> tuple[Any, Any]:
        """Forecast in units (n, horizon, targets) and, from a quantile head, its quantiles (…, quantiles)."""
        if not isinstance(predictor, SequenceModel):
            spec, bounds = self.data.spec, self.data.series.bounds
            values = self.data.series.values[:, : self.data.series.targets]
            starts = bounds[self._segment(origins)]
            return predictor(values, origins, starts, spec.look_back, spec.horizon, spec.season), None
        outputs = predict(inputs).numpy()
        if not _quantiles(predictor):
            return self.data.transform.invert(outputs), None
        bands = self.data.transform.invert(outputs, axis=-2)
        return np.asarray(predictor.head.predict(bands)), bands

    def _graph(self, predictor: Any) -> Any:
        """A model as one graph for batches of any size, made once; rules are called as they are."""
        if not isinstance(predictor, SequenceModel):
            return None
        if id(predictor) not in self._graphs:
            specs = self.ordered("test", 1).element_spec[0]
            specs = {k: tf.TensorSpec([None, *v.shape[1:]], v.dtype) for k, v in specs.items()}
            self._graphs[id(predictor)] = tf.function(lambda x: predictor(x, training=False), input_signature=[specs])
        return self._graphs[id(predictor)]

    def _segment(self, origins: np.ndarray) -> np.ndarray:
        return np.searchsorted(self.data.series.bounds, origins, side="right") - 1

    def _naive_scale(self) -> np.ndarray:
        """Mean absolute one-step change over the training rows, a segment and target: what MASE divides by."""
        series, train = self.data.series, self.data.borders_in_time.rows(self.data.series, "train")
        values = series.values[:, : series.targets].astype(np.float64)
        change = np.abs(np.diff(values, axis=0, prepend=values[:1]))
        change[series.bounds[:-1]] = np.nan
        change[~train] = np.nan
        names = np.repeat(np.arange(len(series.names)), np.diff(series.bounds))
        scale = np.empty((len(series.names), series.targets))
        overall = np.nanmean(change, axis=0)
        for name in set(series.names):  # the segments of one series share its scale
            segments = [i for i, n in enumerate(series.names) if n == name]
            chosen = change[np.isin(names, segments)]
            scale[segments] = np.nanmean(chosen, axis=0) if np.isfinite(chosen).any() else overall
        return np.where(scale > 0, scale, 1.0)

    def _by_step(self, errors: Mapping[str, ForecastErrors]) -> dict[str, Any]:
        series = self.data.series
        unit, seconds = ("months", series.step // series.months) if series.months else _time_unit(series.step)
        steps = (np.arange(self.data.spec.horizon) + 1) * series.step / seconds
        single = series.targets == 1
        return {
            "hours": steps.tolist(),
            "unit": unit,
            "mae": {
                name: (e.mae_by_step()[:, 0] if single else e.scaled.mean(1) / e.count).tolist()
                for name, e in errors.items()
            },
            "of": "MASE" if self._unit() is None else self._unit(),
        }

    def _unit(self) -> str | None:
        """What stands in brackets behind the only target's name, such as degC; None where there are several."""
        if self.data.series.targets > 1:
            return None
        target = self.data.series.columns[0]
        return target.rpartition("(")[2].removesuffix(")") if "(" in target else ""

    def _windows(self, origins: np.ndarray, errors: Any, candidates: list[Candidate], predict: Any) -> list[dict]:
        model = candidates[-1]
        rival = next((c for c in candidates if c.role == "baseline" and c.name not in NAIVE), None)
        series, spec = self.data.series, self.data.spec
        found = []
        for label, at in pick_windows(errors[model.name].window_errors).items():
            origin = origins[at : at + 1]
            inputs = next(iter(self.data.dataset(origin, 1)))[0]
            forecast, bands = self._forecast(model.predictor, predict[model.name], origin, inputs)
            other = None if rival is None else self._forecast(rival.predictor, predict[rival.name], origin, inputs)[0]
            truth = self.data.truth(origin)
            start = int(origin[0])
            past = slice(start - min(spec.look_back, max(3 * spec.horizon, 48)), start)
            times = series.times[start : start + spec.horizon]
            whose = f"{series.names[self._segment(origin)[0]]}: " if len(set(series.names)) > 1 else ""
            for i, target in enumerate(series.columns[: series.targets]):
                levels = _quantiles(model.predictor)
                found.append(
                    {
                        "label": label,
                        "origin": iso(series.times[start - 1]),
                        "target": whose + target,
                        "mae": float(np.abs(truth - forecast)[0, :, i].mean()),
                        "past_times": [iso(t) for t in series.times[past]],
                        "past": series.values[past, i].tolist(),
                        "times": [iso(t) for t in times],
                        "truth": truth[0, :, i].tolist(),
                        "forecast": forecast[0, :, i].tolist(),
                        "ridge": None if other is None else other[0, :, i].tolist(),
                        "quantiles": {f"{q:g}": bands[0, :, i, k].tolist() for k, q in enumerate(levels)}
                        if levels
                        else None,
                    }
                )
        return found


def _quantiles(predictor: Any) -> tuple[float, ...]:
    return quantile_levels(predictor) if isinstance(predictor, SequenceModel) else ()


def _time_unit(step: int) -> tuple[str, int]:
    """The largest unit that the step is a whole number of, and its seconds."""
    return next((u, s) for u, s in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)) if step % s == 0)


def _chunks(values: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (values[i : i + size] for i in range(0, len(values), size))
