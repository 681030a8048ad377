"""What every generator exports: its state before the first step, and what is said of the stream."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from pipelines.export.servable import STATE, Arrays, Endpoint, Servable
from pipelines.task import Candidate
from pipelines.tasks.context import context_of
from seqlayers.model import SequenceModel
from seqlayers.slots import ConfigurationError, Refused

#: The most steps that one call generates.
LONGEST = 100_000
#: Numbers that the outputs of one call of a proof may have.
NUMBERS = 20_000_000
#: The state of a model that remembers nothing: how many steps there have been.
CLOCK = f"{STATE}0"
#: Rows that are generated in a proof, and the steps of each.
GENERATED, STEPS = 4, 10


class StreamServable(Servable):
    """A model that generates step by step (see `pipelines.export.servable.Servable`).

    A model whose kinds do not stream has `serving_default` alone; the contract then says why, as `no_stream`.

    Attributes:
        model: what is exported.
        no_stream: why it has no step; None where it has one.
        context: the longest stream that its kinds can take; None: any.

    Raises:
        TypeError: the candidate is no model, and no graph can hold it.
    """

    metric_name = "nats"

    def __init__(self, name: str, candidate: Candidate, data: Any, unit: str):
        if not isinstance(candidate.predictor, SequenceModel):
            raise TypeError(f"'{candidate.name}' cannot be exported: only a SequenceModel can.")
        self.name, self.data, self.unit = name, data, unit
        self.model: SequenceModel = candidate.predictor
        self.context = context_of(self.model)
        self.no_stream: str | None = None
        try:
            self.structure = self.first_state()
        except (Refused, ConfigurationError) as error:
            self.no_stream = str(error)

    def first_state(self) -> Any:
        """The state of one row before its first step, as nested as the model has it."""
        return self.model.initial_state(1)

    def models(self) -> list[Any]:
        return [self.model]

    @property
    def window(self) -> int:
        """Steps of a stretch in the proofs."""
        return min(self.data.options.window, self.context or self.data.options.window)

    def start(self, *, alone: bool = False) -> Endpoint:
        """`initial_state`; `alone` for a device, which has one row."""
        return Start(self, alone)

    @abstractmethod
    def one_step(self, start: Endpoint) -> Endpoint: ...

    @abstractmethod
    def generation(self) -> Endpoint: ...

    @abstractmethod
    def whole(self) -> Endpoint:
        """What a device has of a model that does not stream."""

    def beside(self) -> dict[str, Endpoint]:
        if self.no_stream:
            return {"score": self}
        return {"score": self, "generate": self.generation(), "step": self._step, "initial_state": self._step.start}

    def device(self) -> dict[str, Endpoint]:
        if self.no_stream:
            return {"window": self.whole()}
        return {"step": self._step, "initial_state": self.start(alone=True)}

    @cached_property
    def _step(self) -> Any:
        return self.one_step(self.start())

    def packed(self, inputs: dict[str, tf.Tensor]) -> Any:
        """The state among the inputs, as the model has it."""
        count = len(keras.tree.flatten(self.structure))
        return keras.tree.pack_sequence_as(self.structure, [inputs[f"{STATE}{i}"] for i in range(count)])

    def stepped(self, x: tf.Tensor, inputs: dict[str, tf.Tensor]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """A step from the state among the inputs → the output, and the state after it by name."""
        output, state = self.model.step(x, self.packed(inputs))
        return output, named(state) or {CLOCK: inputs[CLOCK] + 1}

    def stream_contract(self) -> dict[str, Any]:
        """What a caller must know of every generator."""
        state = [] if self.no_stream else list(state_specs(self.start(), None).values())
        device = [] if self.no_stream else list(state_specs(self.start(alone=True), 1).values())
        return {
            "family": "generate",
            "task": self.name,
            "sample": self.data.source.sample,
            "unit": self.unit,
            "options": self.data.options.model_dump(mode="json"),
            "context": self.context,
            "longest": LONGEST,
            "no_stream": self.no_stream,
            "state": [_said(spec) for spec in state],
            "device_state": [_said(spec) for spec in device],
        }


class Start(Endpoint):
    """`rows`, any numbers, one a row → the state of each row before its first step; alone: nothing → of one row."""

    def __init__(self, of: StreamServable, alone: bool):
        self.of, self.alone = of, alone

    def signature(self, batch: int | None) -> dict[str, tf.TensorSpec]:
        return {} if self.alone else {"rows": tf.TensorSpec([batch], tf.int32, "rows")}

    def serve(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        rows = 1 if self.alone else tf.shape(inputs["rows"])[0]
        return named(self.of.model.initial_state(rows)) or {CLOCK: tf.zeros((rows,), tf.int32)}

    def examples(self, count: int, seed: int) -> tuple[Arrays, np.ndarray]:
        return ({}, np.zeros(1)) if self.alone else ({"rows": np.zeros(GENERATED, "int32")}, np.zeros(GENERATED))

    def metric(self, outputs: Arrays, truth: np.ndarray) -> float:
        return 0.0


def named(state: Any) -> dict[str, Any]:
    """A state's tensors by the names that signatures have for them."""
    return {f"{STATE}{i}": tf.convert_to_tensor(x) for i, x in enumerate(keras.tree.flatten(state))}


def state_specs(start: Endpoint, batch: int | None) -> dict[str, tf.TensorSpec]:
    """The state's tensors as the inputs of a step, by name."""
    given = tf.function(lambda **inputs: start.serve(inputs), autograph=False)
    found = given.get_concrete_function(**start.signature(batch)).structured_outputs
    return {name: tf.TensorSpec(x.shape, x.dtype, name) for name, x in found.items()}


def before(start: Endpoint, rows: int, **inputs: np.ndarray) -> Arrays:
    """The state of some rows before their first step, as arrays."""
    specs = start.signature(rows)
    given = {name: tf.constant(inputs.get(name, np.zeros(rows, "int32"))) for name in specs}
    found = {name: x.numpy() for name, x in start.serve(given).items()}
    return {name: x if specs else np.repeat(x, rows, axis=0) for name, x in found.items()}


def require(*conditions: tuple[Any, str]) -> tf.Operation | Any:
    """A context in which all conditions hold, or the call fails with the message of the one that does not."""
    return tf.control_dependencies(
        [op for ok, message in conditions if (op := tf.debugging.assert_equal(ok, True, message)) is not None]
    )


def drawable(temperature: tf.Tensor, length: tf.Tensor) -> list[tuple[tf.Tensor, str]]:
    """What every generation needs of its settings."""
    return [
        (tf.reduce_all(temperature > 0), "temperature must be above 0; for the likeliest each time, top_k 1"),
        (tf.reduce_all((length >= 1) & (length <= LONGEST)), f"length must be from 1 to {LONGEST:,}"),
    ]


def _said(spec: tf.TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "shape": spec.shape.as_list(), "dtype": spec.dtype.name}
