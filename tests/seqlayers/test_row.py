"""What may stand beside what in a row; ids, positions, decoders and heads that speak at each step."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from seqlayers.errors import ConfigurationError
from seqlayers.model import SequenceModel
from seqlayers.testing import equal

TASK = {"vocabulary": 9, "classes": 3, "horizon": 4, "targets": 1}
TOKEN = {"embedding": {"kind": "token", "units": 8}}
ATTENTION = {"kind": "transformer", "units": 8, "heads": 2, "feed_forward": 8}
DECODERS = {
    "transformer": ATTENTION | {"capacity": 12},
    "recurrent": {"kind": "recurrent", "layer": {"kind": "gru", "units": 8}},
}
IDS = np.random.default_rng(0).integers(1, 9, (3, 6)).astype("int32")
TARGET = np.random.default_rng(1).integers(1, 9, (3, 5)).astype("int32")

MODELS = {
    "tied": {**TOKEN, "encoder": [{"kind": "gru", "units": 8}], "head": {"kind": "tokens", "tied": True}},
    "rotary": {
        **TOKEN,
        "position": {"kind": "rotary"},
        "encoder": [ATTENTION | {"window": 4}],
        "head": {"kind": "tag"},
    },
    "relative": {
        **TOKEN,
        "position": {"kind": "relative"},
        "encoder": [ATTENTION | {"window": 4}, ATTENTION | {"window": 4}],
        "head": {"kind": "tag"},
    },
    "sentence": {
        "normalise": {"kind": "none"},
        **TOKEN,
        "encoder": [{"kind": "lstm", "units": 4}],
        "pooling": {"kind": "max"},
        "head": {"kind": "classify"},
    },
} | {
    f"decoder {name}": {
        **TOKEN,
        "position": {"kind": "sinusoidal"},
        "encoder": [ATTENTION | {"causal": False}],
        "decoder": [decoder],
        "head": {"kind": "tokens"},
    }
    for name, decoder in DECODERS.items()
}


def inputs(name):
    return {"past": IDS, "target": TARGET} if name.startswith("decoder") else IDS


def made(name):
    model = SequenceModel.for_task(MODELS[name], **TASK)
    model(inputs(name))
    rng = np.random.default_rng(2)
    for weight in model.weights:
        weight.assign(rng.normal(scale=0.3, size=weight.shape))
    return model


@pytest.mark.parametrize("name", MODELS)
def test_a_saved_model_is_the_same_model(name, tmp_path):
    model = made(name)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    equal(loaded(inputs(name)), model(inputs(name)), name, tolerance=0)
    assert loaded.to_configuration() == model.to_configuration()
    assert len(loaded.weights) == len(model.weights)


@pytest.mark.parametrize("name", MODELS)
def test_steps_and_chunks_give_the_whole(name):
    model = made(name)
    whole = np.asarray(model(inputs(name)))
    source = (IDS,) if name.startswith("decoder") else ()
    x = TARGET if source else IDS
    state, steps = model.initial_state(3, *source), []
    for t in range(x.shape[1]):
        y, state = model.step(ops.convert_to_tensor(x[:, t]), state)
        steps.append(np.asarray(y))
    y, state = model.stream(x[:, :2], model.initial_state(3, *source))
    z, _ = model.stream(x[:, 2:], state)
    if whole.ndim == 2:
        equal(steps[-1], whole, "the last step")
        equal(z, whole, "the last chunk")
    else:
        equal(np.stack(steps, 1), whole, "steps")
        equal(np.concatenate([y, z], 1), whole, "chunks")


@pytest.mark.parametrize("name", [n for n in MODELS if n.startswith("decoder")])
def test_a_decoder_sees_all_of_the_source_and_none_of_the_targets_future(name):
    model = made(name)
    whole = np.asarray(model(inputs(name)))
    other = IDS.copy()
    other[:, -1] = other[:, -1] % 8 + 1
    assert np.abs(np.asarray(model({"past": other, "target": TARGET})) - whole)[:, 0].max() > 1e-4
    later = TARGET.copy()
    later[:, 3:] = later[:, 3:] % 8 + 1
    moved = np.asarray(model({"past": IDS, "target": later}))
    equal(moved[:, :3], whole[:, :3], "outputs before the change")
    assert np.abs(moved[:, 3:] - whole[:, 3:]).max() > 1e-4


@pytest.mark.parametrize("name", [n for n in MODELS if n.startswith("decoder")])
def test_padding_of_the_source_is_as_if_it_were_not_there(name):
    configuration = {**MODELS[name], "embedding": {**TOKEN["embedding"], "mask_zero": True}}
    model = SequenceModel.for_task(configuration, **TASK)
    padded = np.concatenate([IDS, np.zeros((3, 4), "int32")], axis=1)
    equal(model({"past": padded, "target": TARGET}), model({"past": IDS, "target": TARGET}), "with padding")
    state = model.initial_state(3, padded, padded != 0)
    equal(model.stream(TARGET, state)[0], model({"past": IDS, "target": TARGET}), "streamed")


def test_tied_weights_are_one_and_are_trained_from_both_sides():
    model = made("tied")
    tables = [w for w in model.trainable_weights if tuple(w.shape) == (9, 8)]
    assert len(tables) == 1
    state, y = np.asarray(model.rows[0].encoder[0](model.rows[0].embedding(IDS))), np.asarray(model(IDS))
    table = np.asarray(tables[0])
    equal(y - (state @ table.T), (y - state @ table.T)[:1, :1] + np.zeros_like(y), "what is left is the bias")


@pytest.mark.parametrize(
    "configuration, message",
    [
        (
            {
                **TOKEN,
                "position": {"kind": "rotary"},
                "encoder": [{"kind": "gru", "units": 8}],
                "head": {"kind": "tag"},
            },
            r"model\.position: 'rotary' acts inside attention, but 'gru' stands behind it.*sinusoidal",
        ),
        (
            {**TOKEN, "position": {"kind": "alibi"}, "head": {"kind": "tag"}},
            r"'alibi' acts inside attention, but nothing",
        ),
        (
            {"encoder": [{"kind": "gru"}], "pooling": {"kind": "last"}, "head": {"kind": "tag"}},
            r"model\.pooling: head 'tag' gives an output for each step, but pooling 'last' leaves one",
        ),
        (
            {"normalise": {"kind": "reversible"}, **TOKEN, "head": {"kind": "tag"}},
            r"model\.normalise: .*ids have no level",
        ),
        ({"head": {"kind": "tokens", "tied": True}}, r"model\.head\.tied: .*token table, but there is none"),
        (
            {"embedding": {"kind": "one_hot"}, "head": {"kind": "tokens", "tied": True}},
            r"embedding 'one_hot' has none",
        ),
        (
            {**TOKEN, "channels": "independent", "head": {"kind": "forecast"}},
            r"model\.channels: 'independent' is for read",
        ),
        (
            {"normalise": {"kind": "reversible"}, "decoder": [ATTENTION], "head": {"kind": "tag"}},
            r"model\.normalise: 'reversible' knows the level of the past, not of the target",
        ),
        ({"encoder": {"kind": "gru"}, "head": {"kind": "tag"}}, r"model\.encoder: .*a list of kinds"),
        (
            {**TOKEN, "position": {"kind": "rotary"}, "encoder": [ATTENTION | {"heads": 8}], "head": {"kind": "tag"}},
            r"model\.position.*8",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(configuration, message):
    with pytest.raises(ConfigurationError, match=message):
        SequenceModel.for_task(configuration, **TASK)


WINDOW = {"encoder": [{"kind": "gru", "units": 4}], "pooling": {"kind": "last"}, "head": {"kind": "forecast"}}


@pytest.mark.parametrize("subtract", ["last", "mean"])
@pytest.mark.parametrize("around", ["row", "branches", "blend", "independent"])
def test_a_window_of_one_step_cannot_be_normalised(around, subtract):
    reversible, x = {"normalise": {"kind": "reversible", "subtract": subtract}}, np.ones((2, 1, 3), "float32")
    branch = {key: WINDOW[key] for key in ("encoder", "pooling")}
    row, path = {
        "row": (WINDOW | reversible, "model"),
        "branches": ({"branches": [branch, branch], "head": WINDOW["head"]} | reversible, "model"),
        "blend": ({"join": "blend", "branches": [WINDOW, WINDOW | reversible]}, "model.branches.1"),
        "independent": (WINDOW | reversible | {"channels": "independent"}, "model"),
    }[around]
    for inputs in (x, {"past": x}, keras.Input((1, 3))):
        with pytest.raises(ConfigurationError, match=rf"^{path}\.normalise\.kind: 'reversible'.*zeros.*Use `none`"):
            SequenceModel.for_task(row, **TASK)(inputs)
    SequenceModel.for_task(row, **TASK)(np.ones((2, 2, 3), "float32"))
    SequenceModel.for_task(row, **TASK)(keras.Input((None, 3)))


def test_a_single_step_is_a_window_where_nothing_is_normalised():
    model = SequenceModel.for_task(WINDOW | {"normalise": {"kind": "none"}}, **TASK)
    x = np.random.default_rng(0).normal(size=(2, 1, 3)).astype("float32")
    y = np.asarray(model(x))
    assert np.abs(np.asarray(model(2 * x)) - y).max() > 1e-4
    equal(model.step(ops.convert_to_tensor(x[:, 0]), model.initial_state(2))[0], y, "the step")


def test_what_a_model_has_no_use_for_is_refused():
    with pytest.raises(ValueError, match=r"takes `past`, `ahead`, `target` by name, but was given 'aheads'"):
        made("tied")({"past": IDS, "aheads": IDS})


def test_a_decoder_without_a_target_or_a_source_is_refused():
    model = made("decoder transformer")
    with pytest.raises(ValueError, match=r"needs \{past, target\}; there is no target"):
        model({"past": IDS})
    with pytest.raises(ValueError, match="begins with what the encoders make of a source"):
        model.initial_state(3)


def test_a_head_that_reads_the_whole_sequence_does_not_stream():
    model = SequenceModel.for_task({"encoder": [{"kind": "gru", "units": 4}], "head": {"kind": "forecast"}}, **TASK)
    model(np.zeros((1, 5, 2), "float32"))
    with pytest.raises(ConfigurationError, match="'forecast' reads a whole sequence, and cannot stream"):
        model.initial_state(1)


def test_a_normalisation_is_undone_for_forecasts_and_for_nothing_else():
    keras.utils.set_random_seed(0)
    model = SequenceModel.for_task(
        {
            "normalise": {"kind": "reversible"},
            "encoder": [{"kind": "gru", "units": 4}],
            "pooling": {"kind": "last"},
            "head": {"kind": "classify"},
        },
        **TASK,
    )
    x = np.random.default_rng(0).normal(size=(3, 6, 2)).astype("float32")
    equal(model(x), model(5 + 3 * x), "which class it is does not hang on level and scale", tolerance=1e-4)
