"""Any mask as padding on the right, which is the only one that can be left to run on after the last real step."""

from __future__ import annotations

from typing import Any

from keras import ops


def gather_real(x: Any, mask: Any) -> tuple[Any, Any]:
    """x (batch, time, features) with its real steps moved to the front, and where each step's output stands then.

    A causal layer's outputs at the front are those that it has when it leaves out what is masked.
    """
    real = ops.cast(mask, "int32")
    time = ops.shape(real)[1]
    order = ops.argsort(ops.arange(time, dtype="int32") + time * (1 - real), axis=1)
    return ops.take_along_axis(x, ops.expand_dims(order, -1), axis=1), ops.cumsum(real, axis=1) - 1


def spread_real(y: Any, places: Any) -> Any:
    """Outputs back at their steps; a masked step has that of the last real one before it, or zeros."""
    there = ops.take_along_axis(y, ops.expand_dims(ops.maximum(places, 0), -1), axis=1)
    return ops.where(ops.expand_dims(places >= 0, -1), there, ops.zeros_like(there))
