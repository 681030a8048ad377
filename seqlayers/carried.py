"""Truncated backpropagation through time by plain `fit`: the state goes on from batch to batch, the gradient not."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops, tree

from seqlayers.model import SequenceModel


class Carried(keras.Model):
    r"""A sequence model that begins each batch with the state in which it ended the one before.

    A long sequence comes in chunks \(k = 1, 2, …\), row i of a batch continuing row i of the one before:

    \[ y_k, s_k = f(x_k, \mathrm{stop}(s_{k-1})) \]

    so that the state reaches back as far as the sequence goes, and the gradient no further than the chunk. Rows that
    begin a new sequence are reset alone. States of training and of evaluation are kept apart, so that validation in
    mid-training changes nothing. The weights are the model's own: save, export and stream that.

    Args:
        model: a `SequenceModel` all of whose kinds stream. It is built by the first call.
        batch_size: rows of every batch.

    Call arguments:
        inputs: `{past, reset}`: a chunk (batch, time, features) or ids (batch, time), and a boolean (batch,), True for
            rows that begin a new sequence.

    Returns:
        The model's output for the chunk.

    Raises:
        Refused: a kind of the model does not stream, by its name.
        ValueError: a batch has not `batch_size` rows.

    Williams and Peng 1990, An efficient gradient-based algorithm for on-line training of recurrent network
    trajectories.
    """

    def __init__(self, model: SequenceModel, batch_size: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.model, self.batch_size = model, batch_size

    @property
    def loss_function(self) -> Any:
        return self.model.loss_function

    def build(self, input_shape: Any) -> None:
        past = tuple(input_shape["past"])
        if not self.model.built:
            self.model(keras.KerasTensor(past, "int32" if len(past) == 2 else None))
        state = self.model.initial_state(self.batch_size)
        self.kept = {
            part: [
                self.add_weight(
                    name=f"{part}_state_{i}",
                    shape=tuple(s.shape),
                    dtype=keras.backend.standardize_dtype(s.dtype),
                    initializer="zeros",
                    trainable=False,
                    autocast=False,
                )
                for i, s in enumerate(tree.flatten(state))
            ]
            for part in ("training", "evaluation")
        }

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        rows = inputs["past"].shape[0]
        if rows not in (None, self.batch_size):
            raise ValueError(
                f"Carried keeps a state for each of {self.batch_size} rows, but was given a batch of {rows}. Fill the "
                "last batch up, with targets of −1, or leave it out."
            )
        reset = ops.reshape(inputs["reset"], (self.batch_size,))
        fresh = self.model.initial_state(self.batch_size)
        kept = self.kept["training" if training else "evaluation"]
        before = [
            ops.where(ops.reshape(reset, (-1, *(1 for _ in new.shape[1:]))), new, ops.stop_gradient(old))
            for new, old in zip(tree.flatten(fresh), kept, strict=True)
        ]
        y, after = self.model.stream(inputs["past"], tree.pack_sequence_as(fresh, before), training=training)
        for variable, value in zip(kept, tree.flatten(after), strict=True):
            variable.assign(ops.stop_gradient(value))
        return y
