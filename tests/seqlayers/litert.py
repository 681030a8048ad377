"""A kind as a LiteRT file on builtin operations alone, run by the LiteRT interpreter."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from keras import tree

from seqlayers.testing import Example


def convert(function: Callable[..., Any], layer: Any, *inputs: np.ndarray, int8: bool = False) -> bytes:
    """`function` as a LiteRT file, weights in eight bits with `int8`; raises if an operation is not builtin."""
    signature = [tf.TensorSpec(x.shape, x.dtype, name=f"input_{i}") for i, x in enumerate(inputs)]
    archive = keras.export.ExportArchive()
    archive.track(layer)
    archive.add_endpoint(
        "serve", lambda *given: {f"output_{i}": y for i, y in enumerate(tree.flatten(function(*given)))}, signature
    )
    with tempfile.TemporaryDirectory() as folder:
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        converter.optimizations = [tf.lite.Optimize.DEFAULT] if int8 else []
        return converter.convert()


def run(file: bytes, *inputs: np.ndarray) -> list[np.ndarray]:
    """The flattened outputs of a LiteRT file."""
    runner = Interpreter(model_content=file, num_threads=1).get_signature_runner()
    found = runner(**{f"input_{i}": x for i, x in enumerate(inputs)})
    return [found[f"output_{i}"] for i in range(len(found))]


def whole(example: Example) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """(LiteRT's, Keras's) output for a batch of one."""
    layer, beside = example.layer(), example.beside(1)
    inputs = [example.input()[:1], *beside.values()]

    def call(x: Any, *values: Any) -> Any:
        return example.call(layer, x, beside=dict(zip(beside, values, strict=True)))

    return run(convert(call, layer, *inputs), *inputs), [np.asarray(call(*inputs))]


def one_step(example: Example) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """(LiteRT's, Keras's) output and state of a streaming step, the state going in and coming out."""
    layer, x = example.layer(), example.input()[:1]
    state = example.initial_state(layer, 1)
    _, state = layer.stream(tf.constant(x[:, :5]), state)
    values = [np.asarray(s) for s in tree.flatten(state)]

    def step(x_t: Any, *flat: Any) -> Any:
        y, after = layer.step(x_t, tree.pack_sequence_as(state, list(flat)))
        return [y, *tree.flatten(after)]

    expected = step(tf.constant(x[:, 5]), *map(tf.constant, values))
    return run(convert(step, layer, x[:, 5], *values), x[:, 5], *values), [np.asarray(v) for v in expected]


def in_eight_bits(example: Example) -> tuple[np.ndarray, np.ndarray, float]:
    """(LiteRT's output with weights in eight bits, Keras's, the int8 file's share of the float file's bytes)."""
    layer, x = example.layer(), example.input()[:1]
    for weight in (
        [] if example.adapted else layer.weights
    ):  # as large as trained ones, so that a recurrence does not amplify what is rounded
        weight.assign(weight * (3 / np.sqrt(max(1, math.prod(weight.shape[:-1])))))
    inputs = [x, *example.beside(1).values()]

    def call(x: Any, *values: Any) -> Any:
        return example.call(layer, x, beside=dict(zip(example.beside(1), values, strict=True)))

    files = [convert(call, layer, *inputs, int8=int8) for int8 in (True, False)]
    return run(files[0], *inputs)[0], np.asarray(call(*inputs)), len(files[0]) / len(files[1])
