"""An example of a kind: one configuration, with seeded weights and inputs, called as a row would call it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from seqlayers import slots
from seqlayers.kind import Kind


@dataclasses.dataclass(frozen=True)
class Example:
    """A kind in one configuration, with seeded weights and inputs that are the same on every backend.

    Args:
        slot, configuration: what is built.
        time, features, batch: shape of the input.
        vocabulary: the inputs are ids below it; None: they are readings.
        known: for heads, how many features of the horizon are known ahead.
        pooled: for heads, whether the input is (batch, features) instead of a sequence.
        position: for kinds that attend, the position kind that acts inside their attention.
        memory: for decoders, the steps of the memory.
        adapted: for heads that are counted, the weights come from `adapt` on inputs and targets, and are not drawn.
    """

    slot: str
    configuration: Mapping[str, Any]
    time: int = 24
    features: int = 4
    batch: int = 3
    vocabulary: int | None = None
    known: int = 0
    pooled: bool = True
    position: Mapping[str, Any] | None = None
    memory: int = 0
    adapted: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the input, without the batch."""
        if self.vocabulary is not None:
            return (self.time,)
        return (self.features,) if self.slot == "head" and self.pooled else (self.time, self.features)

    def layer(self, dtype: str | None = None) -> Kind:
        """The kind, built, its weights drawn from a normal distribution (but for whole numbers), or adapted."""
        layer = slots.build(self.slot, self.configuration)
        if dtype is not None:
            layer = type(layer)(**layer.settings(), dtype=dtype)
        if self.position is not None:
            position = slots.build("position", self.position)
            layer.use_position(position if dtype is None else type(position)(**position.settings(), dtype=dtype))
        self.call(layer, self.input()[:1])
        if self.adapted:
            x = self.input(seed=6)
            layer.adapt([(x, self.target(layer, (*x.shape, 0)))], [])
            return layer
        rng = np.random.default_rng(1)
        for weight in layer.weights:
            if "int" in weight.dtype:
                continue
            weight.assign(rng.normal(scale=0.3, size=weight.shape))
        return layer

    def input(self, seed: int = 0, time: int | None = None) -> np.ndarray:
        shape = (self.batch, *(self.shape if time is None else (time, *self.shape[1:])))
        rng = np.random.default_rng(seed)
        if self.vocabulary is not None:
            padding = int(bool(self.configuration.get("mask_zero")))
            return rng.integers(padding, self.vocabulary, shape).astype("int32")
        return rng.normal(size=shape).astype("float32")

    def beside(self, batch: int) -> dict[str, np.ndarray]:
        """What the kind is called with beside its input: what is known ahead, or the memory."""
        rng = np.random.default_rng(2)
        if self.known:
            return {"ahead": rng.normal(size=(batch, self.configuration["horizon"], self.known)).astype("float32")}
        if self.memory:
            return {"memory": rng.normal(size=(batch, self.memory, self.features)).astype("float32")}
        return {}

    def call(self, layer: Kind, x: Any, mask: Any = None, training: bool | None = False, beside: Any = None) -> Any:
        """The output of the layer, called as a row calls it."""
        if beside is None:
            beside = self.beside(len(x))
        told = {"mask": mask, "training": training}
        y = layer(x, **{name: value for name, value in told.items() if layer.hears(name)}, **beside)
        return y[0] if self.slot == "normalise" else y

    def initial_state(self, layer: Kind, batch: int) -> Any:
        return layer.initial_state(batch, **self.beside(batch)) if self.memory else layer.initial_state(batch)

    def stepped(self, layer: Kind, x: np.ndarray) -> np.ndarray:
        """x (batch, time, …) one step at a time, from the state before the first."""
        state, found = self.initial_state(layer, len(x)), []
        for t in range(x.shape[1]):
            before = state
            y, state = layer.step(ops.convert_to_tensor(x[:, t]), state)
            same_structure(before, state)
            found.append(np.asarray(ops.convert_to_numpy(y)))
        return np.stack(found, axis=1)

    def model(self, layer: Kind, time: int | None = -1) -> keras.Model:
        """The layer as a functional model, behind a dense one if it takes readings; `time` None leaves it open."""
        shape = self.shape if time == -1 else (time, *self.shape[1:])
        inputs = {"x": keras.Input(shape, name="x", dtype="int32" if self.vocabulary else None)}
        x: Any = inputs["x"]
        if not self.vocabulary:
            x = keras.layers.Dense(self.features, kernel_initializer="identity", name="before")(x)
        inputs |= {name: keras.Input(value.shape[1:], name=name) for name, value in self.beside(1).items()}
        beside = {name: value for name, value in inputs.items() if name != "x"}
        return keras.Model(inputs, self.call(layer, x, training=None, beside=beside))

    def model_inputs(self, x: np.ndarray) -> dict[str, np.ndarray]:
        return {"x": x, **self.beside(len(x))}

    def target(self, layer: Any, output_shape: tuple[int, ...]) -> np.ndarray:
        """Something to train towards: readings, or for heads of ids and notes what they take."""
        rng = np.random.default_rng(3)
        if "pitches" in self.configuration:
            return rng.integers(0, 2, (*output_shape[:-1], layer.pitches)).astype("int32")
        for name in ("classes", "vocabulary"):
            if self.slot == "head" and name in self.configuration:
                return rng.integers(0, self.configuration[name], output_shape[:-1]).astype("int32")
        shape = (output_shape[0], layer.horizon, layer.targets) if self.slot == "head" else output_shape
        return rng.normal(size=shape).astype("float32")


def same_structure(before: Any, after: Any) -> None:
    """A state keeps its nesting, shapes and types, so that a compiled loop can carry it."""
    keras.tree.assert_same_structure(before, after)
    for old, new in zip(keras.tree.flatten(before), keras.tree.flatten(after), strict=True):
        old, new = (keras.backend.standardize_dtype(v.dtype) + str(tuple(v.shape)) for v in (old, new))
        assert old == new, f"the state changes from {old} to {new}"
