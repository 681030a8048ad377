"""`seqlayers diagnose`: from a file to a report on how far gradients reach, and what cannot be diagnosed."""

from __future__ import annotations

import errno
import json
import re
from pathlib import Path

import pytest

from pipelines import diagnose
from tests.pipelines.command import sales, seqlayers, write

SMALL = ("--set", "data.target=units", "--set", "train.batch_size=16", "--units", "4")
GRU = "{kind: gru, reset_after: false}"


def diagnosed(home, *more, rows=200):
    source = write(sales(rows), home / "sales.csv")
    return seqlayers("diagnose", "forecast", "--source", source, "--home", home, *SMALL, "--json", *more)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    answer = diagnosed(home, "--encoder", "simple_rnn", "--steps", "3")
    assert answer.code == 0, answer.err
    return answer, home / "runs" / "forecast-diagnose" / "latest"


def test_every_encoder_is_measured_before_and_after_training(result):
    _, folder = result
    record = json.loads((folder / "diagnosis.json").read_text())
    curves = {curve["name"]: curve for curve in record["curves"]}
    assert list(curves) == ["simple_rnn", "simple_rnn×2.5"]
    assert {curve["configuration"]["units"] for curve in curves.values()} == {4}
    for curve in curves.values():
        for phase in ("initial", "trained"):
            assert len(curve[phase]["median"]) == 21, "a lag for each step of the look-back"
            assert len(curve[phase]["joint"]) == len(record["batches"])
        assert curve["initial"]["median"] != curve["trained"]["median"]
        assert curve["trained"]["loss"] < curve["initial"]["loss"]
    plain, scaled = (curves[name]["initial"]["median"] for name in ("simple_rnn", "simple_rnn×2.5"))
    assert scaled[-1] / scaled[0] > 100 * plain[-1] / plain[0], "larger recurrent weights carry it further"
    assert len(curves["simple_rnn"]["states"][0]) == diagnose.UNROLLED + 1 and not curves["simple_rnn×2.5"]["states"]


def test_what_it_prints_and_leaves(result):
    answer, folder = result
    assert {path.name for path in folder.iterdir()} == {"configuration.yaml", "diagnosis.json", "report.html"}
    told = answer.json
    assert (told["task"], told["status"], told["steps"], told["sample"]) == ("forecast", "done", 3, False)
    assert Path(told["artifacts"]["report.html"]).exists()
    for phases in told["encoders"].values():
        assert re.match(r"(vanishes|explodes|reaches|ends): .* steps? \(\d+ d\)", phases["initial"]["said"])
        assert 0 <= phases["trained"]["beyond_half"] <= 1
    assert not (folder.parents[2] / "mlflow.db").exists(), "nothing is tracked"


def test_its_report(result):
    _, folder = result
    page = (folder / "report.html").read_text(encoding="utf-8")
    for section in ("reach", "encoders", "clipping", "unrolled", "data", "checks", "reproduce"):
        assert f'<section id="{section}"' in page
    assert "At initialisation the gradient" in page and "seqlayers" in page


@pytest.mark.slow
def test_without_training_and_without_clipping(tmp_path):
    answer = diagnosed(tmp_path, "--encoder", GRU, "--gain", "1,3", "--steps", "0", "--set", "train.clip_norm=null")
    assert answer.code == 0, answer.err
    assert list(answer.json["encoders"]) == ["gru (no reset after)", "gru (no reset after)×3"]
    assert all(phases["trained"] is None for phases in answer.json["encoders"].values())
    page = Path(answer.json["artifacts"]["report.html"]).read_text(encoding="utf-8")
    assert "nothing is clipped" in page and "training steps" not in page
    assert 'id="unrolled"' not in page, "the picture's equations are those of a GRU that resets after"


