"""What comes next, chosen from a model's output: a token, or the notes of a step, by uniform numbers from seeds."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Self

from keras import ops

from seqlayers.errors import ConfigurationError
from seqlayers.head.logits import draw
from seqlayers.sampling import Sampling, narrowed
from seqlayers.uniforms import uniforms

#: What is chosen where the output is no number, such as beyond an attention's capacity; it is no token.
NO_TOKEN = -1


class Choice:
    """A draw for each row, which depends on the row's seed, the step and the output alone.

    Args:
        seeds: whole numbers (batch,), int32.
        count: uniform numbers that a draw takes.
    """

    def __init__(self, seeds: Any, count: int):
        self.seeds, self.count = ops.convert_to_tensor(seeds, "int32"), count
        self.table: Any = None

    def ahead(self, most: Any) -> Self:
        """The same choices with the uniform numbers of `most` steps computed at once, which a loop need not do."""
        rows = ops.shape(self.seeds)[0]
        steps = ops.repeat(ops.arange(most, dtype="int32"), rows)
        known = copy.copy(self)
        known.table = ops.reshape(uniforms(ops.tile(self.seeds, (most,)), steps, self.count), (most, rows, self.count))
        return known

    def uniforms(self, t: Any) -> Any:
        """The uniform numbers of step t, (batch, count)."""
        return uniforms(self.seeds, t, self.count) if self.table is None else self.table[t]


class TokenChoice(Choice):
    """Draws the next token from logits.

    Args:
        head: the head that the logits come from, which draws; None where there is only a file of it: draws are the
            same for every head of classes.
        sampling: how tokens are drawn.
        seeds: whole numbers (batch,), int32.
        forbidden: ids that never come: 0 for padding and 1 for the unknown, as a rule.

    Call arguments:
        output: logits (batch, vocabulary).
        t: how many tokens have been drawn before.
        seen: booleans (batch, vocabulary), for a repetition penalty; or None.

    Returns:
        ids, int32 (batch,); −1 where the output is no number.

    Raises:
        ConfigurationError: no token is left that may come, or a setting is out of range.
    """

    def __init__(self, head: Any, sampling: Sampling, seeds: Any, forbidden: Sequence[int] = (0, 1)):
        super().__init__(seeds, 1)
        sampling.check()
        self.head, self.sampling, self.forbidden = head, sampling, tuple(forbidden)

    def __call__(self, output: Any, t: Any, seen: Any = None) -> Any:
        allowed(output.shape[-1], self.forbidden)
        logits, u = narrowed(output, self.sampling, seen, self.forbidden), self.uniforms(t)[:, 0]
        ids = draw(logits, u) if self.head is None else self.head.sample(logits, u)
        return ops.where(ops.any(ops.isnan(output), axis=-1), NO_TOKEN, ids)


class NoteChoice(Choice):
    """Draws the notes of the next step from the output of a head of notes.

    Args:
        head: the head of notes.
        temperature: what its logits are divided by, a number or (batch,); None: nothing.
        seeds: whole numbers (batch,), int32.

    Call arguments:
        output: (batch, …) as the head gives it.
        t: how many steps have been drawn before.
        seen: not used.

    Returns:
        float32 (batch, pitches) of 0 and 1; NaN where the output is no number.

    Raises:
        ConfigurationError: a temperature out of range.
    """

    def __init__(self, head: Any, temperature: Any, seeds: Any):
        super().__init__(seeds, head.pitches)
        Sampling(temperature=1.0 if temperature is None else temperature).check()
        self.head, self.temperature = head, temperature

    def __call__(self, output: Any, t: Any, seen: Any = None) -> Any:
        notes = ops.cast(self.head.sample(output, self.uniforms(t), self.temperature), "float32")
        return ops.where(ops.any(ops.isnan(output), axis=-1, keepdims=True), float("nan"), notes)


def allowed(vocabulary: int, forbidden: Sequence[int]) -> None:
    """Refuse to choose where every id is ruled out."""
    if not set(range(vocabulary)) - set(forbidden):
        raise ConfigurationError("forbidden", f"all {vocabulary} ids are ruled out.", "at least one id that may come")
