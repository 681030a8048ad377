"""A wrong configuration is refused with its place, what was given and what is accepted."""

from __future__ import annotations

import json

import numpy as np
import pytest

from seqlayers import slots
from seqlayers.errors import ConfigurationError
from seqlayers.model import SequenceModel
from tests.seqlayers.cases import CASES

TASK = {"horizon": 3, "targets": 1}
HEAD = {"head": {"kind": "forecast"}}


def refused(configuration, *parts):
    with pytest.raises(ConfigurationError) as caught:
        SequenceModel.for_task(configuration, **TASK)
    message = str(caught.value)
    for part in parts:
        assert part in message, f"{part!r} is not in: {message}"


def test_an_unknown_slot():
    refused({**HEAD, "encoders": []}, "model.encoders", "no such part", "encoder", "pooling")


def test_an_unknown_kind_with_the_nearest():
    refused({**HEAD, "encoder": [{"kind": "gur"}]}, "model.encoder.0.kind", "'gur'", "Did you mean 'gru'?", "lstm")


def test_an_unknown_argument_with_the_nearest():
    wrong = {**HEAD, "encoder": [{"kind": "gru"}, {"kind": "lstm", "unit": 3}]}
    refused(wrong, "model.encoder.1.unit", "encoder 'lstm' has no argument 'unit'", "Did you mean 'units'?", "int ≥ 1")


@pytest.mark.parametrize(
    "encoder, parts",
    [
        ({"kind": "gru", "units": "many"}, ["model.encoder.0.units", "'many' given", "int ≥ 1"]),
        ({"kind": "gru", "units": 0}, ["model.encoder.0.units", "0 given", "greater than or equal to 1"]),
        ({"kind": "gru", "units": 2.5}, ["model.encoder.0.units", "2.5 given"]),
        ({"kind": "gru", "units": True}, ["model.encoder.0.units", "True given"]),
        ({"kind": "gru", "dropout": 1.0}, ["model.encoder.0.dropout", "1.0 given", "float ≥ 0 and < 1"]),
        ({"kind": "gru", "reset_after": 1}, ["model.encoder.0.reset_after", "1 given", "bool"]),
        ({"kind": "convolution", "padding": "valid"}, ["model.encoder.0.padding", "'valid'", "'causal' | 'same'"]),
        ({"kind": "transformer", "window": 0}, ["model.encoder.0.window", "0 given", "int ≥ 1 | none"]),
        ({"units": 3}, ["model.encoder.0", "names no kind", "{kind: …}"]),
        ("gru", ["model.encoder.0", "'gru' names no kind"]),
    ],
)
def test_a_wrong_value(encoder, parts):
    refused({**HEAD, "encoder": [encoder]}, *parts)


def test_an_encoder_that_is_no_list():
    refused({**HEAD, "encoder": {"kind": "gru"}}, "model.encoder", "a list of kinds")


def test_a_wrong_quantile_is_named_by_its_place():
    refused({"head": {"kind": "quantile", "quantiles": [0.5, 1.5]}}, "model.head.quantiles.1", "less than 1")


def test_a_setting_of_the_task_cannot_be_contradicted():
    refused({"head": {"kind": "forecast", "horizon": 5}}, "model.head.horizon", "5 given, but the task sets 3")


def test_a_missing_argument_that_the_task_would_set():
    with pytest.raises(ConfigurationError, match=r"model\.head\.horizon.*needs 'horizon'; the task sets it.*int ≥ 1"):
        SequenceModel(head={"kind": "forecast", "targets": 1})


def test_no_head():
    refused({"encoder": [{"kind": "gru"}]}, "model.head", "a model needs a head", "classify, forecast, linear")


def test_a_solved_head_with_something_before_it():
    wrong = {"encoder": [{"kind": "gru"}], "head": {"kind": "linear", "solve": "ridge"}}
    refused(wrong, "model.head", "closed form", "encoder 'gru' stands before it")


def test_python_refuses_in_the_same_words():
    from seqlayers.encoder import GRU

    with pytest.raises(ConfigurationError, match=r"encoder\.unit: .*Did you mean 'units'\?"):
        GRU(unit=3)
    with pytest.raises(ConfigurationError, match=r"encoder\.units: 0 given"):
        GRU(units=0)


#: Those that look at their input: `none` leaves anything as it is.
SEQUENCE_KINDS = [n for n, e in CASES.items() if len(e.shape) == 2 and e.configuration["kind"] != "none"]


@pytest.mark.parametrize("name", SEQUENCE_KINDS)
def test_a_wrong_rank_is_refused_in_the_name_of_the_kind(name):
    example = CASES[name]
    layer = slots.build(example.slot, example.configuration)
    with pytest.raises(ValueError, match=rf"{example.slot} '{layer.kind}'.*\(2, 3, 4, 5\)"):
        layer(np.zeros((2, 3, 4, 5), "float32"))


def test_every_argument_is_described_and_every_search_is_possible():
    for slot, kinds in slots.catalogue().items():
        for name, cls in kinds.items():
            arguments = cls.arguments()
            doc = cls.__doc__ or ""
            for argument in arguments.values():
                assert argument.name in doc, f"{slot} '{name}' does not explain '{argument.name}'"
                assert "Annotated" not in argument.type and "typing" not in argument.type
            assert set(cls.search) <= set(arguments)
            for searched, choice in cls.search.items():
                for value in getattr(choice, "values", ()):
                    slots.validate(cls, dict.fromkeys(cls.from_task, 2) | {searched: value})


def test_a_configuration_is_plain_and_whole():
    model = SequenceModel.for_task({"encoder": [{"kind": "gru"}], "head": {"kind": "quantile"}}, **TASK)
    written = model.to_configuration()
    assert json.loads(json.dumps(written)) == written
    assert written["encoder"] == [
        {
            "kind": "gru",
            "units": 64,
            "dropout": 0.0,
            "recurrent_dropout": 0.0,
            "reset_after": True,
            "layer_norm": False,
            "zoneout": 0.0,
        }
    ]
    assert written["head"]["quantiles"] == [0.1, 0.5, 0.9]
    assert SequenceModel(**written).to_configuration() == written