def test_a_gain_is_left_out_where_there_are_no_recurrent_weights(tmp_path, capfd):
    answer = diagnosed(tmp_path, "--encoder", "transformer,gru", "--gain", "2", "--steps", "0")
    assert list(answer.json["encoders"]) == ["gru×2"]
    told = capfd.readouterr().err
    assert "No recurrent weights to multiply: transformer" in told and "Gradient reach" in told


@pytest.mark.slow
def test_encoders_that_change_the_length_and_look_both_ways_are_measured_too(tmp_path):
    both = "{kind: segment_gru, segment: 7},{kind: bidirectional, layer: {kind: gru, units: 2}},convolution"
    answer = diagnosed(tmp_path, "--encoder", both, "--epochs", "1")
    assert answer.code == 0, answer.err
    assert answer.json["steps"] > 1
    found = answer.json["encoders"]
    assert found["segment_gru (segment 7)"]["initial"]["beyond_half"] > 0
    assert found["convolution"]["initial"]["word"] == "ends"


@pytest.mark.slow
def test_a_training_that_diverges_is_a_finding(tmp_path, capfd):
    more = ("--set", "train.learning_rate=1e30", "--set", "train.clip_norm=null", "--encoder", "gru", "--steps", "5")
    answer = diagnosed(tmp_path, *more)
    assert answer.code == 0, answer.err
    found = answer.json["encoders"]["gru"]
    assert found["trained"] is None and "The loss became" in found["diverged"]
    page = Path(answer.json["artifacts"]["report.html"]).read_text(encoding="utf-8")
    assert "gru diverged in training" in page and "diverged" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--encoder", "grru"], "no encoder kind 'grru'. Did you mean 'gru'?"),
        (["--encoder", ""], "one, or several with commas between"),
        (["--encoder", "5"], "no encoder kind '5'"),
        (["--encoder", "{units: 4}"], "names no kind"),
        (["--encoder", "{kind: gru"], "one, or several with commas between"),
        (["--encoder", "gru,gru"], "gru given more than once"),
        (["--encoder", "simple_rnn,{kind: simple_rnn, output_units: null}"], "simple_rnn given more than once"),
        (["--encoder", "{kind: gru, unit: 3}"], "has no argument 'unit'. Did you mean 'units'?"),
        (["--encoder", "gru", "--gain", "0"], "numbers above 0"),
        (["--encoder", "gru", "--gain", "two"], "numbers above 0"),
        (["--encoder", "gru", "--gain", "yes"], "numbers above 0"),
        (["--encoder", "transformer", "--gain", "2"], "transformer: no recurrent weights to multiply"),
        (["--encoder", "gru", "--steps", "3", "--epochs", "1"], "given together with --epochs"),
        (["--encoder", "gru", "--steps", "-1"], "--steps"),
        (["--encoder", "{kind: segment_gru, segment: 5}"], "segment"),
        (["--encoder", "{kind: transformer, units: 6, heads: 2}"], "'transformer (units 6, heads 2)' does not fit"),
        (["--encoder", "gru", "--set", "model={head: {kind: linear, solve: ridge}}"], "solved in closed form"),
        (["--encoder", "gru", "--set", "model={head: {kind: tag, classes: 2}}"], "head 'tag', with an output for each"),
        (["--encoder", "gru", "--set", "data.look_back=1d"], "no past to reach"),
    ],
)
def test_what_cannot_be_diagnosed_is_refused(tmp_path, more, said):
    answer = diagnosed(tmp_path, *more)
    assert answer.code == 2 and said in " ".join((answer.out + answer.err).split()), answer.out + answer.err
    assert "Arguments received" not in answer.out and "Traceback" not in answer.out
    assert [path.name for path in tmp_path.iterdir()] == ["sales.csv"], "refused before anything is begun"


def test_a_task_without_a_sample_needs_a_source(tmp_path):
    answer = seqlayers("diagnose", "forecast", "--home", tmp_path, *SMALL)
    assert answer.code == 2 and "There is no sample here" in " ".join(answer.out.split())


