"""How often each pitch sounds: the counts that a model of music is held against."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import keras
import numpy as np
from keras import ops
from pydantic import Field

from seqlayers.arguments import Count
from seqlayers.head.chords import Chords
from seqlayers.head.targets import check_axes
from seqlayers.slots import Choice, kind


@kind("head", "note_counts")
class NoteCounts(Chords):
    r"""Gives each pitch of a step the log-odds that it sounds, from how often it did after sounding, or being silent.

    \[ b_i = x_i \, z_{i1} + (1 - x_i) \, z_{i0}, \qquad z_{ij} = \log \frac{n_{ij} + \alpha}{m_{ij} + \alpha} \]

    where pitch i is \(x_i = j\) in the step before, 1 if it sounded, and sounds then in \(n_{ij}\) training steps and
    in \(m_{ij}\) it does not: a Markov chain for each pitch. With `context: 0` it is a frequency alone, the same
    whatever was before.

    Args:
        pitches: how many there are, in order from low to high.
        context: steps that are looked back on, 0 or 1.
        smoothing: α > 0, steps of each kind that are counted besides.

    Call arguments:
        before: x, the step before each, of 0 and 1: (batch, time, pitches), or one step (batch, pitches).

    Returns:
        b, in the shape of x and the precision of the variables; NaN before `adapt`.

    Raises:
        ValueError: other features than pitches; `adapt` without a step, or with inputs other than 0 and 1.

    The loss is that of head `notes`. Streams without a state: what it looks back on is its input.
    """

    search: ClassVar = {"context": Choice((0, 1))}
    from_task = ("pitches",)
    #: Counted before anything is trained, and then done.
    adapts = True
    solved = True

    def __init__(
        self,
        pitches: Count,
        context: Literal[0, 1] = 1,
        smoothing: Annotated[float, Field(gt=0)] = 1.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.pitches, self.context, self.smoothing = pitches, context, smoothing

    def build(self, before_shape: Any, ahead_shape: Any = None) -> None:
        self._check(before_shape)
        nothing = keras.initializers.Constant(math.nan)
        self.z = self.add_weight(
            name="z", shape=(2, self.pitches), initializer=nothing, trainable=False, autocast=False
        )

    def _check(self, shape: Any, ahead: Any = None) -> None:
        features = check_axes(self, shape, ahead)
        if features != self.pitches:
            raise ValueError(
                f"head '{self.kind}' takes the step before, of {self.pitches} pitches, but was given {features}."
            )

    def call(self, before: Any, ahead: Any = None, training: bool | None = None) -> Any:
        self._check(before.shape, ahead)
        x = ops.cast(before, self.variable_dtype)
        return x * self.z[1] + (1 - x) * self.z[0]

    def adapt(self, train: Any, validation: Any = None) -> None:
        """Count; `train` is an iterable of batches of (the step before or {past, reset}, chords), −1 where padding."""
        sounds, silent = np.zeros((2, self.pitches)), np.zeros((2, self.pitches))
        for given, target in train:
            before = np.asarray(given["past"] if isinstance(given, Mapping) else given)
            if not self.built:
                self.build(before.shape)
            if not np.isin(before, (0, 1)).all():
                raise ValueError(f"head '{self.kind}' counts inputs of 0 and 1, but was given others.")
            chords, real, _ = (np.asarray(ops.convert_to_numpy(v)) for v in self._read(target, before))
            after = np.stack([before == 0, before == 1]) & real[..., None]
            axes = tuple(range(1, after.ndim - 1))
            sounds += (after & (chords == 1)).sum(axes)
            silent += (after & (chords == 0)).sum(axes)
        if not (sounds + silent).any():
            raise ValueError(f"head '{self.kind}' cannot be solved: there is no step in training.")
        if self.context == 0:
            sounds[:], silent[:] = sounds.sum(axis=0), silent.sum(axis=0)
        self.z.assign(np.log(sounds + self.smoothing) - np.log(silent + self.smoothing))
