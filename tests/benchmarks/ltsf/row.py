"""One row of the table: a recipe is fitted within its minutes, and its errors are measured.

    python -m tests.benchmarks.ltsf.row DATA HORIZON KIND [--quick]

Runs in a process of its own, so that seconds and peak memory are its own, and prints the row as its last line.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from pipelines.baselines import last_value
from tests.benchmarks.ltsf.protocol import Errors, Series, chunks, load
from tests.benchmarks.ltsf.recipes import Recipe, recipe_for

#: Windows a batch when nothing is learnt.
BATCH = 256


class Batches:
    """Training and validation windows as `pipelines.train.fit` asks for them; an epoch is `share` of the windows."""

    def __init__(self, series: Series, recipe: Recipe, horizon: int):
        self.series, self.recipe, self.horizon = series, recipe, horizon
        self.train = series.origins("train", recipe.look_back, horizon)
        self.looked_at = series.origins("validation", recipe.look_back, horizon, recipe.look_every)

    def training(self, batch_size: int, *, seed: int, first_epoch: int, epochs: int) -> Any:
        steps = self.steps_per_epoch(batch_size)
        passes = -(-epochs * steps // (len(self.train) // batch_size))
        settings = {"seed": seed, "epochs": passes, "drop_remainder": True}
        found = self.series.windows(self.train, self.recipe.look_back, self.horizon, batch_size, **settings)
        return found.skip(first_epoch * steps)

    def steps_per_epoch(self, batch_size: int) -> int:
        return max(1, int(len(self.train) // batch_size * self.recipe.share))

    def validation(self, batch_size: int) -> Any:
        return self.series.windows(self.looked_at, self.recipe.look_back, self.horizon, BATCH)


class Budget:
    """Ends training, after one more look at validation, when its seconds are spent."""

    def __init__(self, model: Any, seconds: float):
        self.model, self.end, self.spent = model, time.perf_counter() + seconds, False

    def __call__(self, history: Any, loss: float, step: int, steps: int) -> None:
        if not self.spent and time.perf_counter() > self.end:
            self.spent = self.model.stop_training = True


def fit_model(series: Series, recipe: Recipe, horizon: int) -> tuple[Any, dict[str, Any]]:
    """The recipe's model, solved and trained, and what is to be said of it."""
    end = time.perf_counter() + 60 * recipe.minutes
    configuration = dict(recipe.model or {})
    model = _built(configuration, series, recipe, horizon)
    said: dict[str, Any] = {"parameters": int(model.count_params())}
    if any(row.adapts for row in model.rows):
        look_back, every = recipe.look_back, {"train": recipe.solve_every, "validation": 1}
        origins = (series.origins(part, look_back, horizon, stride) for part, stride in every.items())
        model.adapt(*(series.windows(chosen, look_back, horizon, BATCH) for chosen in origins))
    branches = configuration.get("branches") or [configuration]
    trained = [i for i, row in enumerate(model.rows) if not row.adapts]
    for place, i in enumerate(trained):
        alone = model if len(model.rows) == 1 else _built(branches[i], series, recipe, horizon, seed=i)
        left = end - time.perf_counter()
        found = _fit_gradients(alone, series, recipe, horizon, left / (len(trained) - place))
        said = {key: said.get(key, 0) + value for key, value in found.items()} | {"parameters": said["parameters"]}
        if alone is not model:
            model.rows[i].set_weights(alone.rows[0].get_weights())
    return model, said


def _built(configuration: Mapping[str, Any], series: Series, recipe: Recipe, horizon: int, seed: int = 0) -> Any:
    import keras

    from seqlayers.model import SequenceModel

    keras.utils.set_random_seed(recipe.train.get("seed", 0) + seed)
    model = SequenceModel.for_task(configuration, horizon=horizon, targets=series.targets)
    model({"past": np.zeros((1, recipe.look_back, series.values.shape[1]), np.float32)})
    return model


def _fit_gradients(model: Any, series: Series, recipe: Recipe, horizon: int, seconds: float) -> dict[str, Any]:
    from pipelines.config import TrainOptions
    from pipelines.train import Checkpoint, fit

    budget = Budget(model, seconds)
    with tempfile.TemporaryDirectory() as folder:
        state = Checkpoint(Path(folder) / "state")
        history = fit(model, Batches(series, recipe, horizon), TrainOptions(**recipe.train), state, budget)
    return {"epochs": len(history.epoch), "stopped_by_budget": int(budget.spent)}


def measure(model: Any, series: Series, part: str, recipe: Recipe, horizon: int) -> Errors:
    """The errors of a model, or of repeating the last value (None), over every window of a part."""
    errors = Errors()
    origins = series.origins(part, recipe.look_back, horizon, 8 if recipe.quick and recipe.train else 1)
    if model is None:
        targets = series.values[:, : series.targets]
        for rows in chunks(origins, BATCH):
            forecast = last_value(targets, rows, np.zeros_like(rows), recipe.look_back, horizon, 1)
            errors.add(series.truth(rows, horizon), forecast)
        return errors
    import tensorflow as tf

    predict = tf.function(lambda x: model(x, training=False), reduce_retracing=True)
    for inputs, target in series.windows(origins, recipe.look_back, horizon, BATCH):
        errors.add(target.numpy(), predict(inputs).numpy())
    return errors


def compute(data: str, horizon: int, kind: str, *, quick: bool = False) -> dict[str, Any]:
    """A row of the table. The test part is read once, when everything is settled."""
    recipe = recipe_for(data, horizon, kind, quick=quick)
    series = load(data, recipe.calendar)
    start, model, said = time.perf_counter(), None, {}
    if recipe.model is not None:
        model, said = fit_model(series, recipe, horizon)
    seconds = time.perf_counter() - start
    validation = measure(model, series, "validation", recipe, horizon)
    test = measure(model, series, "test", recipe, horizon)
    return {
        "data": data,
        "horizon": horizon,
        "kind": kind,
        "mse": round(test.mse, 5),
        "mae": round(test.mae, 5),
        "validation_mse": round(validation.mse, 5),
        "seconds": round(seconds, 1),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "budget_minutes": recipe.minutes,
        "look_back": recipe.look_back,
        **said,
        "configuration": recipe.tag(),
        "quick": quick,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("horizon", type=int)
    parser.add_argument("kind")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    print(json.dumps(compute(arguments.data, arguments.horizon, arguments.kind, quick=arguments.quick)))


if __name__ == "__main__":
    main()
