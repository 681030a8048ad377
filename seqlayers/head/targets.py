"""What heads of classes, tokens and notes are called with: features, targets and their padding, uniform numbers."""

from __future__ import annotations

from typing import Any

from keras import ops

from seqlayers.arguments import known_value
from seqlayers.slots import Kind

#: The target of a step that is padding.
PADDING = -1


def check_axes(layer: Kind, shape: Any, ahead: Any = None) -> int:
    """The number of features; more axes than the head takes, and what is known ahead, are refused."""
    shape, name = tuple(shape), f"head '{layer.kind}'"
    if ahead is not None:
        raise ValueError(f"{name} has no use for what is known `ahead`; leave it out, or use head 'forecast'.")
    if not layer.per_step and len(shape) != 2:
        raise ValueError(
            f"{name} takes features (batch, features), but was given {shape}. For one answer a sequence put a pooling "
            "before it, such as `pooling: {kind: last}`; for an answer a step use head 'tag'."
        )
    if layer.per_step and len(shape) not in (2, 3):
        raise ValueError(
            f"{name} takes a sequence (batch, time, features), or a step (batch, features), but was given {shape}."
        )
    if shape[-1] is None:
        raise ValueError(f"{name} needs a known number of features, but was given {shape}.")
    return shape[-1]


def check_shape(layer: Kind, what: str, given: Any, expected: Any, advice: str = "") -> None:
    """Refuse a tensor that cannot have the expected shape; axes of unknown length fit any."""
    shape, expected = tuple(given.shape), tuple(expected)
    fits = len(shape) == len(expected)
    if not fits or any(a != b for a, b in zip(shape, expected, strict=True) if None not in (a, b)):
        raise ValueError(
            f"head '{layer.kind}' takes {what} of shape {expected} here, but was given {shape}. {advice}".rstrip()
        )


def check_uniforms(layer: Kind, uniforms: Any, expected: Any) -> Any:
    """Uniform numbers as a tensor; a wrong shape is refused, and numbers outside [0, 1) where they are known."""
    uniforms = ops.convert_to_tensor(uniforms)
    check_shape(layer, "uniform numbers", uniforms, expected)
    values = known_value(uniforms)
    if values is not None and not ((values >= 0) & (values < 1)).all():
        raise ValueError(
            f"head '{layer.kind}' takes uniform numbers in [0, 1), but was given {values.min()} … {values.max()}."
        )
    return uniforms


def shares_of_mean(value: Any, real: Any) -> Any:
    """Each row's share in the mean of `value` where `real`, both (batch, …): (batch,), whose mean that is; 0 for none.

    A value for each row is what Keras weighs by sample, and divides among replicas.
    """
    rows = ops.sum(ops.where(real, value, ops.zeros_like(value)), axis=tuple(range(1, len(value.shape))))
    count = ops.maximum(ops.sum(ops.cast(real, value.dtype)), 1)
    return rows * (ops.cast(ops.shape(value)[0], value.dtype) / count)
