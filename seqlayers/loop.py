"""What loops over steps share: what a step is, where its tokens are kept, when a row ends, what is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from keras import ops

from seqlayers.arguments import known_value
from seqlayers.errors import ConfigurationError

#: (token, state) → (output, the next state): `model.step`, or an exported file's.
Step = Callable[[Any, Any], tuple[Any, Any]]
#: How many steps are written before they are put to the others, so that a step's work does not grow with them.
BLOCK = 256


def check_numbers(tokens: Any) -> Any:
    """Refuse what was chosen from no numbers, where it can be looked at."""
    values = known_value(tokens)
    if values is not None and not (values >= 0).all():
        raise ValueError(
            "the model's output is no number: its weights are none, or the stream went beyond an attention's capacity. "
            "Give a shorter prompt or ask for less, or train with a larger `capacity`."
        )
    return tokens


def check_most(most: Any) -> None:
    if isinstance(most, int) and most < 1:
        raise ConfigurationError("most", f"{most} given.", "how many tokens, from 1 on")


def is_stop(token: Any, stop: int | Sequence[int]) -> Any:
    """Which ids end a row, in the ids' shape."""
    stops = np.atleast_1d(np.asarray(stop, "int32"))
    return ops.any(ops.expand_dims(token, -1) == stops, axis=-1)


def put(written: Any, t: Any, value: Any) -> Any:
    """`written` (time, …) with `value` at t."""
    return ops.scatter_update(written, ops.reshape(t, (1, 1)), ops.expand_dims(value, 0))


def blank(most: Any, value: Any) -> list[Any]:
    """Room for `most` values: for all of them in blocks, and the block that is being filled, which alone is copied."""
    shape = ops.shape(value)
    whole = ops.zeros((most // BLOCK + 1, BLOCK, *shape), value.dtype)
    return [whole, ops.zeros((BLOCK, *shape), value.dtype)]


def written_on(written: list[Any], t: Any, value: Any) -> list[Any]:
    """`written` with the value of step t, which follows the last."""
    whole, block = written
    block = put(block, t % BLOCK, value)
    return ops.cond(
        ops.equal(t % BLOCK, BLOCK - 1),
        lambda: [put(whole, t // BLOCK, block), ops.zeros_like(block)],
        lambda: [whole, block],
    )


def complete(written: list[Any], t: Any, most: Any) -> Any:
    """All values, (most, …), of which t have been written."""
    whole, block = written
    whole = put(whole, t // BLOCK, block)
    return ops.reshape(whole, (-1, *ops.shape(whole)[2:]))[:most]


def where_rows(rows: Any, x: Any, y: Any) -> Any:
    """The rows of x where `rows` (batch,), else those of y."""
    return ops.where(ops.reshape(rows, (-1, *(1 for _ in x.shape[1:]))), x, y)


def alike(values: Sequence[Any], before: Sequence[Any]) -> list[Any]:
    """The values with the shapes of those before, as far as these are known, which a compiled loop asks for."""
    return [
        new if tuple(new.shape) == tuple(old.shape) else ops.reshape(new, ops.shape(old))
        for new, old in zip(values, before, strict=True)
    ]
