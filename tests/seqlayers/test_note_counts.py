"""How often each pitch sounds after sounding, and after silence: counts, and what they are held against."""

from __future__ import annotations

import numpy as np
import pytest

from seqlayers import slots
from seqlayers.head.note_counts import NoteCounts
from seqlayers.model import SequenceModel
from seqlayers.testing import equal

PITCHES = 3


def piece(seed=0, rows=4, time=30):
    """The step before each, and chords that mostly stay as they are; the end of a row is padding."""
    rng = np.random.default_rng(seed)
    frames = np.zeros((rows, time + 1, PITCHES), "int32")
    for t in range(1, time + 1):
        moved = rng.random((rows, PITCHES)) < (0.1, 0.3, 0.5)
        frames[:, t] = np.where(moved, 1 - frames[:, t - 1], frames[:, t - 1])
    target = frames[:, 1:].copy()
    target[0, 20:] = -1
    return frames[:, :-1].astype("float32"), target


def counted(batches, **settings):
    head = NoteCounts(pitches=PITCHES, **settings)
    head.adapt(batches, [])
    return head


@pytest.mark.parametrize("context", [0, 1])
@pytest.mark.parametrize("smoothing", [1.0, 0.25])
def test_probabilities_are_those_of_the_counts(context, smoothing):
    before, target = piece()
    halves = [(before[:2], target[:2]), ({"past": before[2:], "reset": np.ones(2, bool)}, target[2:])]
    head = counted(halves, context=context, smoothing=smoothing)
    p = np.asarray(head.predict(head(before)))
    real = target[..., 0] >= 0
    for i in range(PITCHES):
        for was in (0, 1):
            like = real & ((before[..., i] == was) if context else True)
            expected = (target[like, i].sum() + smoothing) / (like.sum() + 2 * smoothing)
            equal(p[before[..., i] == was][:, i], np.full((before[..., i] == was).sum(), expected), f"{i} after {was}")


def test_it_is_a_model_whose_loss_and_draws_are_those_of_independent_notes():
    before, target = piece()
    model = SequenceModel.for_task({"head": {"kind": "note_counts"}}, pitches=PITCHES)
    model.adapt([(before, target)], [])
    assert not model.needs_fit
    notes = slots.build("head", {"kind": "notes", "pitches": PITCHES, "conditioned": False})
    y = model(before)
    equal(model.loss_function(target, y), notes.loss(target, y), "the loss")
    uniforms = np.random.default_rng(1).random(before.shape, "float32")
    equal(model.head.sample(y, uniforms), notes.sample(y, uniforms), "the draws")
    assert model.head.output_kind == notes.output_kind
    state = model.initial_state(4)
    stepped = [model.step(before[:, t], state)[0] for t in range(30)]
    equal(np.stack(stepped, axis=1), y, "streamed")


def test_before_it_is_adapted_it_says_nothing_and_without_a_step_it_cannot_be():
    before, target = piece()
    assert np.isnan(np.asarray(NoteCounts(pitches=PITCHES)(before))).all()
    for batches in ([], [(before, np.full_like(target, -1))]):
        with pytest.raises(ValueError, match=r"'note_counts' cannot be solved: there is no step in training"):
            counted(batches)


def test_what_are_no_notes_is_refused():
    before, target = piece()
    with pytest.raises(ValueError, match=r"'note_counts' counts inputs of 0 and 1"):
        counted([(before * 0.5, target)])
    with pytest.raises(ValueError, match=r"'note_counts' takes as targets 0, 1 and −1.*given 2"):
        counted([(before, np.where(target == 1, 2, target))])
    with pytest.raises(ValueError, match=r"'note_counts' takes the step before, of 3 pitches, but was given 2"):
        NoteCounts(pitches=PITCHES)(before[..., :2])
