"""The proof: a file, run by a process that never saw the model, gives what Keras gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipelines.export.process import ProcessFailed, fresh
from pipelines.export.saved_model import portable
from pipelines.export.servable import Arrays, ExportError, ExportRow, Servable

RUNNER = Path(__file__).with_name("runner.py")

#: The largest |a − b| / max(1, |b|) at which a float export equals the model. Where the units are small (sales of
#: thousands that touch zero, watts), the rounding of float32 alone exceeds it near zero, so that it may also hold with
#: the output's standard deviation in the place of the 1; the row's note then says so.
TOLERANCE = 1e-5
#: How much worse an int8 export's metric may be, relative to Keras on the same examples.
INT8_LOSS = 0.01

BATCH = 500


@dataclass(frozen=True)
class Reference:
    """Held-out examples and what Keras says of them."""

    inputs: Arrays
    outputs: Arrays
    truth: np.ndarray
    metric: Callable[[Arrays, np.ndarray], float]

    @classmethod
    def of(cls, servable: Servable, count: int, seed: int) -> Reference:
        """Run the model itself, op by op on the CPU, so that nothing is shared with the graph that is exported."""
        import tensorflow as tf

        inputs, truth = servable.examples(count, seed)
        if not len(truth):
            raise ExportError(f"'{servable.name}' has no held-out examples on which an export could be proven.")
        batches = []
        with tf.device("CPU:0"), portable(servable.models()):
            for i in range(0, len(truth), BATCH):
                served = servable.serve({name: tf.constant(x[i : i + BATCH]) for name, x in inputs.items()})
                batches.append({name: y.numpy() for name, y in served.items()})
        outputs = {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
        return cls(inputs, outputs, truth, servable.metric)


def difference(got: Arrays, expected: Arrays) -> float:
    """max |a − b| / max(1, |b|) over every value of every output.

    Whole numbers (times, ids) count with |a − b| itself, since they have no rounding to be excused; anything
    missing, misshapen or not finite is infinitely wrong.
    """
    if got.keys() != expected.keys():
        return float("inf")
    return max(float(_error(got[name], expected[name], floor=1.0)) for name in expected)


def _error(a: np.ndarray, b: np.ndarray, floor: float) -> float:
    if a.shape != b.shape or not np.all(np.isfinite(a)):
        return float("inf")
    if np.issubdtype(b.dtype, np.integer):
        return float(np.max(np.abs(a - b)))
    a, b = a.astype(np.float64), b.astype(np.float64)
    return float(np.max(np.abs(a - b) / np.maximum(floor, np.abs(b))))


def check(format: str, path: Path, reference: Reference, work: Path) -> ExportRow:
    """Run the file in a fresh process on the reference's inputs (saved in `work`) and judge what comes out."""
    row = ExportRow(format, "failed", size_kib=size_kib(path))
    given, came = work / "inputs.npz", work / f"{format}.npz"
    try:
        measured = fresh(RUNNER, path, given, came)
    except ProcessFailed as error:
        return replace(row, note=f"It does not run: {error}.")
    count, flex = measured["examples"], measured.get("flex_ops")
    if flex:
        return replace(row, flex_ops=flex, note=f"It needs {flex} TensorFlow ops that LiteRT does not have.")
    outputs = dict(np.load(came))
    expected = {name: y[:count] for name, y in reference.outputs.items()}
    truth = reference.truth[:count]
    found = difference(outputs, expected)
    row = replace(
        row,
        max_error=found if np.isfinite(found) else None,
        latency_ms=measured["latency_ms"],
        flex_ops=flex,
        metric_keras=reference.metric(expected, truth),
        note="" if count == len(reference.truth) else f"{count:,} of {len(reference.truth):,} examples run.",
    )
    if row.max_error is None:
        return replace(row, note="Its outputs have other names or shapes than the model's, or are not finite.")
    row = replace(row, metric=reference.metric(outputs, truth))
    return judge(row, outputs, expected)


def judge(row: ExportRow, outputs: Arrays, expected: Arrays) -> ExportRow:
    """`proven` or `failed`, and the sentence that says why."""
    assert row.max_error is not None and row.metric is not None and row.metric_keras is not None
    whole = [name for name, y in expected.items() if np.issubdtype(y.dtype, np.integer)]
    wrong = [name for name in whole if not np.array_equal(outputs[name], expected[name])]
    if wrong:
        return replace(row, note=f"{', '.join(wrong)}: not the model's whole numbers.")
    if row.format == "litert_int8":
        if row.metric <= row.metric_keras * (1 + INT8_LOSS):
            return replace(row, status="proven")
        loss = 100 * (row.metric / row.metric_keras - 1) if row.metric_keras else float("inf")
        return replace(row, note=f"Its metric is {loss:.1f} % worse than the model's, and {INT8_LOSS:.0%} is allowed.")
    if row.max_error <= TOLERANCE:
        return replace(row, status="proven")
    floats = [(outputs[name], y) for name, y in expected.items() if name not in whole]
    in_spreads = max(_error(a, b, floor=max(1.0, float(np.std(b)))) for a, b in floats)
    if in_spreads <= TOLERANCE:
        note = f"{row.note} In spreads of the output the error is {in_spreads:.1e}.".strip()
        return replace(row, status="proven", note=note)
    return replace(row, note=f"It differs from the model by {row.max_error:.1e}, and {TOLERANCE:.0e} is allowed.")


def size_kib(path: Path) -> float:
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return sum(p.stat().st_size for p in files) / 1024
