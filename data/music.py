"""Pieces of music made ready for a model of frames: parts, keys, streams and windows; checked for leaks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from data import music_leaks
from data.errors import DataError
from data.leaks import Check
from data.music_frames import Decoder, FrameBank
from data.music_parts import MusicParts
from data.pieces import outer_and_inner
from data.splits import PARTS
from data.streams import PADDING, TokenStreams

if TYPE_CHECKING:
    import tensorflow as tf

#: Rows of the batches that the checks look at.
TRIED = 32
#: Two arrays of codes, equally long: what is read, and what is to be said.
Codes = tuple[np.ndarray, np.ndarray]


class MusicData(MusicParts):
    """Everything that a run on frames reads from its data.

    A frame is a row of 0 and 1, which pitches sound; the input of a step is the frame before it, silence first. With
    `given: soprano` the input is the top voice, all of it, and the frames are those of the voices below.

    To `data.streams` a piece is a document of codes behind one of silence, which come out as frames.
    """

    @cached_property
    def _banks(self) -> dict[str, tuple[FrameBank, FrameBank | None]]:
        """Part → the frames that are to be said, and those that are given."""
        found: dict[str, tuple[FrameBank, FrameBank | None]] = {}
        for part in PARTS:
            reach = self.options.transpose if part == "train" else 0
            if self.options.given == "none":
                found[part] = FrameBank.of([piece.frames for piece in self.pieces(part)], reach), None
                continue
            top, below = zip(*(outer_and_inner(p, self.options.lowest) for p in self.pieces(part)), strict=True)
            if not any(frames.any() for frames in below):
                raise DataError(
                    f"No piece of {part} has a note below its top voice: there is no harmony to be learnt. Set "
                    "data.given to none, or give pieces of two voices or more."
                )
            found[part] = FrameBank.of(below, reach), FrameBank.of(top, reach)
        return found

    @cached_property
    def _codes(self) -> TokenStreams:
        """Each piece, in train each in each key, as codes behind one of silence."""
        ids, lengths = {}, {}
        for part in PARTS:
            bank = self._banks[part][0]
            each = [
                np.append(np.int32(bank.silence), bank.codes(number, shift))
                for number, piece in enumerate(self.pieces(part))
                for shift in self.shifts(part, piece)
            ]
            ids[part], lengths[part] = np.concatenate(each), [len(codes) for codes in each]
        return TokenStreams(ids, lengths, self.options.window)

    def own_checks(self) -> list[Check]:
        held_out = {part: list(self._arrays(self.ordered(part, TRIED))) for part in PARTS[1:]}
        train = self._arrays(self.windows(TRIED, seed=self.options.seed, epochs=1).take(1))
        checks = [music_leaks.inputs_are_one_step_behind([*train, *(b for some in held_out.values() for b in some)])]
        for part, batches in held_out.items():
            real = sum(int((target[..., 0] != PADDING).sum()) for _, target in batches)
            checks.append(music_leaks.padding_is_not_counted(real, self.count(part), part))
        return checks

    @staticmethod
    def _arrays(batches: tf.data.Dataset) -> Iterator[Codes]:
        """The frames before, and the frames."""
        for inputs, target in batches.as_numpy_iterator():
            yield inputs["target"] if isinstance(inputs, dict) else inputs, target

    def count(self, part: str) -> int:
        """Frames of the part's pieces, each in its own key."""
        return sum(map(len, self.pieces(part)))

    def streams(self, rows: int, *, seed: int, first_epoch: int = 0, epochs: int = 1) -> tf.data.Dataset:
        """Batches of ({"past": float32 (rows, window, pitches), "reset": (rows,)}, target int32 like `past`) for
        truncated backpropagation through time: train's pieces, whole, in each key; see `TokenStreams.streams`.
        """
        self._refuse_given()
        return self._decoded("train", self._codes.streams(rows, seed=seed, first_epoch=first_epoch, epochs=epochs))

    def streams_of(self, part: str, rows: int) -> tf.data.Dataset:
        """Batches as those of `streams`: all of a part once, in order."""
        self._refuse_given()
        return self._decoded(part, self._codes.streams_of(part, rows))

    def _refuse_given(self) -> None:
        if self.options.given != "none":
            raise DataError(f"data.given: {self.options.given} is read in windows. Set data.batching to windows.")

    def stream_steps(self, rows: int) -> int:
        """Batches of an epoch of `streams`: the same number in each."""
        return self._codes.stream_steps(rows)

    def windows(self, batch: int, *, seed: int, first_epoch: int = 0, epochs: int = 1) -> tf.data.Dataset:
        """Batches of (past float32 (batch, window, pitches), target int32 (batch, window, pitches)): stretches of
        train's pieces in any key, drawn anywhere with replacement; see `TokenStreams.windows`. With `given: soprano`
        ({"past", "target"}, target), as `ordered` has them.
        """
        windows = self._codes.windows(batch, seed=seed, first_epoch=first_epoch, epochs=epochs)
        return self._decoded("train", windows)

    def window_steps(self, batch: int) -> int:
        """Batches of an epoch of `windows`: as many as read as many frames as train's pieces have in all keys."""
        return self._codes.window_steps(batch)

    def ordered(self, part: str, batch: int) -> tf.data.Dataset:
        """Batches of (past float32 (batch, time, pitches), target int32 (batch, time, pitches)): the part's pieces,
        whole, in order, each in its own key; −1 in the target after a piece's end.

        With `given: soprano` ({"past": the top voice, "target": the frames before of those below}, target), and only
        pieces of one length together, since a model that reads a voice to its end would read padding too.
        """
        import tensorflow as tf

        batches = list(self._whole(part, batch))
        codes = tf.TensorSpec((None, None), tf.int32)
        dataset = tf.data.Dataset.from_generator(lambda: iter(batches), output_signature=(codes, codes))
        return self._decoded(part, dataset.apply(tf.data.experimental.assert_cardinality(len(batches))))

    def _whole(self, part: str, batch: int) -> Iterator[Codes]:
        """Whole pieces, in their own keys, as batches."""
        bank = self._banks[part][0]
        for rows in self._together(part, batch):
            targets = [bank.codes(number) for number in rows]
            time = max(map(len, targets))
            past = np.full((len(rows), time), bank.silence, np.int32)
            target = np.full((len(rows), time), PADDING, np.int32)
            for row, codes in enumerate(targets):
                past[row, 1 : len(codes)], target[row, : len(codes)] = codes[:-1], codes
            yield past, target

    def _together(self, part: str, batch: int) -> Iterator[list[int]]:
        """The numbers of the pieces that are read together."""
        rows: list[int] = []
        for number, piece in enumerate(self.pieces(part)):
            apart = self.options.given != "none" and rows and len(piece) != len(self.pieces(part)[rows[0]])
            if len(rows) == batch or apart:
                yield rows
                rows = []
            rows.append(number)
        yield rows

    def _decoded(self, part: str, codes: tf.data.Dataset) -> tf.data.Dataset:
        """Codes as frames, in the graph."""
        import tensorflow as tf

        said, given = self._banks[part]
        decoder, giver = Decoder(said), Decoder(given) if given else None

        def frames(inputs: Any, target: tf.Tensor) -> tuple[Any, tf.Tensor]:
            if isinstance(inputs, dict):
                return inputs | {"past": decoder.inputs(inputs["past"])}, decoder.targets(target)
            past = decoder.inputs(inputs)
            return (past if giver is None else {"past": giver.inputs(target), "target": past}), decoder.targets(target)

        return codes.map(frames, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
