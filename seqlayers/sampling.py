"""How tokens are chosen: which of them may come at all, and how much likelier the likely ones become."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, ClassVar

import numpy as np
from keras import ops

from seqlayers.errors import ConfigurationError
from seqlayers.head.logits import UNITS

#: What each number must be, and how that is said.
LIMITS: dict[str, tuple[Callable[[float], bool], str]] = {
    "temperature": (lambda v: 0 < v < inf, "a number above 0; for the likeliest token each time, `top_k` 1"),
    "top_k": (lambda v: v >= 0 and float(v).is_integer(), "a whole number of tokens; 0 for all of them"),
    "top_p": (lambda v: 0 < v <= 1, "a probability above 0, up to 1 for all tokens"),
    "min_p": (lambda v: 0 <= v <= 1, "a share of the likeliest token's probability, from 0 for all tokens to 1"),
    "repetition_penalty": (lambda v: 0 < v < inf, "a number above 0; 1 for none, above 1 against repeating"),
}


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn; each a number, or a tensor (batch,) with one for each row.

    Args:
        temperature: what logits are divided by: below 1 the likely become likelier. Greedy is `top_k` 1.
        top_k: how many of the likeliest tokens may come; 0: all.
        top_p: the fewest of the likeliest tokens whose probabilities come to this may come; 1: all.
        min_p: tokens at least this share as likely as the likeliest may come; 0: all.
        repetition_penalty: what the logits of tokens seen before are divided by where positive, and multiplied by
            where negative; 1: nothing is done.

    Fan et al. 2018, Hierarchical neural story generation (top-k); Holtzman et al. 2020, The curious case of neural text
    degeneration (top-p); Nguyen et al. 2024, Turning up the heat (min-p); Keskar et al. 2019, CTRL (penalty).
    """

    temperature: Any = 1.0
    top_k: Any = 0
    top_p: Any = 1.0
    min_p: Any = 0.0
    repetition_penalty: Any = 1.0

    unchanged: ClassVar = {"temperature": 1, "top_k": 0, "top_p": 1, "min_p": 0, "repetition_penalty": 1}

    def check(self) -> None:
        """Refuse numbers out of range, by name; tensors are not looked at."""
        for name, (holds, accepted) in LIMITS.items():
            value = getattr(self, name)
            if isinstance(value, int | float | np.number) and not holds(float(value)):
                raise ConfigurationError(name, f"{value} given.", accepted)

    def changes(self, name: str) -> bool:
        """Whether a setting is anything but the number that changes nothing."""
        value = getattr(self, name)
        return not isinstance(value, int | float) or value != self.unchanged[name]


def narrowed(logits: Any, sampling: Sampling, seen: Any = None, forbidden: Sequence[int] = ()) -> Any:
    """Logits as they are drawn from: penalised, divided by the temperature, −∞ where ruled out.

    In this order: repetition penalty, forbidden ids, temperature, top-k, top-p of what is left, min-p. Of tokens that
    are equally likely at the border, those with the lower ids stay. At least one token always does.

    Args:
        logits: (batch, vocabulary).
        sampling: what to do.
        seen: booleans (batch, vocabulary), the tokens that a repetition penalty is for.
        forbidden: ids that never come.

    Returns:
        float32 (batch, vocabulary).

    Raises:
        ValueError: a repetition penalty, but nothing to say which tokens were seen.
    """
    logits = ops.cast(logits, "float32")
    if sampling.changes("repetition_penalty"):
        if seen is None:
            raise ValueError("a repetition penalty needs `seen`; `read(…, vocabulary=…)` gives it for a prompt.")
        penalty = _column(sampling.repetition_penalty)
        logits = ops.where(seen, ops.where(logits > 0, logits / penalty, logits * penalty), logits)
    if len(forbidden):
        logits = ops.where(np.isin(np.arange(logits.shape[-1]), forbidden), -inf, logits)
    if sampling.changes("temperature"):  # below the largest, so that none divided by little becomes infinite
        logits = (logits - ops.max(logits, axis=-1, keepdims=True)) / _column(sampling.temperature)
    cuts = [name for name in ("top_k", "top_p", "min_p") if sampling.changes(name)]
    if not cuts:
        return logits
    if any(isinstance(getattr(sampling, name), int | float) for name in cuts):
        return _cut(logits, sampling)
    needed = [ops.any(ops.not_equal(getattr(sampling, name), sampling.unchanged[name])) for name in cuts]
    return ops.cond(ops.any(ops.stack(needed)), lambda: _cut(logits, sampling), lambda: logits)  # sorting is dear


def _cut(logits: Any, sampling: Sampling) -> Any:
    """Top-k, top-p and min-p: −∞ beyond the least likely token that may come."""
    value, last = _border(logits, sampling)
    ids = np.arange(logits.shape[-1], dtype="int32")
    stays = ops.logical_or(logits > value, ops.logical_and(ops.equal(logits, value), ids <= last))
    return ops.where(stays, logits, -inf)


def _border(logits: Any, sampling: Sampling) -> tuple[Any, Any]:
    """The logit and the id, (batch, 1) each, of the least likely token that may come."""
    plain, count = isinstance(sampling.top_k, int), logits.shape[-1]
    values, order = ops.top_k(logits, min(sampling.top_k or count, count) if plain else count)
    places = np.arange(values.shape[-1], dtype="int32")
    stays = ops.ones_like(values, "bool")
    if not plain:
        k = _column(sampling.top_k, "int32")
        stays = ops.logical_or(k == 0, places < k)
        values = ops.where(stays, values, -inf)
    if sampling.changes("top_p"):
        p = _column(sampling.top_p)
        shares = ops.cast(ops.softmax(values, axis=-1) * UNITS, "int32")  # whole numbers, as draws count them
        likelier = ops.cumsum(shares, axis=-1) - shares
        enough = p * ops.cast(ops.sum(shares, axis=-1, keepdims=True), "float32")
        stays = ops.logical_and(stays, ops.logical_or(p >= 1, ops.cast(likelier, "float32") < enough))
    if sampling.changes("min_p"):
        stays = ops.logical_and(stays, values >= values[:, :1] + ops.log(_column(sampling.min_p)))
    last = ops.equal(places, ops.sum(ops.cast(stays, "int32"), axis=-1, keepdims=True) - 1)
    value, ids = (ops.sum(ops.where(last, of, 0), axis=-1, keepdims=True) for of in (values, order))
    return value, ids


def _column(value: Any, dtype: str = "float32") -> Any:
    """A number, or one for each row, beside (batch, vocabulary)."""
    return ops.reshape(ops.convert_to_tensor(value, dtype), (-1, 1))
