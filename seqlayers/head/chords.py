"""What heads share whose output says of each of many pitches how likely it sounds: the loss, and draws."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from seqlayers.arguments import known_value
from seqlayers.head.targets import PADDING, check_shape, check_uniforms, shares_of_mean
from seqlayers.slots import Kind


class Chords(Kind):
    """A head of each step whose output are logits of pitches (…, pitches), each by itself; σ of them is how likely."""

    mixture_shape = ()
    per_step = True

    pitches: int

    @property
    def output_kind(self) -> tuple[Any, ...]:
        """What the output means; heads are blended only with their like."""
        return "notes", self.pitches

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """None: what is padding, the targets say."""

    def loss(self, target: Any, output: Any) -> Any:
        """−log p(v) of chords (batch, …, pitches) in nats a step: each row's share in the mean over real steps."""
        chords, real, wrong = self._read(target, output)
        return -shares_of_mean(self._log_likelihood(chords, wrong, output), ops.logical_or(real, wrong))

    def log_likelihood(self, target: Any, output: Any) -> Any:
        """log p(v) of each step in nats, (…); 0 at padding."""
        chords, real, wrong = self._read(target, output)
        value = self._log_likelihood(chords, wrong, output)
        return ops.where(real, value, ops.zeros_like(value))

    def _log_likelihood(self, chords: Any, wrong: Any, output: Any) -> Any:
        logits = self._logits(chords, output)
        value = ops.sum(chords * logits - ops.softplus(logits), axis=-1)
        return ops.where(wrong, ops.full_like(value, float("nan")), value)

    def _logits(self, chords: Any, output: Any) -> Any:
        """Of every pitch beside the others of its chord, (…, pitches)."""
        return output

    def _read(self, target: Any, output: Any) -> tuple[Any, Any, Any]:
        """Chords of 0 and 1, which steps are real, and in which there is something else."""
        target = ops.convert_to_tensor(target)
        check_shape(self, "targets", target, (*output.shape[:-1], self.pitches))
        padding, one = ops.equal(target, PADDING), ops.equal(target, 1)
        wrong = ops.logical_not(ops.all(padding | one | ops.equal(target, 0), axis=-1))
        known, values = known_value(wrong), known_value(target)
        if known is not None and values is not None and known.any():
            odd = np.setdiff1d(values, [0, 1, PADDING])[0]
            raise ValueError(
                f"head '{self.kind}' takes as targets 0, 1 and −1 where there is padding, but was given {odd}."
            )
        return ops.cast(one, output.dtype), ops.logical_not(ops.any(padding, axis=-1)), wrong

    def predict(self, output: Any) -> Any:
        """The probability of each pitch, (…, pitches)."""
        return ops.sigmoid(output)

    def sample(self, output: Any, uniforms: Any, temperature: Any = None) -> Any:
        """Chords drawn by uniform numbers (…, pitches) in [0, 1), 0 and 1 as int32: u < p sounds.

        A temperature > 0 divides the logits, each as the notes before it have made it: a number, or one for each of the
        first axes, such as (batch,).
        """
        uniforms = check_uniforms(self, uniforms, (*output.shape[:-1], self.pitches))
        return ops.cast(self._draw(output, ops.cast(uniforms, output.dtype), _beside(temperature, output)), "int32")

    def _draw(self, output: Any, uniforms: Any, temperature: Any) -> Any:
        return uniforms < ops.sigmoid(output / temperature)


def _beside(temperature: Any, output: Any) -> Any:
    """A temperature, 1 if there is none, with as many axes as the output has."""
    given = ops.cast(1.0 if temperature is None else temperature, output.dtype)
    return ops.reshape(given, (*ops.shape(given), *(1 for _ in range(len(output.shape) - len(given.shape)))))
