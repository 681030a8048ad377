"""Beam search by streaming: the likeliest continuations, instead of one that is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops, tree

from seqlayers.choices import NO_TOKEN, allowed
from seqlayers.errors import ConfigurationError
from seqlayers.loop import Step, alike, check_most, check_numbers, is_stop, put, where_rows


def beam(
    step: Step,
    output: Any,
    state: Any,
    most: Any,
    width: int,
    *,
    stop: int | Sequence[int] | None = None,
    length_penalty: float = 0.0,
    forbidden: Sequence[int] = (0, 1),
) -> tuple[Any, Any]:
    r"""The likeliest continuations Y that a beam finds, best first by \(\log p(Y) / ((5 + |Y|) / 6)^\alpha\).

    Each step keeps the best `width` of what the kept ones can become. One that has met a stop stays as it is, as long
    as it is among them.

    Args:
        step: one step of the model.
        output, state: those after the prompt, as `read` gives them.
        most: how many tokens a row gets at most, 1 at least; may be a tensor, but not on JAX.
        width: how many continuations are kept.
        stop: the id, or ids, that end a continuation, which keeps it.
        length_penalty: α; 0 for the likeliest, above 0 in favour of longer ones.
        forbidden: ids that never come.

    Returns:
        ids (batch, width, most), 0 after the end; their log p under the model in nats, (batch, width). Where there are
        fewer continuations than `width`, ids are 0 and log p is −∞.

    Raises:
        ConfigurationError: every id is forbidden, or `width`, `most` or `length_penalty` is out of range.
        ValueError: the output is no number. While a function is compiled the tokens are −1 there.

    Wu et al. 2016, Google's neural machine translation system (length penalty).
    """
    vocabulary = output.shape[-1]
    allowed(vocabulary, forbidden)
    check_most(most)
    if width < 1:
        raise ConfigurationError("width", f"{width} given.", "a whole number from 1 on; 1 is greedy")
    if not length_penalty >= 0:
        raise ConfigurationError("length_penalty", f"{length_penalty} given.", "a number from 0 on")
    ids = np.arange(vocabulary)
    rows = ops.shape(output)[0]
    first_places = ops.expand_dims(ops.arange(rows, dtype="int32") * width, 1)

    def spread(output: Any, now: dict[str, Any]) -> dict[str, Any]:
        log_p = ops.reshape(ops.log_softmax(ops.cast(output, "float32"), axis=-1), (-1, width, vocabulary))
        log_p = ops.where(np.isin(ids, forbidden), -np.inf, log_p)
        log_p = ops.where(now["done"][..., None], np.where(ids == 0, 0, -np.inf).astype("float32"), log_p)
        sums = now["sums"][..., None] + log_p
        broken = ops.any(ops.isnan(sums), axis=(1, 2))
        lengths = now["lengths"] + ops.cast(ops.logical_not(now["done"]), "float32")
        ranks = sums / ops.expand_dims(((5 + lengths) / 6) ** length_penalty, -1)
        _, at = ops.top_k(ops.reshape(ranks, (-1, width * vocabulary)), width)
        parent, token = at // vocabulary, at % vocabulary
        sums = ops.take_along_axis(ops.reshape(sums, (-1, width * vocabulary)), at, axis=1)
        done = ops.take_along_axis(now["done"], parent, axis=1)
        return {
            "token": token,
            "parent": first_places + parent,
            "sums": where_rows(broken, ops.full_like(sums, float("nan")), sums),
            "lengths": ops.take_along_axis(lengths, parent, axis=1),
            "done": done if stop is None else ops.logical_or(done, is_stop(token, stop)),
        }

    def body(t: Any, tokens: Any, parents: Any, flat: list[Any], now: dict[str, Any]) -> tuple[Any, ...]:
        flat = [ops.take(s, ops.reshape(now["parent"], (-1,)), axis=0) for s in flat]
        output, after = step(ops.reshape(now["token"], (-1,)), tree.pack_sequence_as(state, flat))
        new = spread(output, now)
        new = {name: alike([value], [now[name]])[0] for name, value in new.items()}
        tokens, parents = put(tokens, t, new["token"]), put(parents, t, new["parent"])
        return t + 1, tokens, parents, alike(tree.flatten(after), flat), new

    def goes_on(t: Any, tokens: Any, parents: Any, flat: list[Any], now: dict[str, Any]) -> Any:
        return ops.logical_and(t < most, ops.logical_not(ops.all(now["done"])))

    nothing = ops.zeros((rows, width), "float32")
    alone = nothing + np.where(np.arange(width) == 0, 0, -np.inf).astype("float32")  # or all would stay the same
    now = {"sums": alone, "lengths": nothing, "done": ops.cast(nothing, "bool")}
    now = spread(ops.repeat(output, width, axis=0), now)
    zero = ops.zeros((), "int32")
    written = [put(ops.zeros((most, rows, width), "int32"), zero, now[name]) for name in ("token", "parent")]
    flat = [ops.repeat(s, width, axis=0) for s in tree.flatten(state)]
    t, tokens, parents, _, now = ops.while_loop(goes_on, body, (zero + 1, *written, flat, now))
    tokens = _traced_back(t, tokens, parents)
    sums = now["sums"]
    tokens = ops.where(ops.expand_dims(sums == -np.inf, -1), 0, tokens)
    return check_numbers(ops.where(ops.expand_dims(ops.isnan(sums), -1), NO_TOKEN, tokens)), sums


def _traced_back(t: Any, tokens: Any, parents: Any) -> Any:
    """The tokens of the kept ones from the last step before t to the first, by each one's parent: (rows, width, time).

    Args:
        tokens: (time, rows, width).
        parents: likewise; places among rows × width.
    """
    shape = ops.shape(tokens)
    tokens, parents = ops.reshape(tokens, (shape[0], -1)), ops.reshape(parents, (shape[0], -1))

    def body(t: Any, at: Any, found: Any) -> tuple[Any, ...]:
        found = put(found, t, ops.take(ops.take(tokens, t, axis=0), at))
        return t - 1, ops.take(ops.take(parents, t, axis=0), at), found

    at = ops.arange(ops.shape(tokens)[1], dtype="int32")
    _, _, found = ops.while_loop(lambda t, *_: t >= 0, body, (t - 1, at, ops.zeros_like(tokens)))
    return ops.transpose(ops.reshape(found, shape), (1, 2, 0))
