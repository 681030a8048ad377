"""Running combinations over time, for poolings that stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops

Tensors = tuple[Any, ...]


def continued(state: Tensors, elements: Tensors, combine: Callable[[Tensors, Tensors], Tensors]) -> Tensors:
    """s ∘ e_1, s ∘ e_1 ∘ e_2, …: what a state has become at each step, in log₂(time) passes over all steps at once.

    Args:
        state: s, a tuple of tensors (batch, …).
        elements: the e_t, a tuple of tensors (batch, time, …).
        combine: ∘, associative, of a stretch of steps and the stretch right after it.
    """
    found = tuple(ops.concatenate([s[:, None], e], axis=1) for s, e in zip(state, elements, strict=True))

    def double(shift: Any, found: Tensors) -> Tensors:
        after = combine(tuple(f[:, :-shift] for f in found), tuple(f[:, shift:] for f in found))
        return tuple(ops.concatenate([f[:, :shift], a], axis=1) for f, a in zip(found, after, strict=True))

    steps, shift = found[0].shape[1], 1
    if steps is None:
        steps = ops.shape(found[0])[1]
        _, *found = ops.while_loop(
            lambda shift, *_: shift < steps,
            lambda shift, *found: (2 * shift, *double(shift, found)),
            (ops.ones((), "int32"), *found),
        )
    else:
        while shift < steps:
            found, shift = double(shift, found), 2 * shift
    return tuple(f[:, 1:] for f in found)
