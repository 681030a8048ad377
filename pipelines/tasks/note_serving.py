"""A model of frames of notes as the export room takes it: pieces in, their likelihood and new notes out."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from data.pieces import outer_and_inner
from data.streams import PADDING
from pipelines.export.servable import Arrays, Endpoint, drawn
from pipelines.task import Candidate
from pipelines.tasks.stream_serving import (
    GENERATED,
    LONGEST,
    Start,
    StreamServable,
    before,
    drawable,
    named,
    require,
    state_specs,
)
from seqlayers.choices import NoteChoice
from seqlayers.generation import generate, read

#: A proof's draws are no nearer than this to a probability: rounding must not turn a note on or off.
MARGIN, TRIES = 1e-5, 20
#: Frames of a stretch in a proof, and of what is generated: op by op, notes are drawn a dozen frames a second.
STRETCH, FRAMES = 16, 8


class NoteServable(StreamServable):
    """The model of frames of notes, each (pitches,) of 0 and 1, −1 after the end of a piece.

    `serving_default`, the score, takes `notes` (batch, time, pitches) and gives `log_likelihood` (batch,) in nats and
    `frames` (batch,), how many there are. `generate` continues an `opening`, which may be empty, by so many `frames`.
    `step` takes the notes of the step before, uniform numbers, a temperature and the state, and gives the notes of the
    step, drawn note after note, and the state. A LiteRT file has `step` and `initial_state`. Where a voice is given,
    score and `initial_state` take it as `given`, and `generate` in the opening's place.
    """

    def __init__(self, name: str, candidate: Candidate, data: Any, unit: str = "frame"):
        self.harmonises = data.options.given != "none"
        self.pitches: int = data.options.pitches
        super().__init__(name, candidate, data, unit)
        self.device_length: int | None = None
        if self.harmonises:
            longest = max(len(piece) for part in ("train", "validation", "test") for piece in data.pieces(part))
            self.device_length = longest

    def first_state(self) -> Any:
        source = tf.zeros((1, 1, self.pitches)) if self.harmonises else None
        return self.model.initial_state(1, source, None if source is None else tf.ones((1, 1), tf.bool))

    def frames(self, name: str, batch: int | None, time: int | None = None) -> dict[str, tf.TensorSpec]:
        return {name: tf.TensorSpec([batch, time, self.pitches], tf.int32, name)}

    def signature(self, batch: int | None) -> dict[str, tf.TensorSpec]:
        return self.frames("notes", batch) | (self.frames("given", batch) if self.harmonises else {})

    def serve(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        notes = inputs["notes"]
        real = tf.reduce_all(notes != PADDING, axis=-1)
        longest = f"a piece has more frames than the {self.context} that this model can read"
        with require((self.context is None or tf.shape(notes)[1] <= self.context, longest)):
            past = before_each(sounding(notes))
        inside: Any = past
        mask: Any = None
        if self.harmonises:
            given = inputs["given"]
            inside = {"past": sounding(given), "target": past}
            mask = {"past": tf.reduce_all(given != PADDING, axis=-1), "target": real}
        output = self.model(inside, mask=mask, training=False)
        found = self.model.head.log_likelihood(notes, output)
        return {
            "log_likelihood": tf.cast(tf.reduce_sum(found, axis=1), tf.float32),
            "frames": tf.reduce_sum(tf.cast(real, tf.int32), axis=1),
        }

    def start(self, *, alone: bool = False) -> Endpoint:
        if not self.harmonises:
            return super().start(alone=alone)
        return _Given(self, self.device_length if alone else None)

    def one_step(self, start: Endpoint) -> Endpoint:
        return _Step(self, start)

    def device(self) -> dict[str, Endpoint]:
        if not self.harmonises or self.no_stream:
            return super().device()
        start = self.start(alone=True)  # of a fixed length
        return {"step": self.one_step(start), "initial_state": start}

    def generation(self) -> Endpoint:
        return _Generate(self)

    def whole(self) -> Endpoint:
        return _Window(self)

    def pieces(self, count: int, seed: int, time: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Held-out frames int32 (rows, time, pitches), −1 after the end, and what is given of them, as far as it is.

        Args:
            count: frames in all, about.
            seed: which pieces.
            time: frames of a row; None: those of the longest.
        """
        pieces = self.data.pieces("test")
        mean = np.mean([min(len(p), time or len(p)) for p in pieces])
        chosen = [pieces[i] for i in drawn(np.arange(len(pieces)), max(1, int(count / mean)), seed)]
        time = time or max(map(len, chosen))
        both = np.full((2, len(chosen), time, self.pitches), PADDING, np.int32)
        for row, piece in enumerate(chosen):
            pair = outer_and_inner(piece, self.data.options.lowest) if self.harmonises else (piece.frames, piece.frames)
            for one, frames in zip(both, pair, strict=True):
                one[row, : len(frames)] = frames[:time]
        return both[1], both[0]

    def examples(self, count: int, seed: int) -> tuple[Arrays, np.ndarray]:
        notes, given = self.pieces(count, seed, self.context)
        return {"notes": notes} | ({"given": given} if self.harmonises else {}), np.zeros(len(notes))

    def metric(self, outputs: Arrays, truth: np.ndarray) -> float:
        """Nats a frame."""
        return float(-outputs["log_likelihood"].sum(dtype=np.float64) / outputs["frames"].sum())

    def contract(self) -> dict[str, Any]:
        """What a caller must know: what to send, and what comes back."""
        options, frames = self.data.options, f"int32 (batch, time, {self.pitches})"
        alone = f"given int32 (1, {self.device_length}, {self.pitches})" if self.harmonises else "nothing"
        return self.stream_contract() | {
            "representation": "notes",
            "lowest": options.lowest,
            "pitches": self.pitches,
            "frames_a_quarter": options.frames_a_quarter,
            "tempo": self.data.tempo,
            "given": options.given,
            "device_length": self.device_length,
            "device": {
                "step": "notes of the step before, uniforms, temperature and state, of one row → notes and state",
                "initial_state": f"{alone} → the state before the first frame; before that frame nothing sounds",
            }
            if not self.no_stream
            else {"window": f"notes int32 (1, {self.window}, {self.pitches}) → log_likelihood (1,) and frames (1,)"},
            "inputs": {
                "notes": f"{frames} of 0 and 1, −1 after the end; of `step` float32 (batch, {self.pitches})",
                "given": f"{frames}, the voice that is given, −1 after its end",
                "opening": f"{frames}, what is continued, −1 after its end; may be empty",
                "frames": f"int32 (batch,), frames to be generated, 1 to {LONGEST:,}",
                "temperature": "float32 (batch,), above 0",
                "seed": "int32 (batch,)",
                "uniforms": f"float32 (batch, {self.pitches}) in [0, 1), one draw a pitch",
                "rows": "int32 (batch,), any numbers, one a row",
            },
            "outputs": {
                "log_likelihood": "float32 (batch,), nats",
                "frames": "int32 (batch,), how many frames the piece has",
                "notes": f"of `generate` {frames} of 0 and 1; of `step` float32 (batch, {self.pitches})",
                "biases": "float32 (batch, …), what the head drew the notes from",
            },
        }


