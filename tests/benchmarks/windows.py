"""How many windows a second the input pipeline delivers, beside `keras.utils.timeseries_dataset_from_array`.

    python -m tests.benchmarks.windows [--quick] [--json FILE]

14 features × 120 steps, batches of 256. Each pipeline is warmed up, then timed over whole batches; the best of three
rounds counts, the two taking turns, so that a busy machine slows both.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

ROWS, FEATURES, LOOK_BACK, HORIZON, BATCH = 52_704, 14, 120, 24, 256


def rate(dataset: Iterable, batches: int) -> float:
    """Windows a second over so many batches, after two that are not counted."""
    iterator = iter(dataset)
    for _ in range(2):
        next(iterator)
    start, count = time.perf_counter(), 0
    for _ in range(batches):
        inputs, _ = next(iterator)
        count += int((inputs["past"] if isinstance(inputs, dict) else inputs).shape[0])
    return count / (time.perf_counter() - start)


def pipelines(values: np.ndarray) -> dict[str, Callable[[], Iterable]]:
    """The pipelines to compare; both shuffle and give a target one step wide."""
    import keras

    from data.windows import WindowSpec, origins, window_dataset

    spec = WindowSpec(LOOK_BACK, HORIZON, 1, 144)
    one = WindowSpec(LOOK_BACK, 1, 1, 144)
    bounds = np.array([0, len(values)])

    def seqlayers(spec: WindowSpec) -> Iterable:
        first = origins(bounds, spec, 0, len(values))
        return window_dataset(values, values[:, :1], None, first, spec, BATCH, seed=0, epochs=1000)

    def keras_utility() -> Iterable:
        return keras.utils.timeseries_dataset_from_array(
            values[:-1], values[LOOK_BACK:, :1], LOOK_BACK, batch_size=BATCH, shuffle=True, seed=0
        )

    return {
        "keras.utils.timeseries_dataset_from_array": keras_utility,
        "seqlayers": lambda: seqlayers(one),
        f"seqlayers, with {HORIZON} target steps": lambda: seqlayers(spec),
    }


def measure(*, quick: bool = False) -> list[dict[str, float | str]]:
    """Rows of name and windows_per_second."""
    values = np.random.default_rng(0).normal(size=(ROWS, FEATURES)).astype(np.float32)
    found = pipelines(values)
    best = dict.fromkeys(found, 0.0)
    for _ in range(1 if quick else 3):
        for name, make in found.items():
            batches = (10 if quick else 40) if name.startswith("keras") else (100 if quick else 400)
            best[name] = max(best[name], rate(make(), batches))
    return [{"name": name, "windows_per_second": round(value)} for name, value in best.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    arguments = parser.parse_args()

    from rich.console import Console
    from rich.table import Table

    rows = measure(quick=arguments.quick)
    base = float(rows[0]["windows_per_second"])
    table = Table(title=f"Windows of {LOOK_BACK} steps × {FEATURES} features, batches of {BATCH}")
    table.add_column("pipeline")
    table.add_column("windows/s", justify="right")
    table.add_column("ratio", justify="right")
    for row in rows:
        value = float(row["windows_per_second"])
        table.add_row(str(row["name"]), f"{value:,.0f}", f"{value / base:.1f}")
    Console().print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
