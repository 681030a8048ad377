"""Losses of a forecast, a value a sample, in the precision of the variables."""

from __future__ import annotations

from typing import Any, Literal

from keras import ops

PointLoss = Literal["mse", "mae", "huber"]


def point_loss(name: PointLoss, target: Any, output: Any) -> Any:
    r"""Mean over horizon and targets of e², |e| or Huber's (½e² up to |e| = 1, |e| − ½ beyond): (batch,)."""
    error = ops.abs(ops.cast(target, output.dtype) - output)
    if name == "mse":
        value = ops.square(error)
    elif name == "mae":
        value = error
    else:
        value = ops.where(error <= 1, 0.5 * ops.square(error), error - 0.5)
    return ops.mean(value, axis=(1, 2))


def pinball_loss(quantiles: tuple[float, ...], target: Any, output: Any) -> Any:
    r"""Mean over horizon, targets and quantiles q of \(\max(q e, (q - 1) e)\), e = target − output: (batch,)."""
    error = ops.expand_dims(ops.cast(target, output.dtype), -1) - output
    q = ops.convert_to_tensor(quantiles, output.dtype)
    return ops.mean(ops.maximum(q * error, (q - 1) * error), axis=(1, 2, 3))