class _Given(Start):
    """The voice that is given → the state of each row before its first step; of a fixed length on a device."""

    def __init__(self, of: NoteServable, time: int | None):
        super().__init__(of, time is not None)
        self.notes, self.time = of, time

    def signature(self, batch: int | None) -> dict[str, tf.TensorSpec]:
        return self.notes.frames("given", batch, self.time)

    def serve(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return named(voiced(self.notes, inputs["given"]))

    def examples(self, count: int, seed: int) -> tuple[Arrays, np.ndarray]:
        _, given = self.notes.pieces(count, seed, self.time)
        return {"given": given[:GENERATED]}, np.zeros(min(len(given), GENERATED))


class _Step(Endpoint):
    """The notes of the step before and a state → the notes of the step, drawn by uniform numbers, and the state."""

    steps = True

    def __init__(self, of: NoteServable, start: Endpoint):
        self.of, self.start = of, start

    def signature(self, batch: int | None) -> dict[str, tf.TensorSpec]:
        return {
            "notes": tf.TensorSpec([batch, self.of.pitches], tf.float32, "notes"),
            "uniforms": tf.TensorSpec([batch, self.of.pitches], tf.float32, "uniforms"),
            "temperature": tf.TensorSpec([batch], tf.float32, "temperature"),
        } | state_specs(self.start, batch)

    def serve(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        output, state = self.of.stepped(inputs["notes"], inputs)
        notes = self.of.model.head.sample(output, inputs["uniforms"], temperature=inputs["temperature"][:, None])
        return {"notes": tf.cast(notes, tf.float32), "biases": tf.cast(output, tf.float32)} | state

    def examples(self, count: int, seed: int) -> tuple[Arrays, np.ndarray]:
        of, length = self.of, getattr(self.start, "time", None)
        notes, given = of.pieces(count, seed, length or min(of.window, STRETCH))
        past = before_each(sounding(notes)).numpy()
        state = before(self.start, len(notes), given=given)
        ones = np.ones(notes.shape[:2], "float32")
        inputs = {"notes": past, "uniforms": self._clear(past, state, seed), "temperature": ones}
        return inputs | state, notes

    def _clear(self, past: np.ndarray, state: Arrays, seed: int) -> np.ndarray:
        """Uniform numbers (rows, time, pitches), none of them so near a probability that rounding decides."""
        model, rng = self.of.model, np.random.default_rng(seed)
        packed = self.of.packed({name: tf.constant(x) for name, x in state.items()})
        output, _ = model.stream(tf.constant(past), packed)
        found = rng.random(past.shape, "float32")
        for _ in range(TRIES):
            low, high = (
                np.asarray(model.head.sample(output, np.clip(found + shift, 0, 1 - MARGIN).astype("float32")))
                for shift in (-MARGIN, MARGIN)
            )
            near = (low != high).any(axis=-1)
            if not near.any():
                break
            found[near] = rng.random((int(near.sum()), past.shape[-1]), "float32")
        return found

    def metric(self, outputs: Arrays, truth: np.ndarray) -> float:
        """Nats a frame, the state carried from the start of each piece."""
        found = np.asarray(self.of.model.head.log_likelihood(truth, outputs["biases"]), np.float64)
        return float(-found.sum() / (truth != PADDING).all(-1).sum())


class _Window(Endpoint):
    """The score of pieces of a fixed length."""

    def __init__(self, of: NoteServable):
        self.of = of

    def signature(self, batch: int | None) -> dict[str, tf.TensorSpec]:
        specs = self.of.signature(batch)
        return {name: tf.TensorSpec([batch, self.of.window, self.of.pitches], tf.int32, name) for name in specs}

    def serve(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return self.of.serve(inputs)

    def examples(self, count: int, seed: int) -> tuple[Arrays, np.ndarray]:
        notes, given = self.of.pieces(count, seed, self.of.window)
        return {"notes": notes} | ({"given": given} if self.of.harmonises else {}), np.zeros(len(notes))

    def metric(self, outputs: Arrays, truth: np.ndarray) -> float:
        return self.of.metric(outputs, truth)


class _Generate(Endpoint):
    """An opening, or a voice, and settings → the notes that follow, or go with it; the whole loop in the graph."""

    def __init__(self, of: NoteServable):
        self.of = of

    def signature(self, batch: int | None) -> dict[str, tf.TensorSpec]:
        specs = self.of.frames("given" if self.of.harmonises else "opening", batch)
        if not self.of.harmonises:
            specs["frames"] = tf.TensorSpec([batch], tf.int32, "frames")
        return specs | {
            "temperature": tf.TensorSpec([batch], tf.float32, "temperature"),
            "seed": tf.TensorSpec([batch], tf.int32, "seed"),
        }

    def serve(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        of = self.of
        known = inputs["given" if of.harmonises else "opening"]
        real = tf.reduce_sum(tf.cast(tf.reduce_all(known != PADDING, axis=-1), tf.int32), axis=1)
        frames = real if of.harmonises else inputs["frames"]
        conditions = drawable(inputs["temperature"], frames)
        if of.context is not None:
            room = tf.reduce_all((0 if of.harmonises else real) + frames <= of.context)
            conditions.append((room, f"opening and frames together exceed the {of.context} frames of this model"))
        with require(*conditions):
            known, frames = tf.identity(known), tf.identity(frames)
        silence = tf.zeros((tf.shape(known)[0], 1, of.pitches))
        if of.harmonises:
            output, state = of.model.step(silence[:, 0], voiced(of, known))
        else:
            state = of.model.initial_state(tf.shape(known)[0])
            opening = tf.concat([silence, sounding(known)], axis=1)
            output, state, _ = read(of.model.step, state, opening, real + 1)
        choose = NoteChoice(of.model.head, inputs["temperature"], inputs["seed"])
        notes = generate(of.model.step, output, state, tf.reduce_max(frames), choose, lengths=frames)
        return {"notes": tf.cast(notes, tf.int32)}

    def examples(self, count: int, seed: int) -> tuple[Arrays, np.ndarray]:
        of, steps = self.of, FRAMES if self.of.context is None else max(1, min(FRAMES, self.of.context // 2))
        notes, given = of.pieces(GENERATED * steps, seed, steps)
        notes, given = notes[:GENERATED], given[:GENERATED]
        rows = len(notes)
        inputs = {"given": given} if of.harmonises else {"opening": notes, "frames": np.full(rows, steps, "int32")}
        settings = {"temperature": np.ones(rows, "float32"), "seed": seed + np.arange(rows, dtype="int32")}
        return inputs | settings, np.zeros(rows)

    def metric(self, outputs: Arrays, truth: np.ndarray) -> float:
        """Nothing: what is drawn equals Keras's draw or does not."""
        return 0.0


def sounding(notes: tf.Tensor) -> tf.Tensor:
    """Frames of 0, 1 and −1 as a model reads them: nothing sounds in padding."""
    return tf.cast(tf.maximum(notes, 0), tf.float32)


def before_each(frames: tf.Tensor) -> tf.Tensor:
    """The frame before each, silence before the first."""
    return tf.pad(frames, [[0, 0], [1, 0], [0, 0]])[:, :-1]


def voiced(of: NoteServable, given: tf.Tensor) -> Any:
    """The state that begins with what the model makes of a voice."""
    mask = tf.reduce_all(given != PADDING, axis=-1)
    return of.model.initial_state(tf.shape(given)[0], sounding(given), mask)
