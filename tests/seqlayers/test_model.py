"""A model is its rows: one after the other, side by side, each channel alone, whole or step by step."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from seqlayers import slots
from seqlayers.errors import ConfigurationError
from seqlayers.model import SequenceModel
from seqlayers.testing import equal

TASK = {"horizon": 6, "targets": 2}
GRU = {"encoder": [{"kind": "gru", "units": 4}], "pooling": {"kind": "last"}}
CONVOLUTION = {
    "embedding": {"kind": "value", "units": 5},
    "encoder": [{"kind": "convolution", "units": 3}],
    "pooling": {"kind": "mean"},
}
FORECAST = {"head": {"kind": "forecast", "hidden": 4}}
QUANTILE = {"head": {"kind": "quantile"}}

MODELS: dict[str, dict[str, Any]] = {
    "one row": {
        "normalise": {"kind": "reversible", "affine": True},
        "embedding": {"kind": "value", "units": 8},
        "position": {"kind": "sinusoidal"},
        "encoder": [{"kind": "transformer", "units": 8, "heads": 2, "feed_forward": 8}, {"kind": "lstm", "units": 4}],
        "pooling": {"kind": "mean"},
        **QUANTILE,
    },
    "patches": {
        "embedding": {"kind": "patch", "length": 4, "stride": 4, "units": 8},
        "position": {"kind": "learned", "length": 6},
        "encoder": [{"kind": "transformer", "units": 8, "heads": 2, "feed_forward": 8, "causal": False}],
        **FORECAST,
    },
    "channels alone": {
        "normalise": {"kind": "reversible"},
        "channels": "independent",
        "encoder": [{"kind": "segment_gru", "units": 6, "segment": 4}],
        "pooling": {"kind": "last"},
        **QUANTILE,
    },
    "a row beside branches": {**GRU, **FORECAST, "join": "blend", "branches": [{**CONVOLUTION, **FORECAST}]},
    "concatenated": {"normalise": {"kind": "reversible"}, "branches": [GRU, CONVOLUTION], **FORECAST},
    "blended": {"join": "blend", "branches": [{**GRU, **QUANTILE}, {**CONVOLUTION, **QUANTILE}]},
    "summed": {"join": "sum", "branches": [{"head": {"kind": "linear"}}, {**GRU, **FORECAST}]},
}

every_model = pytest.mark.parametrize("name", MODELS)


def data(batch=3, time=24):
    rng = np.random.default_rng(0)
    return {
        "past": rng.normal(size=(batch, time, 4)).astype("float32"),
        "ahead": rng.normal(size=(batch, 6, 3)).astype("float32"),
    }


def made(configuration, inputs=None):
    """The model, built, with weights that are all drawn at random."""
    model = SequenceModel.for_task(configuration, **TASK)
    model(data() if inputs is None else inputs)
    rng = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(rng.normal(scale=0.3, size=weight.shape))
    return model


@every_model
def test_a_saved_model_is_the_same_model(name, tmp_path):
    model = made(MODELS[name])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    equal(loaded(data()), model(data()), name, tolerance=0)
    assert loaded.to_configuration() == model.to_configuration()


@pytest.mark.parametrize("name", [n if n == "blended" else pytest.param(n, marks=pytest.mark.slow) for n in MODELS])
def test_a_model_trains_and_is_saved_and_loaded_after_it(name, tmp_path):
    model, inputs = made(MODELS[name]), data(16)
    target = np.random.default_rng(2).normal(size=(16, 6, 2)).astype("float32")
    model.compile(keras.optimizers.Adam(0.01), model.loss_function)
    losses = model.fit(inputs, target, epochs=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    model.save(tmp_path / "model.keras")
    equal(keras.saving.load_model(tmp_path / "model.keras")(inputs), model(inputs), name, tolerance=0)


@every_model
def test_the_forecast_has_the_shape_of_the_task(name):
    model = made(MODELS[name])
    y = model(data())
    assert tuple(y.shape)[:3] == (3, 6, 2)
    assert tuple(model.head.predict(y).shape) == (3, 6, 2)


def test_concatenated_branches_stand_side_by_side_before_the_head():
    model, inputs = made({"branches": [GRU, CONVOLUTION], **FORECAST}), data()
    features = np.concatenate([np.asarray(row(inputs["past"])) for row in model.rows], axis=-1)
    assert features.shape == (3, 7)
    equal(model(inputs), model.head(features, ahead=inputs["ahead"]), "it")


@pytest.mark.parametrize("head", [FORECAST, QUANTILE])
def test_blended_branches_are_weighted_by_a_softmax_a_step_and_target(head):
    model, inputs = made({"join": "blend", "branches": [{**GRU, **head}, {**CONVOLUTION, **head}]}), data()
    first, second = (np.asarray(row(inputs), np.float64) for row in model.rows)
    v = np.asarray(model.mixture, np.float64)
    w = np.exp(v) / np.exp(v).sum(axis=0)
    assert w.shape == ((2, 6, 2, 1) if head is QUANTILE else (2, 6, 2))
    equal(model(inputs), w[0] * first + w[1] * second, "it")


def test_summed_branches_add_up():
    model, inputs = made(MODELS["summed"]), data()
    equal(model(inputs), sum(np.asarray(row(inputs)) for row in model.rows), "it")


@pytest.mark.parametrize("head", [FORECAST, QUANTILE])
def test_independent_channels_are_each_forecast_alone(head):
    row = {"normalise": {"kind": "reversible"}, **GRU, **head}
    model, inputs = made({**row, "channels": "independent"}), data()
    alone = SequenceModel.for_task(row, horizon=6, targets=1)
    one = lambda c: {"past": inputs["past"][:, :, c : c + 1], "ahead": inputs["ahead"]}  # noqa: E731
    alone(one(0))
    alone.set_weights(model.get_weights())
    expected = np.concatenate([np.asarray(alone(one(c))) for c in range(2)], axis=2)
    equal(model(inputs), expected, "it")


def test_fewer_channels_than_targets_are_refused():
    model = SequenceModel.for_task({**GRU, **FORECAST, "channels": "independent"}, horizon=6, targets=5)
    with pytest.raises(ValueError, match=r"model has `channels: independent` for 5 targets, but was given 4 channels"):
        model(data())


STREAMS = {
    "one row": {
        "normalise": {"kind": "none"},
        "embedding": {"kind": "value", "units": 8},
        "position": {"kind": "sinusoidal"},
        "encoder": [
            {"kind": "transformer", "units": 8, "heads": 2, "feed_forward": 8, "window": 4},
            {"kind": "convolution", "units": 6, "dilation": 2},
            {"kind": "gru", "units": 5},
        ],
        "pooling": {"kind": "mean"},
        **QUANTILE,
    },
    "concatenated": {"branches": [GRU, CONVOLUTION], **FORECAST},
    "blended": {"join": "blend", "branches": [{**GRU, **QUANTILE}, {**CONVOLUTION, **QUANTILE}]},
    "summed": {"join": "sum", "branches": [{**GRU, **FORECAST}, {**CONVOLUTION, **FORECAST}]},
}


@pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")  # after one step there is one key
@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("with_ahead", [True, False])
def test_a_model_step_by_step_is_the_model_of_all_steps_so_far(name, with_ahead):
    inputs = data(time=9)
    if not with_ahead:
        inputs = inputs["past"]
    model = made(STREAMS[name], inputs)
    past, ahead = (inputs["past"], inputs["ahead"]) if with_ahead else (inputs, None)
    state = model.initial_state(3)
    for t in range(9):
        y, state = model.step(ops.convert_to_tensor(past[:, t]), state, ahead=ahead)
        so_far = past[:, : t + 1]
        equal(y, model({"past": so_far, "ahead": ahead} if with_ahead else so_far), f"{name} after step {t}")


@pytest.mark.parametrize(
    "configuration, culprit",
    [
        ({"normalise": {"kind": "reversible"}, **GRU, **FORECAST}, "normalise 'reversible'"),
        ({"normalise": {"kind": "reversible"}, "branches": [GRU, CONVOLUTION], **FORECAST}, "normalise 'reversible'"),
        ({"embedding": {"kind": "patch"}, **GRU, **FORECAST}, "embedding 'patch'"),
        ({"head": {"kind": "linear"}}, "head 'linear'"),
    ],
)
def test_a_model_that_cannot_stream_says_which_kind_is_the_reason(configuration, culprit):
    model = SequenceModel.for_task(configuration, **TASK)
    with pytest.raises(slots.Refused, match=f"{culprit} cannot do 'streams'"):
        model.initial_state(1)


def test_a_mask_reaches_every_kind_of_the_row():
    model = made({**MODELS["one row"], "pooling": {"kind": "last"}})
    inputs, mask = data(), np.ones((3, 24), bool)
    mask[:, 17:] = False
    short = {"past": inputs["past"][:, :17], "ahead": inputs["ahead"]}
    other = {"past": np.where(mask[..., None], inputs["past"], 1e3), "ahead": inputs["ahead"]}
    equal(model(other, mask=ops.convert_to_tensor(mask)), model(short), "it")


def test_padding_cannot_be_left_out_without_a_pooling():
    model = made({"encoder": [{"kind": "gru", "units": 4}], **FORECAST})
    with pytest.raises(ValueError, match=r"'forecast' is given a whole sequence.*Put a pooling before it"):
        model(data(), mask=np.ones((3, 24), bool))


@pytest.mark.parametrize(
    "configuration, message",
    [
        ({"branches": [GRU], **FORECAST}, "two rows to join"),
        ({"join": "blend", "branches": [{**GRU, **FORECAST}]}, "two rows to join"),
        ({"join": "sum", **GRU, "branches": [{**GRU, **FORECAST}]}, r"model\.head"),
        ({"branches": [GRU, GRU]}, "share a head"),
        ({"branches": [GRU, GRU], "pooling": {"kind": "last"}, **FORECAST}, "share a head"),
        ({"branches": [GRU, GRU], "channels": "independent", **FORECAST}, "share a head"),
        ({"branches": [GRU, GRU], "head": {"kind": "tag", "classes": 3}}, r"model\.head: 'tag' gives .* are pooled"),
        ({"branches": [GRU, {**GRU, **FORECAST}], **FORECAST}, r"model\.branches\.1: head and normalise stand beside"),
        ({"branches": [GRU, {"encoder": []}], **FORECAST}, r"model\.branches\.1\.pooling"),
        ({"join": "blend", "branches": [GRU, {**GRU, **FORECAST}]}, r"model\.branches\.0\.head"),
        ({"join": "blend", "branches": [{**GRU, **QUANTILE}, {**GRU, **FORECAST}]}, "heads of different outputs"),
        ({"join": "mix", "branches": [GRU, GRU], **FORECAST}, r"model\.join: 'mix' given.*concatenate, blend, sum"),
        ({"channels": "alone", **GRU, **FORECAST}, r"model\.channels: 'alone' given.*mixed, independent"),
        ({"decoder": {"kind": "recurrent"}, **FORECAST}, r"model\.decoder"),
    ],
)
def test_rows_that_do_not_fit_together_are_refused(configuration, message):
    with pytest.raises(ConfigurationError, match=message):
        SequenceModel.for_task(configuration, **TASK)


def test_the_tag_names_the_kinds_in_order():
    assert made(STREAMS["one row"]).summary_tag() == "value>sinusoidal>transformer>convolution>gru>mean>quantile"
    assert made(MODELS["concatenated"]).summary_tag() == "(gru>last | value>convolution>mean)>reversible>forecast"
    assert made(MODELS["blended"]).summary_tag() == "gru>last>quantile ~ value>convolution>mean>quantile"
