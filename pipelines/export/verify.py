"""The proof: a file, run by a process that never saw the model, gives what Keras gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.export import runner
from pipelines.export.process import ProcessFailed, fresh
from pipelines.export.saved_model import portable
from pipelines.export.servable import SIGNATURE, Arrays, Endpoint, ExportError, ExportRow, Servable

if TYPE_CHECKING:
    import keras

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
    """Held-out examples of one endpoint and what Keras says of them; `file` holds the inputs for other processes.

    `steps`: the endpoint is one step of a stream, and its examples are stretches.
    """

    inputs: Arrays
    outputs: Arrays
    truth: np.ndarray
    metric: Callable[[Arrays, np.ndarray], float]
    file: Path
    steps: bool = False

    @classmethod
    def of(cls, endpoint: Endpoint, models: list[keras.Model], count: int, seed: int, file: Path) -> Reference:
        """Run the model itself, op by op on the CPU, so that nothing is shared with the graph that is exported.

        A step of a stream, which is run for each step of the stretches, has a graph, of its own.
        """
        import tensorflow as tf

        inputs, truth = endpoint.examples(count, seed)
        if not len(truth):
            raise ExportError("There are no held-out examples on which an export could be proven.")

        serve: Any = endpoint.serve
        if endpoint.steps:
            serve = tf.function(endpoint.serve, autograph=False, reduce_retracing=True)

        def run(given: Arrays) -> Arrays:
            served = serve({name: tf.constant(x) for name, x in given.items()})
            return {name: runner.plain(y.numpy()) for name, y in served.items()}

        with tf.device("CPU:0"), portable(models):
            answer = partial(runner.stepped, run) if endpoint.steps else run
            outputs = runner.in_batches(answer, inputs, len(truth), BATCH)
        np.savez(file, **inputs)  # type: ignore[arg-type]
        return cls(inputs, outputs, truth, endpoint.metric, file, endpoint.steps)


#: References of the signatures of one file, by name.
References = Mapping[str, Reference]


def references(
    servable: Servable, folder: Path, count: int, seed: int, *, device: bool
) -> tuple[References, References]:
    """Those of the SavedModel, and those of a LiteRT file where one is wanted; inputs are written into `folder`."""

    known: dict[int, Reference] = {}  # an endpoint of both is run once

    def of(endpoint: Endpoint) -> Reference:
        if id(endpoint) not in known:
            file = folder / f"inputs_{len(known)}.npz"
            known[id(endpoint)] = Reference.of(endpoint, servable.models(), count, seed, file)
        return known[id(endpoint)]

    served, own = {SIGNATURE: servable, **servable.beside()}, servable.on_device() if device else {}
    return {name: of(e) for name, e in served.items()}, {name: of(e) for name, e in own.items()}


def difference(got: Arrays, expected: Arrays) -> float:
    """max |a − b| / max(1, |b|) over every value of every output.

    Whole numbers (times, ids) count with |a − b| itself, since they have no rounding to be excused, and texts as 1
    where they differ; anything missing, misshapen or not finite is infinitely wrong.
    """
    if got.keys() != expected.keys():
        return float("inf")
    return max(float(_error(got[name], expected[name], floor=1.0)) for name in expected)


def _error(a: np.ndarray, b: np.ndarray, floor: float) -> float:
    if a.shape != b.shape:
        return float("inf")
    if b.dtype.kind == "S":
        return float(np.any(a != b))
    if not np.all(np.isfinite(a)):
        return float("inf")
    if np.issubdtype(b.dtype, np.integer):
        return float(np.max(np.abs(a - b), initial=0))
    a, b = a.astype(np.float64), b.astype(np.float64)
    return float(np.max(np.abs(a - b) / np.maximum(floor, np.abs(b)), initial=0))


def check(format: str, path: Path, references: References, work: Path) -> ExportRow:
    """Run the file in a fresh process on the references' inputs and judge what comes out.

    The figures of the row are those of the first reference's signature, its error the largest of all.
    """
    row = ExportRow(format, "failed", size_kib=size_kib(path))
    came = {name: work / f"{format}_{name}.npz" for name in references}
    jobs = [f"{name}={r.file}={came[name]}{'=steps' * r.steps}" for name, r in references.items()]
    try:
        measured = fresh(RUNNER, path, *jobs)
    except ProcessFailed as error:
        return replace(row, note=f"It does not run: {error}.")
    flex = measured.get("flex_ops")
    if flex:
        return replace(row, flex_ops=flex, note=f"It needs {flex} TensorFlow ops that LiteRT does not have.")
    row = replace(row, latency_ms=measured["latency_ms"], flex_ops=flex)
    rows = [
        _compare(row, dict(np.load(came[name])), reference, measured["examples"][name])
        for name, reference in references.items()
    ]
    for name, found in zip(references, rows, strict=True):
        if found.status == "failed":
            return replace(found, note=f"{name}: {found.note}" if len(rows) > 1 else found.note)
    return replace(rows[0], max_error=max(found.max_error or 0.0 for found in rows))


def _compare(row: ExportRow, outputs: Arrays, reference: Reference, count: int) -> ExportRow:
    """The row with what one signature gave of the reference's first `count` examples."""
    expected = {name: y[:count] for name, y in reference.outputs.items()}
    truth = reference.truth[:count]
    found = difference(outputs, expected)
    row = replace(
        row,
        max_error=found if np.isfinite(found) else None,
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
    exact = [name for name, y in expected.items() if np.issubdtype(y.dtype, np.integer) or y.dtype.kind == "S"]
    wrong = [name for name in exact if not np.array_equal(outputs[name], expected[name])]
    if wrong:
        return replace(row, note=f"{', '.join(wrong)}: not exactly the model's.")
    if row.format == "litert_int8":
        if row.metric <= row.metric_keras * (1 + INT8_LOSS):
            return replace(row, status="proven")
        loss = 100 * (row.metric / row.metric_keras - 1) if row.metric_keras else float("inf")
        return replace(row, note=f"Its metric is {loss:.1f} % worse than the model's, and {INT8_LOSS:.0%} is allowed.")
    if row.max_error <= TOLERANCE:
        return replace(row, status="proven")
    floats = [(outputs[name], y) for name, y in expected.items() if name not in exact]
    in_spreads = max(_error(a, b, floor=max(1.0, float(np.std(b)))) for a, b in floats)
    if in_spreads <= TOLERANCE:
        note = f"{row.note} In spreads of the output the error is {in_spreads:.1e}.".strip()
        return replace(row, status="proven", note=note)
    return replace(row, note=f"It differs from the model by {row.max_error:.1e}, and {TOLERANCE:.0e} is allowed.")


def size_kib(path: Path) -> float:
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return sum(p.stat().st_size for p in files) / 1024
