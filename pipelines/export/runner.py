"""Loads one exported file and runs it, knowing nothing of the model it came from.

As a script, `runner.py MODEL SIGNATURE=INPUTS.npz=OUTPUTS.npz …`, it is the fresh process in which an export is
proven: it imports numpy and the one library that a device would have, runs every example of every signature, and
prints what it measured as JSON.
Functions are shared with `load`, through which `predict` opens the same files.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]

SIGNATURE = "serving_default"
BATCH = 256
#: Examples for a file that takes one at a time: as many of these as fit into BUDGET seconds.
COUNTS = (2000, 1000, 500, 200, 100)
BUDGET = 5.0


def open_saved_model(path: str | Path) -> Callable[[Arrays], Arrays]:
    """The SavedModel's `serving_default`, for any number of examples at once."""
    import tensorflow as tf

    return signature_of(tf.saved_model.load(str(path)), SIGNATURE)


def signature_of(loaded: Any, name: str) -> Callable[[Arrays], Arrays]:
    """A signature of a SavedModel that has been loaded."""
    import tensorflow as tf

    signature = loaded.signatures[name]

    def run(inputs: Arrays) -> Arrays:
        assert loaded is not None  # a signature does not keep its variables alive
        found = signature(**{k: tf.constant(v) for k, v in inputs.items()})
        return {name: plain(y.numpy()) for name, y in found.items()}

    return run


def plain(y: np.ndarray) -> np.ndarray:
    """Texts, which TensorFlow gives as objects, as an array of bytes."""
    return np.array(y.tolist(), "S") if y.dtype == object else y


def open_litert(path: str | Path) -> Callable[[Arrays], Arrays]:
    """A LiteRT file's `serving_default`, for exactly one example; the plain interpreter, so builtin ops alone."""
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(model_path=str(path), num_threads=1).get_signature_runner(SIGNATURE)

    def run(inputs: Arrays) -> Arrays:
        return dict(runner(**inputs))

    return run


def flex_ops(path: str | Path) -> int:
    """How many kinds of op in a LiteRT file are TensorFlow's own and need the Flex delegate."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAsModel(Path(path).read_bytes(), 0)
    codes = [model.OperatorCodes(i).CustomCode() or b"" for i in range(model.OperatorCodesLength())]
    return sum(code.startswith(b"Flex") for code in codes)


def rows(inputs: Arrays, start: int, stop: int) -> Arrays:
    return {name: x[start:stop] for name, x in inputs.items()}


def one_by_one(run: Callable[[Arrays], Arrays], inputs: Arrays, count: int) -> Arrays:
    outputs = [run(rows(inputs, i, i + 1)) for i in range(count)]
    return {name: np.concatenate([y[name] for y in outputs]) for name in outputs[0]}


def in_batches(run: Callable[[Arrays], Arrays], inputs: Arrays, count: int) -> Arrays:
    outputs = [run(rows(inputs, i, min(i + BATCH, count))) for i in range(0, count, BATCH)]
    return {name: np.concatenate([y[name] for y in outputs]) for name in outputs[0]}


def latency_ms(run: Callable[[Arrays], Arrays], inputs: Arrays) -> float:
    """The median time of a single-example call, after five to warm up."""
    first, times = rows(inputs, 0, 1), []
    for _ in range(45):
        start = time.perf_counter()
        run(first)
        times.append(time.perf_counter() - start)
        if len(times) > 10 and sum(times) > BUDGET:
            break
    return 1e3 * float(np.median(times[5:]))


def main(model: str, *jobs: str) -> dict:
    measured: dict = {"examples": {}}
    if saved_model := Path(model).is_dir():
        import tensorflow as tf

        loaded = tf.saved_model.load(model)
    else:
        measured["flex_ops"] = flex_ops(model)
        if measured["flex_ops"]:
            return measured
        single = open_litert(model)
    for job in jobs:
        name, inputs_path, outputs_path = job.split("=")
        inputs: Arrays = dict(np.load(inputs_path))
        count = len(next(iter(inputs.values())))
        run = signature_of(loaded, name) if saved_model else single
        measured.setdefault("latency_ms", latency_ms(run, inputs))
        if saved_model:
            outputs = in_batches(run, inputs, count)
        else:
            affordable = [n for n in COUNTS if n * measured["latency_ms"] < 1e3 * BUDGET] or COUNTS[-1:]
            outputs = one_by_one(run, inputs, min(count, affordable[0]))
        np.savez(outputs_path, **outputs)  # type: ignore[arg-type]
        measured["examples"][name] = len(next(iter(outputs.values())))
    return measured


if __name__ == "__main__":
    try:
        answer = main(*sys.argv[1:])
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"}
    print(json.dumps(answer))
