"""A small forecaster as a task would hand it over: standardisation and a clock inside the graph, units outside."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from data.series import ForecastOptions
from pipelines.export import Servable

LOOK_BACK, COLUMNS, HORIZON, STEP, DAY = 24, 3, 6, 3600, 86400
MEAN = np.array([9.5, 989.0, 76.0], "float32")
SPREAD = np.array([8.4, 8.3, 16.4], "float32")


class Toy(Servable):
    """A GRU on three standardised columns and the time of day; the target is the first column."""

    name = "toy"
    metric_name = "mae"

    def __init__(self, units: int = 32, look_back: int = LOOK_BACK, scale: float = 1.0):
        keras.utils.set_random_seed(7)
        self.look_back, self.mean, self.spread = look_back, MEAN * scale, SPREAD * scale
        past = keras.Input((look_back, COLUMNS + 2))
        hidden = keras.layers.GRU(units)(keras.layers.Dense(units)(past))
        self.model = keras.Model(past, keras.layers.Dense(HORIZON, bias_initializer="random_normal")(hidden))

    def signature(self, batch: int | None) -> dict[str, tf.TensorSpec]:
        return {
            "readings": tf.TensorSpec([batch, self.look_back, COLUMNS], tf.float32, "readings"),
            "times": tf.TensorSpec([batch, self.look_back], tf.int64, "times"),
        }

    def serve(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        angle = tf.cast(inputs["times"] % DAY, tf.float32)[..., None] * (2 * np.pi / DAY)
        past = tf.concat([(inputs["readings"] - self.mean) / self.spread, tf.sin(angle), tf.cos(angle)], -1)
        forecast = self.answer(self.model(past))
        return {
            "forecast": forecast[..., None] * self.spread[0] + self.mean[0],
            "forecast_times": inputs["times"][:, -1:] + STEP * tf.range(1, HORIZON + 1, dtype=tf.int64),
        }

    def answer(self, y: tf.Tensor) -> tf.Tensor:
        return y

    def models(self) -> list[keras.Model]:
        return [self.model]

    def examples(self, count: int, seed: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        draw = np.random.default_rng(seed)
        walks = draw.normal(size=(count, self.look_back + HORIZON, COLUMNS)).cumsum(1) / 5
        readings = (walks * self.spread + self.mean).astype("float32")
        first = 1_600_000_000 + STEP * draw.integers(0, 9000, (count, 1))
        times = first + STEP * np.arange(self.look_back)
        return {"readings": readings[:, : self.look_back], "times": times}, readings[:, self.look_back :, :1]

    def metric(self, outputs: dict[str, np.ndarray], truth: np.ndarray) -> float:
        return float(np.abs(outputs["forecast"] - truth).mean())

    def contract(self) -> dict:
        return {
            "family": "forecast",
            "task": self.name,
            "options": ForecastOptions(target="T (degC)", covariates=["p (mbar)", "rh (%)"], step="1h").model_dump(),
            "look_back": self.look_back,
            "horizon": HORIZON,
            "step_seconds": STEP,
            "grid": {"step": STEP},
            "columns": ["T (degC)", "p (mbar)", "rh (%)"],
            "targets": ["T (degC)"],
            "known_ahead": [],
            "quantiles": [],
        }