@pytest.mark.slow
def test_where_none_is_named_the_weather_sample_shows_what_vanishes_and_what_explodes(tmp_path):
    kinds = "simple_rnn,lstm,gru,min_gru,transformer"
    answer = seqlayers("diagnose", "weather", "--encoder", kinds, "--home", tmp_path, "--steps", "0", "--json")
    assert answer.code == 0 and answer.json["sample"] is True
    words = {name: phases["initial"]["word"] for name, phases in answer.json["encoders"].items()}
    assert words.pop("simple_rnn×2.5") == "explodes" and words.pop("transformer") == "reaches"
    assert words == dict.fromkeys(("simple_rnn", "lstm", "gru", "min_gru"), "vanishes")


@pytest.fixture
def measured(monkeypatch):
    """The names of the encoders that are measured."""
    measure, names = diagnose.Bench._measured, []

    def noted(self, single, *rest):
        names.append(single.name)
        return measure(self, single, *rest)

    monkeypatch.setattr(diagnose.Bench, "_measured", noted)
    return names


def only_the_unfinished(home):
    (folder,) = (home / "runs" / "forecast-diagnose").iterdir()
    return folder.name.startswith(".unfinished-")


@pytest.mark.slow
def test_an_interrupted_diagnosis_goes_on_with_the_encoder_it_was_at(tmp_path, monkeypatch, measured):
    more = ("--encoder", "simple_rnn,gru", "--gain", "1", "--steps", "2")

    train = diagnose.Bench._train

    def until_the_second(self, single, *rest):
        if single.name == "gru":
            raise KeyboardInterrupt
        return train(self, single, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(diagnose.Bench, "_train", until_the_second)
        assert diagnosed(tmp_path, *more).code == 5
    assert only_the_unfinished(tmp_path)
    answer = diagnosed(tmp_path, *more)
    assert answer.code == 0 and measured == ["simple_rnn", "gru", "gru"]
    (tmp_path / "whole").mkdir()
    assert diagnosed(tmp_path / "whole", *more).json["encoders"] == answer.json["encoders"]


def test_a_full_disk_says_how_to_go_on_and_the_same_command_does(tmp_path, monkeypatch, measured):
    more = ("--encoder", "simple_rnn,min_gru", "--gain", "1", "--steps", "0")
    write_whole, written = diagnose.write_atomically, []

    def full_after_one(path, text):
        if written:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        written.append(write_whole(path, text))

    with monkeypatch.context() as patched:
        patched.setattr(diagnose, "write_atomically", full_after_one)
        answer = diagnosed(tmp_path, *more)
    assert (
        answer.code == 5 and "The disk is full" in answer.json["error"] and "the same command" in answer.json["error"]
    )
    assert only_the_unfinished(tmp_path)
    answer = diagnosed(tmp_path, *more)
    assert answer.code == 0 and list(answer.json["encoders"]) == ["simple_rnn", "min_gru"]
    assert measured == ["simple_rnn", "min_gru", "min_gru"], "what is complete is not measured again"


def test_help_teaches():
    answer = seqlayers("diagnose", "--help")
    for word in (
        "--encoder",
        "--gain",
        "--steps",
        "--set",
        "--json",
        "vanishes",
        "Exit codes",
        "seqlayers diagnose weather",
    ):
        assert word in answer.out


@pytest.mark.parametrize("kind", ["simple_rnn", "lstm", "gru", "min_gru"])
def test_a_small_recurrence_is_unrolled_from_a_model_the_same_each_time(kind):
    first = diagnose.unrolled(kind, 3)
    assert first == diagnose.unrolled(kind, 3) and first.startswith("<svg") and "h_" not in first


def test_there_is_no_unrolled_picture_of_a_transformer():
    with pytest.raises(diagnose.ConfigurationError, match="simple_rnn, lstm, gru"):
        diagnose.unrolled("transformer")
