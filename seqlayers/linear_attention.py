"""Linear attention with a decay for each head, as products of matrices, and its gradient."""

from __future__ import annotations

from typing import Any

from keras import ops

from seqlayers.recurrence import shifted, solve

#: Logarithms of decays are split at multiples of 1/512, whose sums are exact in float32 up to 2^24 / 512 = 32,768, …
GRID = 512.0
#: … which is a chunk of 256 steps that each forget everything: exp(−128) is 0.
LEAST = -128.0


def linear_attention(qkv: Any, log_a: Any, state: Any, chunk: int) -> tuple[Any, Any]:
    r"""\(S_t = a_t S_{t-1} + k_t^\top v_t\), \(o_t = q_t S_t\), in chunks of C steps instead of one by one.

    In a chunk that begins with the state \(S_0\)

    \[ o_i = \sum_{j \le i} d_{ij}\, (q_i k_j^\top)\, v_j + d_{i0}\, q_i S_0, \qquad
       S_C = d_{C0} S_0 + \sum_j d_{Cj}\, k_j^\top v_j, \qquad d_{ij} = a_{j+1} \cdots a_i \]

    are products of matrices, and the chunks' last states are a linear recurrence of time / C steps. The d are
    exponentials of sums that are not above 0: nothing overflows, and what underflows is forgotten.

    Args:
        qkv: (batch, time, heads, keys + keys + values).
        log_a: (batch, time, heads), not above 0. A step with log a = 0 and k = 0 leaves the state.
        state: S before the first step, (batch, heads, keys, values).
        chunk: C.

    Returns:
        o (batch, heads, time, values), and S after the last step.

    Yang et al. 2024, Gated linear attention transformers with hardware-efficient training; Dao and Gu 2024,
    Transformers are SSMs.
    """
    _, time, heads, _ = qkv.shape
    keys, values = state.shape[-2:]
    chunk = chunk if time is None else min(chunk, time)
    length = ops.shape(qkv)[1]
    chunks = (length + chunk - 1) // chunk
    log_a = ops.maximum(log_a[..., None], LEAST)
    o, after = _in_chunks(
        _cut(qkv, chunk, chunks), _cut(log_a, chunk, chunks)[..., 0], ops.reshape(state, (-1, keys, values))
    )
    o = ops.reshape(o, (-1, heads, chunks * chunk, values))[:, :, :length]
    return o, ops.reshape(after, (-1, heads, keys, values))


@ops.custom_gradient
def _in_chunks(qkv: Any, log_a: Any, state: Any) -> tuple[Any, Any]:
    r"""As above, of (batch · heads, chunks, chunk, …): o, and S after the last chunk.

    The sum of log a up to step i scales \(q_i\), and \(k_i\) inversely, wherever they occur. Its gradient is therefore
    \(q_i \cdot dq_i - k_i \cdot dk_i\), and needs no sums over pairs of steps.
    """
    keys, values = state.shape[-2:]
    flat = (-1, ops.shape(qkv)[1], keys * values)
    q, k, v = ops.split(qkv, (keys, 2 * keys), axis=-1)
    between, since_start, until_end = _decays(log_a)
    whole = since_start[:, :, -1]  # (batch · heads, chunks, 1)
    start = ops.reshape(state, (-1, keys * values))
    written = ops.matmul(_transposed(k * until_end), v)
    ends = solve(whole, ops.reshape(written, flat), start)
    starts = ops.reshape(shifted(ends, start), (-1, flat[1], keys, values))
    weights = ops.matmul(q, _transposed(k)) * between
    o = ops.matmul(weights, v) + ops.matmul(q * since_start, starts)

    def gradient(*args: Any, upstream: Any = None) -> Any:
        do, dlast = upstream or (args if len(args) > 1 else args[0])
        dlast = ops.reshape(dlast, (-1, keys * values))
        dstarts = ops.reshape(ops.matmul(_transposed(q * since_start), do), flat)
        direct = ops.concatenate([dstarts[:, 1:], dlast[:, None]], axis=1)
        dends = solve(shifted(whole, whole[:, 0], backwards=True), direct, ops.zeros_like(start), backwards=True)
        dwritten = ops.reshape(dends, (-1, flat[1], keys, values))
        dscores = ops.matmul(do, _transposed(v)) * between
        dq = ops.matmul(dscores, k) + since_start * ops.matmul(do, _transposed(starts))
        dk = ops.matmul(_transposed(dscores), q) + until_end * ops.matmul(v, _transposed(dwritten))
        dv = ops.matmul(_transposed(weights), do) + ops.matmul(k * until_end, dwritten)
        dsums = ops.sum(q * dq - k * dk, axis=-1)
        dlog_a = ops.flip(ops.cumsum(ops.flip(dsums, axis=-1), axis=-1), axis=-1)
        dlog_a = dlog_a + ops.sum(ends * dends, axis=-1, keepdims=True)
        dstart = dstarts[:, 0] + whole[:, 0] * dends[:, 0]
        return ops.concatenate([dq, dk, dv], axis=-1), dlog_a, ops.reshape(dstart, (-1, keys, values))

    return (o, ops.reshape(ends[:, -1], (-1, keys, values))), gradient


def _decays(log_a: Any) -> tuple[Any, Any, Any]:
    """log a (…, chunk) → the products of a from each step to each (…, chunk, chunk), from the start and to the end.

    A product is the exponential of a difference of sums. These are summed in two parts, the coarse one without
    rounding, so that the difference keeps its digits even behind steps that forgot everything.
    """
    coarse = ops.floor(log_a * GRID) / GRID
    sums = [ops.cumsum(part, axis=-1)[..., None] for part in (coarse, log_a - coarse)]
    steps = ops.arange(log_a.shape[-1])
    between = sum(s - _transposed(s) for s in sums)
    between = ops.exp(ops.where(steps[:, None] >= steps, between, -float("inf")))
    return between, ops.exp(sum(sums)), ops.exp(sum(s[..., -1:, :] - s for s in sums))


def _cut(x: Any, chunk: int, chunks: Any) -> Any:
    """(batch, time, heads, features) → (batch · heads, chunks, chunk, features), filled up with zeros."""
    if x.shape[1] is None or x.shape[1] % chunk:
        x = ops.pad(x, ((0, 0), (0, chunk - 1), (0, 0), (0, 0)))[:, : chunks * chunk]
    return ops.reshape(ops.transpose(x, (0, 2, 1, 3)), (-1, chunks, chunk, x.shape[-1]))


def _transposed(x: Any) -> Any:
    return ops.swapaxes(x, -1, -2)
