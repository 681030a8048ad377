"""Loads one exported file and runs it, knowing nothing of the model it came from.

As a script, `runner.py MODEL SIGNATURE=INPUTS.npz=OUTPUTS.npz …`, it is the fresh process in which an export is
proven: it imports numpy and the one library that a device would have, runs every example of every signature, and
prints what it measured as JSON. With `=steps` behind a job the signature is one step of a stream, and its examples are
stretches to be run through, step after step.
Functions are shared with `load`, through which `predict` and `generate` open the same files.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]

SIGNATURE = "serving_default"
#: What the names of a stream's state begin with.
STATE = "state_"
BATCH = 256
#: Examples for a file that takes one at a time: as many of these as fit into BUDGET seconds.
COUNTS = (2000, 1000, 500, 200, 100)
BUDGET = 5.0


def opened(path: str | Path) -> Callable[[str], Callable[[Arrays], Arrays]]:
    """Load a file once: the name of a signature → what answers it.

    A SavedModel takes any number of examples at once, a LiteRT file exactly one. Of LiteRT it is the plain
    interpreter, so builtin ops alone.
    """
    if Path(path).is_dir():
        import tensorflow as tf

        loaded = tf.saved_model.load(str(path))
        return lambda name: signature_of(loaded, name)
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path), num_threads=1)

    def litert(name: str) -> Callable[[Arrays], Arrays]:
        runner = interpreter.get_signature_runner(name)
        return lambda inputs: dict(runner(**inputs))

    return litert


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


def flex_ops(path: str | Path) -> int:
    """How many kinds of op in a LiteRT file are TensorFlow's own and need the Flex delegate."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAsModel(Path(path).read_bytes(), 0)
    codes = [model.OperatorCodes(i).CustomCode() or b"" for i in range(model.OperatorCodesLength())]
    return sum(code.startswith(b"Flex") for code in codes)


def rows(inputs: Arrays, start: int, stop: int) -> Arrays:
    return {name: x[start:stop] for name, x in inputs.items()}


def count(inputs: Arrays) -> int:
    """How many examples; a signature without inputs has one."""
    return len(next(iter(inputs.values()))) if inputs else 1


def in_batches(run: Callable[[Arrays], Arrays], inputs: Arrays, examples: int, batch: int) -> Arrays:
    outputs = [run(rows(inputs, i, min(i + batch, examples))) for i in range(0, examples, batch)]
    return {name: np.concatenate([y[name] for y in outputs]) for name in outputs[0]}


def one_by_one(run: Callable[[Arrays], Arrays], inputs: Arrays, examples: int) -> Arrays:
    return in_batches(run, inputs, examples, 1)


def at_step(inputs: Arrays, t: int) -> Arrays:
    """What stretches have at one step, and the state as it is."""
    return {name: x if name.startswith(STATE) else x[:, t] for name, x in inputs.items()}


def length(inputs: Arrays) -> int:
    return next(x.shape[1] for name, x in inputs.items() if not name.startswith(STATE))


def stepped(run: Callable[[Arrays], Arrays], inputs: Arrays) -> Arrays:
    """A step over whole stretches, each handing its state to the next; outputs with time as second axis."""
    outputs: list[Arrays] = []
    for t in range(length(inputs)):
        outputs.append(run(at_step(inputs, t)))
        inputs = {name: outputs[-1].get(name, x) if name.startswith(STATE) else x for name, x in inputs.items()}
    return {
        name: y if name.startswith(STATE) else np.stack([step[name] for step in outputs], axis=1)
        for name, y in outputs[-1].items()
    }


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
    litert = not Path(model).is_dir()
    measured: dict = {"examples": {}}
    if litert:
        measured["flex_ops"] = flex_ops(model)
        if measured["flex_ops"]:
            return measured
    named = opened(model)
    for job in jobs:
        name, inputs_path, outputs_path, *steps = job.split("=")
        inputs: Arrays = dict(np.load(inputs_path))
        run, examples = named(name), count(inputs)
        if litert or "latency_ms" not in measured:
            latency = latency_ms(run, at_step(inputs, 0) if steps else inputs)
            measured.setdefault("latency_ms", latency)
        answer = partial(stepped, run) if steps else run
        if litert:
            a_call = length(inputs) if steps else 1
            affordable = [n for n in COUNTS if n * latency < 1e3 * BUDGET] or COUNTS[-1:]
            outputs = one_by_one(answer, inputs, min(examples, max(1, affordable[0] // a_call)))
        else:
            outputs = in_batches(answer, inputs, examples, BATCH)
        np.savez(outputs_path, **outputs)  # type: ignore[arg-type]
        measured["examples"][name] = len(next(iter(outputs.values())))
    return measured


if __name__ == "__main__":
    try:
        answer = main(*sys.argv[1:])
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"}
    print(json.dumps(answer))
