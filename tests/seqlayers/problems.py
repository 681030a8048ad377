"""Small problems with exact answers, as many as are wanted: each gives inputs and target of freshly drawn sequences."""

from __future__ import annotations

import numpy as np

Generator = np.random.Generator

#: The symbols of sequences that are copied, reversed and sung; the start token, where there is one, comes after them.
SYMBOLS = 8


def adding(rng: Generator, count: int, time: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Random numbers in [0, 1), two of them marked, one in each half; the target is the sum of those two.

    The mean of the target, 1, is 1/6 away in mean square: what a model reaches that remembers nothing.

    Hochreiter and Schmidhuber 1997, Long short-term memory, experiment 4.

    Returns:
        (count, time, 2): number and mark; (count, 1, 1).
    """
    numbers, marks = rng.random((count, time)), np.zeros((count, time))
    rows, half = np.arange(count), time // 2
    marks[rows, rng.integers(0, half, count)] = 1
    marks[rows, rng.integers(half, time, count)] = 1
    target = np.sum(numbers * marks, axis=1)
    return np.stack([numbers, marks], axis=-1).astype("float32"), target.reshape(-1, 1, 1).astype("float32")


def running_parity(rng: Generator, count: int, time: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Bits, and at each step whether the ones so far are odd in number: (count, time) twice."""
    bits = rng.integers(0, 2, (count, time)).astype("int32")
    return bits, np.cumsum(bits, axis=1, dtype="int32") % 2


def parity(rng: Generator, count: int, time: int = 64, longest: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Bits, written as 1 and 2, and whether the ones are odd in number: (count, time), (count,).

    With `longest`, sequences of 1 to `longest` bits, the rest padded with 0.
    """
    bits = rng.integers(0, 2, (count, time))
    lengths = np.full(count, time) if longest is None else rng.integers(1, longest + 1, count)
    real = np.arange(time) < lengths[:, None]
    return np.where(real, bits + 1, 0).astype("int32"), np.sum(bits * real, axis=1).astype("int32") % 2


def binary_addition(rng: Generator, count: int, time: int = 65) -> tuple[np.ndarray, np.ndarray]:
    """Two binary numbers of time − 1 digits, lowest digit first, and their sum.

    Returns:
        (count, time, 2): a digit of each, and zeros at the end; (count, time), the last digit the carry.
    """
    summands = np.pad(rng.integers(0, 2, (count, time - 1, 2)), [(0, 0), (0, 1), (0, 0)])
    total, carry = np.zeros((count, time), "int32"), np.zeros(count, int)
    for i in range(time):
        column = summands[:, i].sum(axis=1) + carry
        total[:, i], carry = column % 2, column // 2
    return summands.astype("float32"), total


def copy(rng: Generator, count: int, time: int = 64) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Random symbols, to be written down once more.

    Returns:
        `past` (count, time), the source, and `target` (count, time), what is read while the target is written; the
        target (count, time).
    """
    source = rng.integers(0, SYMBOLS, (count, time)).astype("int32")
    return {"past": source, "target": after_start(source, SYMBOLS)}, source


def reverse(rng: Generator, count: int, time: int = 64) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Likewise, to be written from the last to the first."""
    source = rng.integers(0, SYMBOLS, (count, time)).astype("int32")
    target = source[:, ::-1].copy()
    return {"past": source, "target": after_start(target, SYMBOLS)}, target


def songs(rng: Generator, count: int, time: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """As many random songs, each with a start token of its own: `SYMBOLS`, `SYMBOLS` + 1, …

    Returns:
        (count, time): the token, and the song without its last symbol; (count, time): the song.
    """
    song = rng.integers(0, SYMBOLS, (count, time)).astype("int32")
    return after_start(song, SYMBOLS + np.arange(count)), song


def bits_at_once(rng: Generator, count: int = 64, time: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Every pattern of log2(count) bits, read in one step, and whether the ones are odd in number; nothing is random.

    Returns:
        (count, 1, bits); (count,).
    """
    patterns = np.arange(count)[:, None] >> np.arange(count.bit_length() - 1) & 1
    return np.repeat(patterns[:, None], time, axis=1).astype("float32"), (patterns.sum(axis=1) % 2).astype("int32")


def after_start(target: np.ndarray, start: int | np.ndarray) -> np.ndarray:
    """What is read while the target is written: the start token, then the target up to its last symbol but one."""
    first = np.broadcast_to(start, len(target)).reshape(-1, 1)
    return np.concatenate([first, target[:, :-1]], axis=1).astype("int32")
