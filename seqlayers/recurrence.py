"""The linear recurrence over a whole sequence at once, and back."""

from __future__ import annotations

from typing import Any

from keras import ops

#: Steps that one level of the tree takes in turn. Of 4, 6, 8, 12, 16 and 32 the fastest on a CPU, or near it, from 64
#: to 4096 steps, plain and compiled, and 16 takes twice as long to compile.
RADIX = 8


def linear_recurrence(a: Any, b: Any, initial: Any) -> Any:
    r"""\(h_t = a_t \odot h_{t-1} + b_t\) for every step of a sequence, in about 8 · log8(time) steps instead of time.

    The sequence is cut into chunks of 8, all of which advance together from zero, to \(\tilde h\). What the chunks end
    with is a linear recurrence again, 8 times shorter, and solved the same way; what a chunk begins with then adds

    \[ h_{8k+j} = \tilde h_{8k+j} + \Big(\prod_{i=0}^{j} a_{8k+i}\Big) h_{8k-1} \]

    Nothing is divided and no logarithm is taken, so that a may be anything, zero included. The gradient is the same
    recurrence run from the end, \(g_t = \partial_t + a_{t+1} g_{t+1}\), which is cheaper than the gradient of the tree
    and, unlike that of a loop, linear in time under XLA.

    Args:
        a: (batch, time, units), or (batch, time, 1) for all units alike. A step with a = 1, b = 0 leaves the state.
        b: (batch, time, units); time may be unknown until the function runs.
        initial: the state before the first step, (batch, units).

    Returns:
        h, (batch, time, units).

    Blelloch 1990, Prefix sums and their applications; Martin and Cundy 2018, Parallelizing linear recurrent neural
    nets over sequence length.
    """
    return _with_gradient(a, b, initial)


@ops.custom_gradient
def _with_gradient(a: Any, b: Any, initial: Any) -> Any:
    h = solve(a, b, initial)

    def gradient(*args: Any, upstream: Any = None) -> Any:
        upstream = args[0] if upstream is None else upstream
        db = solve(shifted(a, a[:, 0], backwards=True), upstream, ops.zeros_like(initial), backwards=True)
        da = db * shifted(h, initial)
        if a.shape[-1] != b.shape[-1]:
            da = ops.sum(da, axis=-1, keepdims=True)
        return da, db, a[:, 0] * db[:, 0]

    return h, gradient


def solve(a: Any, b: Any, start: Any, backwards: bool = False, level: int = 0) -> Any:
    """The recurrence from `start`, which stands before the first step or, backwards, behind the last."""
    time = b.shape[1]
    if time is not None and time <= RADIX:
        steps = zip(ops.unstack(a, time, axis=1), ops.unstack(b, time, axis=1), strict=True)
        h, found = start, []
        for a_t, b_t in _in_order(steps, backwards):
            h = a_t * h + b_t
            found.append(h)
        return ops.stack(_in_order(found, backwards), axis=1)
    if time is None and level == 2:
        return _doubling(a, b, start, backwards)

    length = ops.shape(b)[1]
    chunks = (length + RADIX - 1) // RADIX
    steps = zip(_chunked(a, chunks, ops.ones_like), _chunked(b, chunks, ops.zeros_like), strict=True)
    products: list[Any] = []
    states: list[Any] = []
    for a_t, b_t in _in_order(steps, backwards):
        products.append(a_t * products[-1] if products else a_t)
        states.append(a_t * states[-1] + b_t if states else b_t)
    before = shifted(solve(products[-1], states[-1], start, backwards, level + 1), start, backwards)
    found = [state + product * before for state, product in zip(states, products, strict=True)]
    h = ops.stack(_in_order(found, backwards), axis=2)
    return ops.reshape(h, (-1, chunks * RADIX, b.shape[2]))[:, :length]


def shifted(h: Any, start: Any, backwards: bool = False) -> Any:
    """(batch, time, units): what stands one step before each, `start` before the first; or behind, backwards."""
    start = start[:, None]
    return ops.concatenate([h[:, 1:], start] if backwards else [start, h[:, :-1]], axis=1)


def _doubling(a: Any, b: Any, start: Any, backwards: bool) -> Any:
    """The recurrence over a time that is unknown: every step adds what stood 1, then 2, 4, … steps before it."""
    length = ops.shape(b)[1]
    index = ops.arange(length, dtype="int32")
    behind = length - 1 - index if backwards else index  # how many steps the recurrence took before each
    b = b + ops.cast(behind == 0, b.dtype)[:, None] * a * start[:, None]

    def body(reach: Any, a: Any, b: Any) -> tuple[Any, Any, Any]:
        source = ops.clip(index + reach if backwards else index - reach, 0, length - 1)
        kept = a * ops.cast(behind >= reach, a.dtype)[:, None]
        return reach * 2, kept * ops.take(a, source, axis=1), b + kept * ops.take(b, source, axis=1)

    one = ops.convert_to_tensor(1, dtype="int32")
    return ops.while_loop(lambda reach, *_: reach < length, body, (one, a, b))[2]


def _chunked(x: Any, chunks: Any, fill: Any) -> list[Any]:
    """x (batch, time, units), filled up, as what stands first, second, … in each chunk: (batch, chunks, units) each."""
    if x.shape[1] is None or x.shape[1] % RADIX:
        rest = ops.repeat(fill(x[:, :1]), RADIX - 1, axis=1)
        x = ops.concatenate([x, rest], axis=1)[:, : chunks * RADIX]
    return ops.unstack(ops.reshape(x, (-1, chunks, RADIX, x.shape[2])), RADIX, axis=2)


def _in_order(items: Any, backwards: bool) -> list[Any]:
    return list(items)[::-1] if backwards else list(items)
