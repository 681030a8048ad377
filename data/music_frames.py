"""Frames of many pieces and of their transpositions, each frame kept once and named by a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.streams import PADDING

if TYPE_CHECKING:
    import tensorflow as tf


@dataclass(frozen=True)
class FrameBank:
    """Frames end to end, behind one of silence.

    A code names a frame and a shift: frame · shifts + shift, so that a piece in eleven keys takes the memory of one.

    Attributes:
        frames: uint8 (1 + frames, pitches + 2 · reach), with `reach` silent pitches on either side.
        starts: (pieces + 1,) the row of each piece's first frame, and the row after the last.
        reach: semitones of the largest shift.
    """

    frames: np.ndarray
    starts: np.ndarray
    reach: int

    @classmethod
    def of(cls, pieces: Sequence[np.ndarray], reach: int) -> FrameBank:
        """A bank of pieces, each (time, pitches) of 0 and 1."""
        frames = np.concatenate([np.zeros((1, pieces[0].shape[1]), np.uint8), *pieces])
        starts = np.cumsum([1, *map(len, pieces)])
        return cls(np.pad(frames, ((0, 0), (reach, reach))), starts, reach)

    @property
    def pitches(self) -> int:
        return self.frames.shape[1] - 2 * self.reach

    def codes(self, piece: int, shift: int = 0) -> np.ndarray:
        """int32 (time,): a piece's frames, shifted by so many semitones."""
        rows = np.arange(self.starts[piece], self.starts[piece + 1], dtype=np.int32)
        return rows * (2 * self.reach + 1) + shift + self.reach

    @property
    def silence(self) -> int:
        """The code of a frame in which nothing sounds, which stands before each piece."""
        return self.reach


class Decoder:
    """Codes to frames in the graph: int32 (…) → uint8 (…, pitches), and whether each is padding."""

    def __init__(self, bank: FrameBank):
        import tensorflow as tf

        self.shifts, self.reach, self.pitches = 2 * bank.reach + 1, bank.reach, bank.pitches
        with tf.device("CPU:0"):
            self.frames = tf.constant(bank.frames)

    def inputs(self, codes: tf.Tensor) -> tf.Tensor:
        """float32 (…, pitches); what is padding is silent."""
        import tensorflow as tf

        return tf.cast(self._frames(codes), tf.float32)

    def targets(self, codes: tf.Tensor) -> tf.Tensor:
        """int32 (…, pitches), −1 where the code is."""
        import tensorflow as tf

        real = (codes != PADDING)[..., None]
        return tf.where(real, tf.cast(self._frames(codes), tf.int32), PADDING)

    def _frames(self, codes: tf.Tensor) -> tf.Tensor:
        import tensorflow as tf

        codes = tf.where(codes == PADDING, self.reach, codes)
        found = tf.gather(self.frames, codes // self.shifts)
        # a shift upwards reads from further below
        at = 2 * self.reach - (codes % self.shifts)[..., None] + tf.range(self.pitches)
        return tf.gather(found, at, batch_dims=len(codes.shape))
