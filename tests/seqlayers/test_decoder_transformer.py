"""The Transformer's decoder block is its equation; it streams with its memory in its state."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from seqlayers import slots
from seqlayers.testing import Example, equal
from tests.seqlayers import reference_attention as reference
from tests.seqlayers.gradients import check_gradients

SMALL = {"kind": "transformer", "units": 8, "heads": 2, "feed_forward": 12}


def made(source=4, width=8, rows=2, **settings):
    """(a decoder, its weights in float64, memory of another width if asked, its mask), seeded."""
    case = Example("decoder", SMALL | settings, features=8, time=5, memory=source)
    rng = np.random.default_rng(4)
    memory = rng.normal(size=(rows, source, width)).astype("float32")
    layer = slots.build("decoder", SMALL | settings)
    layer(case.input()[:1], memory[:1])
    for weight in layer.weights:
        weight.assign(rng.normal(scale=0.3, size=weight.shape))
    mask = np.arange(source) < np.array([[source], [source - 2]])[:rows]
    return layer, case.input()[:rows], memory, mask


@pytest.mark.parametrize(
    "settings, width",
    [({}, 8), ({"norm": "post", "activation": "relu", "window": 2}, 5), ({"normalisation": "rms", "heads": 4}, 8)],
    ids=str,
)
def test_outputs_and_gradients_are_those_of_the_equation(settings, width):
    layer, x, memory, mask = made(width=width, **settings)
    allowed = reference.banded(window=settings.get("window"))

    def equation(x, memory, values):
        w = reference.named(layer, values)
        return reference.block(layer, x, w, allowed, memory=memory, seen=lambda row, s, t: mask[row, t])

    x64, m64 = x.astype(np.float64), memory.astype(np.float64)
    values = [np.asarray(w, np.float64) for w in layer.weights]
    equal(layer(x, memory, memory_mask=mask), equation(x64, m64, values), "the block")
    call = lambda x: layer(x, memory, memory_mask=mask)  # noqa: E731
    check_gradients(layer, call, lambda x, w: equation(x, m64, w), x, directions=1)
    of_memory = lambda m: layer(x, m, memory_mask=mask)  # noqa: E731
    check_gradients(layer, of_memory, lambda m, _: equation(x64, m, values), memory, weights=[], directions=3)


def test_what_is_masked_in_the_memory_changes_nothing():
    layer, x, memory, mask = made()
    other = np.where(mask[..., None], memory, 1e3).astype("float32")
    equal(layer(x, other, memory_mask=mask), layer(x, memory, memory_mask=mask), "the output")
    alone = layer(x[1:], memory[1:, :2])
    equal(layer(x, memory, memory_mask=mask)[1:], alone, "a padded memory and the same without padding")


def test_every_step_sees_the_whole_memory_and_no_later_step():
    layer, x, memory, _ = made()
    y = np.asarray(layer(x, memory))
    moved = memory.copy()
    moved[:, -1] += 1
    assert (np.abs(np.asarray(layer(x, moved)) - y).max(axis=(0, 2)) > 1e-4).all()
    later = x.copy()
    later[:, 3:] += 1
    equal(layer(later, memory)[:, :3], y[:, :3], "earlier steps", tolerance=1e-6)


@pytest.mark.parametrize("settings", [{"window": 2}, {"capacity": 5}])
def test_a_stream_keeps_the_memory_and_its_mask(settings):
    layer, x, memory, mask = made(width=5, **settings)
    whole = layer(x, memory, memory_mask=mask)
    for cuts in ([], [1, 4], [1, 2, 3, 4]):
        state, found = layer.initial_state(2, memory, memory_mask=mask), []
        for chunk in np.split(x, cuts, axis=1):
            y, state = layer.stream(ops.convert_to_tensor(chunk), state)
            found.append(np.asarray(y))
        equal(np.concatenate(found, axis=1), whole, f"a stream cut at {cuts}")


def test_rows_whose_memories_changed_go_on_by_themselves():
    layer, x, memory, mask = made(window=3)
    first, second = layer.initial_state(2, memory, mask), layer.initial_state(2, memory[::-1], mask[::-1])
    mixed = keras.tree.map_structure(lambda a, b: ops.concatenate([a[:1], b[1:]], axis=0), first, second)
    y, _ = layer.stream(ops.convert_to_tensor(x), mixed)
    equal(y, layer(x, memory[[0, 0]], memory_mask=mask[[0, 0]]), "both rows")


def test_a_missing_memory_is_refused_by_name():
    layer, x, *_ = made(window=3)
    fresh = slots.build("decoder", SMALL)
    for call in (lambda: fresh(x), lambda: layer(x), lambda: layer.initial_state(2)):
        with pytest.raises(ValueError, match=r"decoder 'transformer' reads a memory.*but was given none"):
            call()


def test_a_memory_of_the_wrong_rank_is_refused_by_name():
    layer, x, memory, _ = made(window=3)
    fresh, pooled = slots.build("decoder", SMALL), memory[:, 0]
    for call in (lambda: fresh(x, pooled), lambda: layer(x, pooled), lambda: layer.initial_state(2, pooled)):
        with pytest.raises(ValueError, match=r"decoder 'transformer' reads a memory.*given 2 axes.*not pooled"):
            call()


@pytest.mark.parametrize("mask", [np.ones((2, 3), bool), np.ones((2, 4), "float32"), np.ones((4,), bool)])
def test_a_mask_that_does_not_fit_the_memory_is_refused_by_name(mask):
    layer, x, memory, _ = made(window=3)
    for call in (lambda: layer(x, memory, memory_mask=mask), lambda: layer.initial_state(2, memory, mask)):
        with pytest.raises(
            ValueError, match=r"decoder 'transformer' takes a mask .* each step of \(2, 4, 8\), but was"
        ):
            call()


def test_another_width_of_its_own_sequence_is_refused():
    with pytest.raises(ValueError, match=r"decoder 'transformer' has 8 units, but its input has 5 features"):
        slots.build("decoder", SMALL)(np.zeros((1, 4, 5), "float32"), np.zeros((1, 4, 5), "float32"))
