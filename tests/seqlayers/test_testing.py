"""The harness finds the faults it is there for."""

from __future__ import annotations

from typing import Any

import keras
import pytest
from keras import ops

from seqlayers import slots
from seqlayers.slots import Kind
from seqlayers.testing import check_kind


class Fault(Kind):
    """A projection without a fault; each subclass has one."""

    def __init__(self, units: int = 3, **kwargs: Any):
        super().__init__(**kwargs)
        self.units = units
        self.dense = keras.layers.Dense(units, dtype=self.dtype_policy)

    def build(self, input_shape):
        self.dense.build(input_shape)

    def call(self, x, mask=None, training=None):
        return self.dense(x)

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask


class LooksAhead(Fault):
    def call(self, x, mask=None, training=None):
        return self.dense(x + ops.flip(x, axis=1))


class SeesPadding(Fault):
    def call(self, x, mask=None, training=None):
        return self.dense(x) + ops.mean(x, axis=(1, 2), keepdims=True)


class LosesTheMask(Fault):
    def compute_mask(self, inputs, previous_mask=None):
        return None if previous_mask is None else previous_mask[:, ::2]


class FixesItsLength(Fault):
    def call(self, x, mask=None, training=None):
        return self.dense(x) * (x.shape[1] or 0)


class Overflows(Fault):
    def call(self, x, mask=None, training=None):
        return self.dense(x) * 1e6


class ForgetsItsState(Fault):
    def initial_state(self, batch):
        return ops.zeros((batch, self.units))

    def call(self, x, mask=None, training=None):
        return ops.cumsum(self.dense(x), axis=1)


class ChangesItsState(Fault):
    def initial_state(self, batch):
        return ops.zeros((batch, 0, 4))

    def stream(self, x, state, training=None):
        return self.dense(x), ops.concatenate([state, x], axis=1)


class ForgetsASetting(Fault):
    def settings(self):
        return {}


class RefusesWithoutRefusing(Fault):
    def refusals(self):
        return {"streams": "it says so"}

    def initial_state(self, batch):
        return ()


class RefusesNamelessly(Fault):
    def refusals(self):
        return {"streams": "it says so"}

    def initial_state(self, batch):
        raise ValueError("no")


class RefusesWhatIsNot(Fault):
    def refusals(self):
        return {"flies": "it has no wings"}


@pytest.fixture
def published():
    """Publish a class as an encoder kind for the length of a test."""
    names = []

    def publish(cls):
        own = type(cls.__name__, (cls,), {"__init__": cls.__init__, "__module__": __name__})
        names.append(f"fault_{cls.__name__.lower()}")
        slots.kind("encoder", names[-1])(own)
        return {"kind": names[-1]}

    yield publish
    for name in names:
        slots._CATALOGUE["encoder"].pop(name)


def test_a_kind_without_a_fault_passes(published):
    check_kind("encoder", published(Fault))


@pytest.mark.parametrize(
    "fault, check, message",
    [
        (LooksAhead, "causal", "outputs before step 8 see it"),
        (SeesPadding, "masks", "padding changes real outputs"),
        (LosesTheMask, "masks", "marks other steps"),
        (FixesItsLength, "dynamic_time", "through an open length differ"),
        (Overflows, "mixed_precision", "is not finite"),
        (ForgetsItsState, "streams", "differ from the whole"),
        (ChangesItsState, "streams", "the state changes from"),
        (ForgetsASetting, "round_trip", "not the constructor's arguments"),
        (RefusesWithoutRefusing, "streams", "nothing was raised"),
        (RefusesNamelessly, "streams", "does not name"),
        (RefusesWhatIsNot, "streams", "capabilities that do not exist"),
    ],
)
def test_a_fault_is_found(published, fault, check, message):
    configuration = published(fault)
    with pytest.raises(AssertionError, match=message):
        check_kind("encoder", configuration, only=[check])
