"""A forecaster as the export room takes it: raw readings and times in, forecasts in their own units out."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from data.forecasting import ForecastData
from data.transforms.forms import GRAPH
from pipelines.export.servable import Servable, drawn
from pipelines.intervals import Intervals
from pipelines.task import Candidate
from seqlayers.model import SequenceModel


def quantile_levels(model: SequenceModel) -> tuple[float, ...]:
    """The quantiles that a model forecasts, or () for point forecasts."""
    kind = model.head.output_kind
    return () if kind == "point" else kind[1]


class ForecastServable(Servable):
    """The model with its transforms in the graph (see `pipelines.export.servable.Servable`).

    Inputs: `readings` float32 (batch, look_back, columns) in the columns' own units; `times` int64 (batch, look_back),
    seconds since 1970 on the data's own clock; `ahead` float32 (batch, horizon, known columns) where there are any.

    Outputs: `forecast` float32 (batch, horizon, targets) in units; `forecast_times` int64 (batch, horizon); and, where
    the candidate has been calibrated or has a quantile head, `quantiles` float32 (batch, horizon, targets, levels).

    Raises:
        TypeError: the candidate is a rule or a model of another library, which no graph can hold.
    """

    metric_name = "mae"

    def __init__(self, name: str, candidate: Candidate, data: ForecastData):
        if not isinstance(candidate.predictor, SequenceModel):
            raise TypeError(f"'{candidate.name}' cannot be exported: only a SequenceModel can.")
        self.name, self.data = name, data
        self.model: SequenceModel = candidate.predictor
        self.intervals: Intervals | None = candidate.calibration
        self.levels = quantile_levels(self.model) if self.intervals is None else self.intervals.levels

    def signature(self, batch: int | None) -> dict[str, tf.TensorSpec]:
        spec, transform = self.data.spec, self.data.transform
        found = {
            "readings": tf.TensorSpec([batch, spec.look_back, len(transform.columns)], tf.float32, "readings"),
            "times": tf.TensorSpec([batch, spec.look_back], tf.int64, "times"),
        }
        if transform.known_ahead:
            found["ahead"] = tf.TensorSpec([batch, spec.horizon, len(transform.known_ahead)], tf.float32, "ahead")
        return found

    def serve(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        transform = self.data.transform
        readings, times = inputs["readings"], inputs["times"]
        given = {"past": transform.past(readings, times, xp=GRAPH)}
        ahead = transform.ahead(times[:, -1], inputs.get("ahead"), xp=GRAPH)
        if ahead is not None:
            given["ahead"] = ahead
        output = self.model(given, training=False)
        if quantile_levels(self.model):
            own = transform.invert(output, xp=GRAPH, axis=-2)
            forecast = self.model.head.predict(own)
        else:
            forecast, own = transform.invert(output, xp=GRAPH), None
        found = {"forecast": forecast, "forecast_times": transform.ahead_times(times[:, -1], xp=GRAPH)}
        if self.intervals is not None:
            scale = self.intervals.scale(readings[..., : transform.targets], xp=GRAPH)
            own = self.intervals.quantiles(forecast, own, scale, xp=GRAPH)
        return found if own is None else found | {"quantiles": own}

    def models(self) -> list[Any]:
        return [self.model]

    def examples(self, count: int, seed: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Raw inputs and truth of up to `count` windows of the test part, chosen by the seed."""
        origins = drawn(self.data.origins("test"), count, seed)
        return self.data.readings(origins), self.data.truth(origins)

    def metric(self, outputs: dict[str, np.ndarray], truth: np.ndarray) -> float:
        """Mean absolute error in units, each target divided by its spread in training where there are several."""
        error = np.abs(outputs["forecast"].astype(np.float64) - truth)
        return float(error.mean() if truth.shape[-1] == 1 else (error / self._spread()).mean())

    def _spread(self) -> np.ndarray:
        transform = self.data.transform
        return np.asarray(transform.standardise.scale[: transform.targets])

    def contract(self) -> dict[str, Any]:
        """What a caller must know: what to send, what comes back, and how raw files become inputs."""
        data = self.data
        return {
            "family": "forecast",
            "task": self.name,
            "sample": data.source.sample,
            "options": data.options.model_dump(),
            "look_back": data.spec.look_back,
            "horizon": data.spec.horizon,
            "step_seconds": data.series.step,
            "grid": data.series.grid.to_json(),
            "columns": list(data.transform.columns),
            "targets": list(data.transform.columns[: data.transform.targets]),
            "known_ahead": list(data.transform.known_ahead),
            "quantiles": list(self.levels),
            "intervals": None if self.intervals is None else self.intervals.to_json(),
            "transform": data.transform.to_json(),
            "inputs": {
                "readings": "float32 (batch, look_back, columns), raw units",
                "times": "int64 (batch, look_back), seconds since 1970 on the data's own clock",
            },
            "outputs": {
                "forecast": "float32 (batch, horizon, targets), raw units",
                "forecast_times": "int64 (batch, horizon)",
                **({"quantiles": "float32 (batch, horizon, targets, levels), raw units"} if self.levels else {}),
            },
        }
