"""A kind as a LiteRT file on builtin operations alone, run by the LiteRT interpreter."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from keras import tree

from seqlayers.testing import Example


def run(function: Callable[..., Any], layer: Any, *inputs: np.ndarray) -> list[np.ndarray]:
    """The outputs of `function(*inputs)`, flattened, from its conversion; raises if an operation is not builtin."""
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
        runner = Interpreter(model_content=converter.convert(), num_threads=1).get_signature_runner()
    found = runner(**{f"input_{i}": x for i, x in enumerate(inputs)})
    return [found[f"output_{i}"] for i in range(len(found))]


def whole(example: Example) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """(LiteRT's, Keras's) output for a batch of one."""
    layer, beside = example.layer(), example.beside(1)
    inputs = [example.input()[:1], *beside.values()]

    def call(x: Any, *values: Any) -> Any:
        return example.call(layer, x, beside=dict(zip(beside, values, strict=True)))

    return run(call, layer, *inputs), [np.asarray(call(*inputs))]


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
    return run(step, layer, x[:, 5], *values), [np.asarray(v) for v in expected]
