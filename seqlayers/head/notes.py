"""Many notes at once, at each step."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
import numpy as np
from keras import ops

from seqlayers.arguments import Count, Fraction, known_value
from seqlayers.head.targets import PADDING, check_axes, check_shape, check_uniforms, shares_of_mean
from seqlayers.slots import Choice, Kind, kind


@kind("head", "notes")
class Notes(Kind):
    r"""Gives each step a distribution over chords: which of many pitches sound together.

    Conditioned note on note, from low to high, by a NADE whose biases come from the features x of the step:

    \[ p(v) = \prod_i p(v_i \mid v_{<i}), \qquad p(v_i = 1 \mid v_{<i}) = \sigma(b_i + V_i h_i), \qquad
       h_i = \sigma\Big(c + \sum_{j<i} W_j v_j\Big), \qquad b = A x + a, \quad c = C x + d \]

    Independent, \(p(v_i = 1) = \sigma(b_i)\), whatever the other notes.

    Args:
        pitches: how many there are, in order from low to high.
        conditioned: each note on those below it; otherwise all are independent.
        hidden: units of h; unused where notes are independent.
        dropout: fraction of x dropped in training.

    Call arguments:
        features: x, (batch, time, features), or one step (batch, features).

    Returns:
        What the features say of the step, in the precision of the variables: b, (…, pitches), and conditioned
        b and c side by side, (…, pitches + hidden).

    Raises:
        ValueError: targets that are not 0, 1 or −1.

    The loss takes chords (batch, time, pitches) of 0 and 1 and gives (batch,): each row's share in the mean of nats a
    step, over the steps of all rows of which no pitch is −1, which is padding. Streams without a state.

    Larochelle and Murray 2011, The neural autoregressive distribution estimator; Boulanger-Lewandowski et al. 2012,
    Modeling temporal dependencies in high-dimensional sequences: application to polyphonic music generation and
    transcription (RNN-NADE).
    """

    search: ClassVar = {
        "conditioned": Choice((False, True)),
        "hidden": Choice((32, 64, 128)),
        "dropout": Choice((0.0, 0.1, 0.3)),
    }
    from_task = ("pitches",)
    per_step = True
    mixture_shape = ()

    def __init__(
        self,
        pitches: Count,
        conditioned: bool = True,
        hidden: Count = 64,
        dropout: Fraction = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.pitches, self.conditioned, self.hidden, self.dropout = pitches, conditioned, hidden, dropout
        self.width = pitches + (hidden if conditioned else 0)
        self.drop = keras.layers.Dropout(dropout, dtype=self.dtype_policy, name="drop")
        self.biases = keras.layers.Dense(self.width, dtype=self.dtype_policy, name="biases")

    @property
    def output_kind(self) -> tuple[Any, ...]:
        """What the output means; that of conditioned notes only to the head that has its weights."""
        return ("notes", self.pitches, id(self)) if self.conditioned else ("notes", self.pitches)

    def build(self, features_shape: Any, ahead_shape: Any = None) -> None:
        self.biases.build((None, check_axes(self, features_shape)))
        if self.conditioned:
            shape = (self.pitches, self.hidden)
            self.w = self.add_weight(name="w", shape=shape, initializer="glorot_uniform")
            self.v = self.add_weight(name="v", shape=shape, initializer="glorot_uniform")

    def call(self, features: Any, ahead: Any = None, training: bool | None = None) -> Any:
        check_axes(self, features.shape, ahead)
        return ops.cast(self.biases(self.drop(features, training=training)), self.variable_dtype)

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
        logits = self._logits(chords, output) if self.conditioned else output
        value = ops.sum(chords * logits - ops.softplus(logits), axis=-1)
        return ops.where(wrong, ops.full_like(value, float("nan")), value)

    def _read(self, target: Any, output: Any) -> tuple[Any, Any, Any]:
        """Chords of 0 and 1, which steps are real, and in which there is something else."""
        target = ops.convert_to_tensor(target)
        check_shape(self, "targets", target, (*output.shape[:-1], self.pitches))
        padding, one = ops.equal(target, PADDING), ops.equal(target, 1)
        wrong = ops.logical_not(ops.all(padding | one | ops.equal(target, 0), axis=-1))
        known, values = known_value(wrong), known_value(target)
        if known is not None and values is not None and known.any():
            odd = np.setdiff1d(values, [0, 1, PADDING])[0]
            raise ValueError(f"head 'notes' takes as targets 0, 1 and −1 where there is padding, but was given {odd}.")
        return ops.cast(one, output.dtype), ops.logical_not(ops.any(padding, axis=-1)), wrong

    def _logits(self, chords: Any, output: Any) -> Any:
        """b + V h of every pitch at once, (…, pitches): the sums over lower notes as one matrix product."""
        size = self.pitches * self.hidden
        lower = ops.expand_dims(ops.triu(ops.ones((self.pitches, self.pitches), self.w.dtype), 1), -1)
        weights = ops.reshape(lower * ops.expand_dims(self.w, 1), (self.pitches, size))
        rows = ops.reshape(chords, (-1, self.pitches))
        sums = ops.reshape(ops.matmul(rows, weights), (-1, self.pitches, self.hidden))
        biases = ops.reshape(output, (-1, 1, self.width))
        hidden = ops.sigmoid(sums + biases[..., self.pitches :])
        logits = biases[:, 0, : self.pitches] + ops.sum(hidden * self.v, axis=-1)
        return ops.reshape(logits, ops.shape(chords))

    def predict(self, output: Any) -> Any:
        """The probability of each pitch, (…, pitches).

        Conditioned, that of each given the notes below it as a greedy player has chosen them, who goes from low to
        high and sounds what is likelier than not. (What a note's probability is by itself, only samples tell.)
        """
        if not self.conditioned:
            return ops.sigmoid(output)
        return self._one_by_one(output, ops.full_like(output[..., : self.pitches], 0.5))[1]

    def sample(self, output: Any, uniforms: Any) -> Any:
        """Chords drawn by uniform numbers (…, pitches) in [0, 1), 0 and 1 as int32, note after note: u < p sounds."""
        uniforms = check_uniforms(self, uniforms, (*output.shape[:-1], self.pitches))
        uniforms = ops.cast(uniforms, output.dtype)
        notes = self._one_by_one(output, uniforms)[0] if self.conditioned else uniforms < ops.sigmoid(output)
        return ops.cast(notes, "int32")

    def _one_by_one(self, output: Any, uniforms: Any) -> tuple[Any, Any]:
        """Notes and their probabilities, (…, pitches) each, in a loop over the pitches."""
        rows, drawn = ops.reshape(output, (-1, self.width)), ops.reshape(uniforms, (-1, self.pitches))
        places = ops.eye(self.pitches, dtype=output.dtype)

        def body(i: Any, sums: Any, notes: Any, chances: Any) -> tuple[Any, ...]:
            hidden, place = ops.sigmoid(sums), ops.take(places, i, axis=0)
            logit = ops.take(rows, i, axis=1) + ops.sum(hidden * ops.take(self.v, i, axis=0), axis=-1)
            chance = ops.expand_dims(ops.sigmoid(logit), 1)
            note = ops.cast(ops.expand_dims(ops.take(drawn, i, axis=1), 1) < chance, chance.dtype)
            return i + 1, sums + note * ops.take(self.w, i, axis=0), notes + note * place, chances + chance * place

        silent = ops.zeros_like(drawn)
        start = (ops.zeros((), "int32"), rows[:, self.pitches :], silent, silent)
        _, _, notes, chances = ops.while_loop(
            lambda i, *_: i < self.pitches, body, start, maximum_iterations=self.pitches
        )
        shape = ops.shape(uniforms)
        return ops.reshape(notes, shape), ops.reshape(chances, shape)
