"""A configuration is merged, overridden and refused as the user was told."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import config
from pipelines.config import is_variant, load, task_names, variant_names
from seqlayers.errors import ConfigurationError


def test_every_task_has_a_configuration_that_loads():
    assert {"weather", "forecast"} <= set(config.task_names())
    for name in config.task_names():
        assert config.load(name).task == name


def test_numbers_with_an_exponent_are_numbers():
    assert config.parse("a: 1e-3\nb: 1.5e+2\nc: 3\nd: 12:30\ne: yes\nf: true", "x") == {
        "a": 1e-3,
        "b": 150.0,
        "c": 3,
        "d": "12:30",
        "e": "yes",
        "f": True,
    }


def test_a_file_changes_what_it_names_and_replaces_the_model_whole(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("task: weather\ntrain: {epochs: 3}\nmodel: {head: {kind: linear}}\n")
    found = config.load(None, file)
    assert found.train.epochs == 3
    assert found.train.batch_size == config.load("weather").train.batch_size
    assert found.model == {"head": {"kind": "linear"}}


def test_set_reaches_into_lists_and_appends():
    found = config.load("forecast", settings=["model.encoder.0.units=128", "model.encoder.1={kind: gru, units: 8}"])
    assert found.model["encoder"] == [{"kind": "gru", "units": 128, "dropout": 0.2}, {"kind": "gru", "units": 8}]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("train.epoch=3", ["train.epoch", "Did you mean 'epochs'?", "batch_size"]),
        ("train.epochs=0", ["train.epochs", "0 given", "greater than or equal to 1"]),
        ("train.epochs=many", ["train.epochs", "'many' given"]),
        ("train.jit=perhaps", ["train.jit: 'perhaps' given", "boolean", "'auto'"]),
        ("train.seed=-1", ["train.seed"]),
        ("trian.epochs=3", ["trian", "Did you mean 'train'?"]),
        ("model.encoder.7.units=3", ["model.encoder.7.units", "no item '7'"]),
        ("train.epochs.deep=3", ["train.epochs.deep", "not a mapping"]),
        ("train.epochs", ["--set", "path=value"]),
        ("export.formats=[onnx]", ["export.formats.0", "'onnx' given"]),
    ],
)
def test_what_cannot_be_set_is_refused_with_path_and_what_is_accepted(setting, said):
    with pytest.raises(ConfigurationError) as error:
        config.load("forecast", settings=[setting])
    for part in said:
        assert part in str(error.value)


def test_unknown_task_and_missing_file_and_broken_yaml(tmp_path):
    with pytest.raises(ConfigurationError, match="Did you mean 'weather'"):
        config.load("wether")
    with pytest.raises(ConfigurationError, match="there is no file"):
        config.load("weather", tmp_path / "no.yaml")
    with pytest.raises(ConfigurationError, match="is a folder"):
        config.load("weather", tmp_path)
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [1, 2\n")
    with pytest.raises(ConfigurationError, match="not readable as YAML"):
        config.load("weather", broken)
    broken.write_text("- a\n- b\n")
    with pytest.raises(ConfigurationError, match="a mapping of settings"):
        config.load("weather", broken)


def test_an_alternative_that_fits_none_is_told_with_all_that_fit():
    from data.options import ForecastOptions

    with pytest.raises(ConfigurationError, match=r"^data\.calendar.*'day', 'week' or 'year'"):
        config.check(ForecastOptions, {"target": "y", "calendar": ["dya"]}, "data")


def test_the_file_and_the_command_line_must_agree_on_the_task(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("task: weather\n")
    with pytest.raises(ConfigurationError, match="is for 'weather'"):
        config.load("forecast", file)


def test_the_digest_changes_with_any_setting():
    assert config.load("weather").digest() == config.load("weather").digest()
    assert config.load("weather").digest() != config.load("weather", settings=["train.seed=1"]).digest()


@pytest.mark.parametrize("name", variant_names())
def test_a_variant_is_named_in_place_of_a_file(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert is_variant(Path(name))
    found = load(None, Path(name))
    assert found.task in task_names() and found.digest() != load(found.task).digest()
    (tmp_path / name).write_text("task: weather\n")
    assert not is_variant(Path(name)), "a file of that name comes first"


def test_a_baseline_is_taken_out_by_null():
    name = next(iter(load("music").baselines))
    assert name not in load("music", None, [f"baselines.{name}=null"]).baselines
