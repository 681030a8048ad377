"""Uniform numbers from a seed by counting: the same on every backend, in any order, without a state."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np
from keras import ops

#: By how many bits the words are turned, in rounds of four.
TURNS = ((13, 15, 26, 6), (17, 29, 16, 24))
#: What the third word of the key is made with, so that no key is all zeros.
PARITY = 0x1BD11BDA
BITS, FRACTION = 32, 24  # of a word, and of a float32 below one


def uniforms(seeds: Any, step: Any, count: int) -> Any:
    r"""Numbers \(u_i \in [0, 1)\) for one step of each row, which depend on its seed, the step and i alone.

    \[ u_i = 2^{-24} \lfloor 2^{-8} x \rfloor, \qquad x = \text{first word of Threefry}_{2 \times 32}^{20}
       (\text{key } (\text{seed}, 0), \text{ counter } (\text{step}, i)) \]

    Args:
        seeds: whole numbers of 32 bits, (batch,).
        step: which step it is, from 0; one for all rows, or (batch,).
        count: how many numbers a row needs.

    Returns:
        float32 (batch, count).

    Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3.
    """
    seed = ops.reshape(_words(seeds), (-1, 1))
    numbers = ops.expand_dims(_words(ops.arange(count, dtype="int32")), 0)
    first, _ = threefry((seed, ops.zeros_like(seed)), (ops.reshape(_words(step), (-1, 1)), numbers))
    return ops.cast(_right(first, BITS - FRACTION), "float32") * 2.0**-FRACTION


def threefry(key: tuple[Any, Any], counter: tuple[Any, Any]) -> tuple[Any, Any]:
    """Threefry-2x32-20: a key and a counter of two uint32 words each, of shapes that broadcast, → two random words."""
    keys = (*key, ops.bitwise_xor(ops.bitwise_xor(*key), np.uint32(PARITY)))
    x, y = counter[0] + keys[0], counter[1] + keys[1]
    for i, turns in enumerate(chain(TURNS, TURNS, TURNS[:1])):
        for bits in turns:
            x = x + y
            y = ops.bitwise_or(ops.bitwise_left_shift(y, np.uint32(bits)), _right(y, BITS - bits))
            y = ops.bitwise_xor(y, x)
        x, y = x + keys[(i + 1) % 3], y + keys[(i + 2) % 3] + np.uint32(i + 1)
    return x, y


def _words(x: Any) -> Any:
    return ops.cast(ops.convert_to_tensor(x, "int32"), "uint32")


def _right(x: Any, bits: int) -> Any:
    return ops.bitwise_right_shift(x, np.uint32(bits))
