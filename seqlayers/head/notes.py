"""Many notes at once, at each step."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
from keras import ops

from seqlayers.arguments import Count, Fraction
from seqlayers.head.chords import Chords
from seqlayers.head.targets import check_axes
from seqlayers.slots import Choice, kind


@kind("head", "notes")
class Notes(Chords):
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
        return (*super().output_kind, id(self)) if self.conditioned else super().output_kind

    def build(self, features_shape: Any, ahead_shape: Any = None) -> None:
        self.biases.build((None, check_axes(self, features_shape)))
        if self.conditioned:
            shape = (self.pitches, self.hidden)
            self.w = self.add_weight(name="w", shape=shape, initializer="glorot_uniform")
            self.v = self.add_weight(name="v", shape=shape, initializer="glorot_uniform")

    def call(self, features: Any, ahead: Any = None, training: bool | None = None) -> Any:
        check_axes(self, features.shape, ahead)
        return ops.cast(self.biases(self.drop(features, training=training)), self.variable_dtype)

    def _logits(self, chords: Any, output: Any) -> Any:
        """b + V h of every pitch at once, (…, pitches): the sums over lower notes as one matrix product."""
        if not self.conditioned:
            return output
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
            return super().predict(output)
        even = ops.full_like(output[..., : self.pitches], 0.5)
        return self._one_by_one(output, even, ops.ones_like(output[..., :1]))[1]

    def _draw(self, output: Any, uniforms: Any, temperature: Any) -> Any:
        if not self.conditioned:
            return super()._draw(output, uniforms, temperature)
        return self._one_by_one(output, uniforms, temperature)[0]

    def _one_by_one(self, output: Any, uniforms: Any, temperature: Any) -> tuple[Any, Any]:
        """Notes and their probabilities, (…, pitches) each, in a loop over the pitches."""
        rows, drawn = ops.reshape(output, (-1, self.width)), ops.reshape(uniforms, (-1, self.pitches))
        cold = ops.reshape(ops.broadcast_to(temperature, (*ops.shape(output)[:-1], 1)), (-1,))
        places = ops.eye(self.pitches, dtype=output.dtype)

        def body(i: Any, sums: Any, notes: Any, chances: Any) -> tuple[Any, ...]:
            hidden, place = ops.sigmoid(sums), ops.take(places, i, axis=0)
            logit = ops.take(rows, i, axis=1) + ops.sum(hidden * ops.take(self.v, i, axis=0), axis=-1)
            chance = ops.expand_dims(ops.sigmoid(logit / cold), 1)
            note = ops.cast(ops.expand_dims(ops.take(drawn, i, axis=1), 1) < chance, chance.dtype)
            return i + 1, sums + note * ops.take(self.w, i, axis=0), notes + note * place, chances + chance * place

        silent = ops.zeros_like(drawn)
        start = (ops.zeros((), "int32"), rows[:, self.pitches :], silent, silent)
        _, _, notes, chances = ops.while_loop(
            lambda i, *_: i < self.pitches, body, start, maximum_iterations=self.pitches
        )
        shape = ops.shape(uniforms)
        return ops.reshape(notes, shape), ops.reshape(chances, shape)
