"""Which path a recurrence took can be asked, and the answer is what happened."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqlayers import slots
from seqlayers.encoder import recurrent
from seqlayers.testing import equal, to_array
from tests.seqlayers import elsewhere
from tests.seqlayers import reference_recurrent as equations
from tests.seqlayers.cases import CASES
from tests.seqlayers.test_recurrent import float64, holed_mask


def build(**configuration):
    return slots.build("encoder", {"units": 6, **configuration})


@pytest.mark.parametrize(
    "configuration, gpu, why",
    [
        ({"kind": "lstm"}, False, "no GPU"),
        ({"kind": "gru"}, False, "no GPU"),
        ({"kind": "simple_rnn"}, True, "no faster path"),
        ({"kind": "lstm", "recurrent_dropout": 0.1}, True, "`recurrent_dropout`"),
        ({"kind": "gru", "reset_after": False}, True, "`reset_after: false`"),
        ({"kind": "gru", "layer_norm": True}, True, "cell of their own"),
        ({"kind": "lstm", "zoneout": 0.1}, True, "cell of their own"),
        ({"kind": "lstm"}, True, "'tensorflow' has no faster path"),  # a GPU is claimed, and Keras finds none
    ],
)
def test_the_loop_says_why_it_ran(configuration, gpu, why, monkeypatch):
    monkeypatch.setattr(recurrent, "has_gpu", lambda: gpu)
    layer = build(**configuration)
    assert (layer.path, layer.why_loop) == ("none yet", None)
    layer(np.zeros((2, 5, 3), "float32"))
    assert layer.path == "loop"
    assert why in layer.why_loop


@pytest.fixture
def cudnn(monkeypatch):
    """A stand-in for the kernel, by the equations, in the place where Keras decides; the calls it had are returned."""
    calls = []

    def stand_in(kind):
        def run(inputs, *states, kernel, recurrent_kernel, bias, **settings):
            *_, mask = states
            calls.append(mask)
            weights = [np.asarray(keras.ops.convert_to_numpy(w), np.float64) for w in (kernel, recurrent_kernel, bias)]
            y = equations.recurrence({"kind": kind, "units": 6}, weights, np.asarray(inputs, np.float64))
            y = tf.constant(y, "float32")
            return y[:, -1], y, list(states[:-1])

        return run

    for kind in ("lstm", "gru"):
        monkeypatch.setattr(f"keras.src.backend.{kind}", stand_in(kind))
    monkeypatch.setattr(recurrent, "has_gpu", lambda: True)
    return calls


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_the_faster_path_is_told_where_keras_takes_it(kind, cudnn):
    layer, x = CASES[kind].layer(), CASES[kind].input()
    layer(x)
    assert (layer.path, layer.why_loop, len(cudnn)) == ("cudnn", None, 2)  # the case was called once to be built


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_the_faster_path_serves_masks_wherever_they_stand(kind, cudnn):
    layer, x, mask = CASES[kind].layer(), CASES[kind].input(), holed_mask()
    mask[0] = False  # which the kernel itself would refuse
    found = to_array(layer(x, mask=tf.constant(mask)))
    assert layer.path == "cudnn" and cudnn == [None, None], "the kernel is given no mask"
    expected = equations.recurrence(CASES[kind].configuration, float64(layer), x.astype(np.float64), mask)
    equal(found[mask], expected[mask], kind)
    assert np.isfinite(found).all()


def test_a_compiled_function_tells_of_its_last_trace():
    layer = build(kind="gru")
    compiled = tf.function(layer, reduce_retracing=True)
    assert layer.path == "none yet"
    compiled(tf.zeros((2, 5, 3)))
    assert layer.path == "loop"


PROGRAM = """
import json, sys
import keras
import numpy as np
from seqlayers import slots
from seqlayers.encoder.recurrent import has_gpu
from seqlayers.testing import Example

mask, paths = np.array(json.loads(sys.argv[1])), {}
random = {"dropout": 0.1, "recurrent_dropout": 0.1, "zoneout": 0.1, "layer_norm": True}
for kind in ("gru", "lstm", "simple_rnn"):
    example = Example("encoder", {"kind": kind, "units": 6})
    layer = example.layer()
    y = np.asarray(layer(example.input(), mask=mask))
    paths[kind] = [layer.path, layer.why_loop, y[mask].tolist()]
    trained = keras.Sequential([slots.build("encoder", {"kind": kind, "units": 6, **random}), keras.layers.Dense(1)])
    trained.compile(keras.optimizers.Adam(0.03), "mse")
    x = np.random.default_rng(0).normal(size=(64, 8, 3)).astype("float32")
    losses = trained.fit(x, x[..., :1], epochs=8, batch_size=16, verbose=0).history["loss"]
    paths[kind] += [losses[0], losses[-1]]
print(json.dumps([has_gpu(), paths]))
"""


@pytest.mark.slow
def test_on_jax_the_gru_takes_its_scan_with_any_mask_and_all_train_with_what_is_random():
    mask = holed_mask()
    printed = elsewhere.run("jax", "-c", PROGRAM, json.dumps(mask.tolist()))
    gpu, found = json.loads(printed.splitlines()[-1])
    paths = {"gru": "scan", "lstm": "cudnn" if gpu else "loop", "simple_rnn": "loop"}
    for kind, (path, why, y, first, last) in found.items():
        assert path == paths[kind] and (why is None) == (path != "loop")
        here = to_array(CASES[kind].layer()(CASES[kind].input(), mask=tf.constant(mask)))
        equal(y, here[mask], f"{kind} on JAX")
        assert last < 0.7 * first, f"{kind} does not learn on JAX: {first} to {last}"
