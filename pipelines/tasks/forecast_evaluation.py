"""Candidates of a forecast: their bands calibrated on the validation part, their errors on any part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from data.forecasting import ForecastData, iso
from pipelines import intervals
from pipelines.baselines import NAIVE
from pipelines.evaluate import ForecastErrors, IntervalErrors, coverage_key, pick_windows, skill
from pipelines.intervals import Intervals, pairs_of
from pipelines.report.fan import TARGETS_DRAWN
from pipelines.task import Candidate, Evaluation
from pipelines.tasks.serving import quantile_levels
from seqlayers.model import SequenceModel

#: Windows a batch, and the numbers that the quantiles of a batch hold at most.
BATCH, NUMBERS = 1024, 2**21


class ForecastEvaluator:
    """What is asked of a forecast's candidates once they are fitted.

    A candidate's predictor is a `SequenceModel`, or a rule that is called as `pipelines.baselines.Naive` says.

    Args:
        data: the prepared data.
    """

    def __init__(self, data: ForecastData):
        self.data = data
        self._graphs: dict[int, tuple[SequenceModel, Any]] = {}
        self._scale = _naive_scale(data)

    def calibrate(self, candidates: Sequence[Candidate], bands: Sequence[float]) -> None:
        """Set every candidate's `calibration`: an `Intervals`, or None where there are no `bands`.

        A quantile model's own bands take the place of `bands`, for all candidates, so that they can be compared.
        """
        own = next((q for c in candidates if pairs_of(q := _quantiles(c.predictor))), ())
        for c in candidates:
            c.calibration = self._calibration(c, own or intervals.levels_of(bands)) if bands else None

    def _calibration(self, candidate: Candidate, levels: tuple[float, ...]) -> Intervals:
        series, spec = self.data.series, self.data.spec
        method = intervals.QUANTILE if _quantiles(candidate.predictor) == levels else intervals.SPLIT
        kept = 1 if method == intervals.SPLIT else len(pairs_of(levels))
        origins = intervals.choose(self.data.origins("validation"), spec.horizon, series.targets, kept)
        floor = self._floor()

        def parts() -> Iterator[tuple[np.ndarray, np.ndarray, Any, Any]]:
            for rows, inputs in self._batches(origins, len(levels)):
                scale = None if floor is None else intervals.window_scale(self._past(rows), floor)
                yield self.data.truth(rows), *self.forecast(candidate.predictor, rows, inputs), scale

        try:
            return intervals.calibrate(parts(), levels, method, floor)
        except FloatingPointError as error:
            raise FloatingPointError(f"{candidate.name}: {error}") from None

    def _floor(self) -> tuple[float, ...] | None:
        """The least scale of a window in a panel: that of the series which one in ten lies below; else None."""
        names = self.data.series.names
        if len(set(names)) == 1 or self.data.spec.look_back < 2:
            return None
        first = [names.index(name) for name in dict.fromkeys(names)]
        return tuple(np.quantile(self._scale[first], 0.1, axis=0, method="lower").tolist())

    def evaluate(self, part: str, candidates: Sequence[Candidate]) -> Evaluation:
        """Every candidate on every window of a part.

        Bands are judged on parts that they were not calibrated on: for `validation` their columns are None.
        """
        spec, series, origins = self.data.spec, self.data.series, self.data.origins(part)
        size = (spec.horizon, series.targets)
        judged = part != "validation"
        errors = {c.name: ForecastErrors(*size) for c in candidates}
        bands = {c.name: IntervalErrors(*size, q) for c in candidates if (q := _levels(c)) and judged}
        raw = {
            c.name: IntervalErrors(*size, q)
            for c in candidates
            if c.calibration is not None and pairs_of(q := _quantiles(c.predictor)) and judged
        }
        most = max(len(_levels(c)) for c in candidates)
        for rows, inputs in self._batches(origins, most):
            truth, scale = self.data.truth(rows), self._scale[self._segment(rows)]
            for c in candidates:
                forecast, quantiles = self.forecast(c.predictor, rows, inputs)
                errors[c.name].add(truth, forecast, scale)
                if c.name in raw:
                    raw[c.name].add(truth, quantiles, scale)
                if c.name in bands:
                    bands[c.name].add(truth, self._calibrated(c, rows, forecast, quantiles), scale)
        naive = min((e.row()["mase"], name) for name, e in errors.items() if name in NAIVE)
        keys = {"pinball": None} | {coverage_key(b): None for c in candidates for b, _, _ in pairs_of(_levels(c))}
        table = []
        for c in candidates:
            row: dict[str, Any] = {"name": c.name, "role": c.role, "seconds": c.seconds, **errors[c.name].row(), **keys}
            row |= bands[c.name].row() if c.name in bands else {}
            table.append(row | {"skill": skill(row["mase"], naive[0])})
        targets = series.columns[: series.targets]
        by_step = self._by_step(errors)
        details = {
            "best_naive": naive[1],
            "per_target": [
                {"target": target, "name": c.name, "role": c.role, **row}
                for c in candidates
                for target, row in zip(targets, errors[c.name].rows_by_target(), strict=True)
            ],
            "by_step": by_step,
            "windows": self._windows(origins, errors, candidates),
        }
        return Evaluation(table, details, {c.name: self._intervals(c, bands, raw, by_step) for c in candidates})

    def forecast(self, predictor: Any, origins: np.ndarray, inputs: Any) -> tuple[np.ndarray, Any]:
        """Forecasts in units (n, horizon, targets) and a quantile model's own quantiles (…, levels), else None.

        Args:
            predictor: a model or a rule.
            origins: the windows.
            inputs: the batch that a model is given for them.
        """
        if not isinstance(predictor, SequenceModel):
            spec, series = self.data.spec, self.data.series
            starts = series.bounds[self._segment(origins)]
            values = series.values[:, : series.targets]
            return predictor(values, origins, starts, spec.look_back, spec.horizon, spec.season), None
        outputs = self._graph(predictor)(inputs).numpy()
        if not _quantiles(predictor):
            return self.data.transform.invert(outputs), None
        quantiles = self.data.transform.invert(outputs, axis=-2)
        return np.asarray(predictor.head.predict(quantiles)), quantiles

    def _calibrated(self, candidate: Candidate, origins: np.ndarray, forecast: np.ndarray, own: Any) -> Any:
        """The quantiles that a candidate offers, (n, horizon, targets, levels): its own where it is not calibrated."""
        bands = candidate.calibration
        return own if bands is None else bands.quantiles(forecast, own, bands.scale(self._past(origins)))

    def _graph(self, model: SequenceModel) -> Any:
        """A model as one graph for batches of any size, made once."""
        if id(model) not in self._graphs:
            specs = self.data.dataset("test", 1).element_spec[0]
            specs = {k: tf.TensorSpec([None, *v.shape[1:]], v.dtype) for k, v in specs.items()}
            graph = tf.function(lambda x: model(x, training=False), input_signature=[specs])
            self._graphs[id(model)] = model, graph
        return self._graphs[id(model)][1]

    def _batches(self, origins: np.ndarray, levels: int) -> Iterator[tuple[np.ndarray, Any]]:
        """Windows and a model's inputs for them, a batch at a time, small enough for forecasts of so many levels."""
        numbers = self.data.spec.horizon * self.data.series.targets * max(1, levels)
        size = max(1, min(BATCH, NUMBERS // numbers))
        for i, (inputs, _) in enumerate(self.data.dataset(origins, size)):
            yield origins[i * size : (i + 1) * size], inputs

    def _past(self, origins: np.ndarray) -> np.ndarray:
        """(n, look_back, targets) in units: what a window has seen of its targets."""
        rows = origins[:, None] + np.arange(-self.data.spec.look_back, 0)
        return self.data.series.values[rows, : self.data.series.targets]

    def _segment(self, origins: np.ndarray) -> np.ndarray:
        return np.searchsorted(self.data.series.bounds, origins, side="right") - 1

    def _by_step(self, errors: Mapping[str, ForecastErrors]) -> dict[str, Any]:
        series, unit = self.data.series, unit_of(self.data)
        period, seconds = ("months", series.step // series.months) if series.months else _time_unit(series.step)
        return {
            "hours": ((np.arange(self.data.spec.horizon) + 1) * series.step / seconds).tolist(),
            "unit": period,
            "mae": {
                name: (e.scaled.mean(1) / e.count if unit is None else e.mae_by_step()[:, 0]).tolist()
                for name, e in errors.items()
            },
            "of": "MASE" if unit is None else unit,
        }

    def _intervals(
        self,
        candidate: Candidate,
        bands: Mapping[str, IntervalErrors],
        raw: Mapping[str, IntervalErrors],
        by_step: Mapping[str, Any],
    ) -> dict[str, Any] | None:
        """How a candidate's bands were made and what they cover; None where it has none, or they are not judged."""
        found, name = candidate.calibration, candidate.name
        if found is None or name not in bands:
            return None
        note = None
        if found.unsupported:
            which = ", ".join(f"{band:.0%}" for band in found.unsupported)
            note = (
                f"{found.windows} validation windows are too few for the band of {which}: it is as wide as the "
                "largest error among them, and may cover less than it says."
            )
        return {
            "of": name,
            "method": found.method,
            "windows": found.windows,
            "bands": list(found.bands),
            "hours": by_step["hours"],
            "unit": by_step["unit"],
            "coverage": bands[name].coverage_by_step(),
            "uncalibrated": raw[name].coverage_by_step() if name in raw else None,
            "width": bands[name].width_by_step(scaled=unit_of(self.data) is None),
            "note": note,
        }

    def _windows(
        self, origins: np.ndarray, errors: Mapping[str, ForecastErrors], candidates: Sequence[Candidate]
    ) -> list[dict[str, Any]]:
        """A good, a typical and the worst window of the model, of as many targets as are drawn."""
        model = candidates[-1]
        solved = [c for c in candidates[:-1] if isinstance(c.predictor, SequenceModel)]
        rival = min(solved, key=lambda c: errors[c.name].row()["mase"], default=None)
        series, spec = self.data.series, self.data.spec
        found = []
        for label, at in pick_windows(errors[model.name].window_errors).items():
            origin = origins[at : at + 1]
            inputs = next(iter(self.data.dataset(origin, 1)))[0]
            forecast, own = self.forecast(model.predictor, origin, inputs)
            other = None if rival is None else self.forecast(rival.predictor, origin, inputs)[0]
            levels = _levels(model)
            quantiles = self._calibrated(model, origin, forecast, own)
            truth = self.data.truth(origin)
            start = int(origin[0])
            past = slice(start - min(spec.look_back, max(3 * spec.horizon, 48)), start)
            times = series.times[start : start + spec.horizon]
            whose = f"{series.names[self._segment(origin)[0]]}: " if len(set(series.names)) > 1 else ""
            for i, target in enumerate(series.columns[: min(series.targets, TARGETS_DRAWN)]):
                fan = None if quantiles is None else quantiles[0, :, i]
                found.append(
                    {
                        "label": label,
                        "origin": iso(series.times[start - 1]),
                        "target": whose + target,
                        "mae": float(np.abs(truth - forecast)[0, :, i].mean()),
                        "past_times": [iso(t) for t in series.times[past]],
                        "past": _digits(series.values[past, i]),
                        "times": [iso(t) for t in times],
                        "truth": _digits(truth[0, :, i]),
                        "forecast": _digits(forecast[0, :, i]),
                        "rival": None
                        if rival is None or other is None
                        else {"name": rival.name, "forecast": _digits(other[0, :, i])},
                        "quantiles": fan
                        if fan is None
                        else {f"{q:g}": _digits(fan[:, k]) for k, q in enumerate(levels)},
                    }
                )
        return found


def unit_of(data: ForecastData) -> str | None:
    """What stands in brackets behind the only target's name, such as degC; None of several targets or series.

    Their errors have no unit, or no size, in common and are told as MASE.
    """
    if data.series.targets > 1 or len(set(data.series.names)) > 1:
        return None
    target = data.series.columns[0]
    return target.rpartition("(")[2].removesuffix(")") if "(" in target else ""


def _naive_scale(data: ForecastData) -> np.ndarray:
    """Mean absolute one-step change over the training rows, a segment and target: what MASE divides by."""
    series, train = data.series, data.borders_in_time.rows(data.series, "train")
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


def _digits(values: np.ndarray) -> list[float]:
    """The digits that float32 has, and no more: half the length of a record."""
    return [float(f"{v:.7g}") for v in values.tolist()]


def _quantiles(predictor: Any) -> tuple[float, ...]:
    """The quantiles that a predictor forecasts itself, or ()."""
    return quantile_levels(predictor) if isinstance(predictor, SequenceModel) else ()


def _levels(candidate: Candidate) -> tuple[float, ...]:
    """The quantiles that a candidate offers: calibrated where it has been, else its own."""
    return candidate.calibration.levels if candidate.calibration is not None else _quantiles(candidate.predictor)


def _time_unit(step: int) -> tuple[str, int]:
    """The largest unit that the step is a whole number of, and its seconds."""
    return next((u, s) for u, s in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)) if step % s == 0)
