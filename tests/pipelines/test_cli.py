"""The command line teaches, lists the catalogue, and answers without starting TensorFlow."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pipelines.screen import noise_to
from tests.pipelines.command import seqlayers


def test_help_teaches():
    answer = seqlayers("--help")
    assert answer.code == 0
    commands = ("run", "backtest", "diagnose", "predict", "slots", "compare", "ui")
    for word in (*commands, "seqlayers run weather --source sample"):
        assert word in answer.out
    answer = seqlayers("run", "--help")
    for word in ("--source", "--set", "--config", "--home", "--json", "Exit codes"):
        assert word in answer.out


@pytest.mark.parametrize("module", ["tensorflow", "keras", "mlflow", "pandas", "matplotlib", "numpy"])
def test_help_imports_nothing_heavy(module):
    code = f"import sys, pipelines.cli; sys.exit('{module}' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_slots_lists_every_kind_with_its_arguments_and_what_is_searched():
    answer = seqlayers("slots", "--json")
    found = answer.json
    expected = {
        "normalise": {"none", "reversible"},
        "embedding": {"value", "patch"},
        "position": {"none", "sinusoidal", "learned"},
        "encoder": {"simple_rnn", "lstm", "gru", "segment_gru", "convolution", "transformer"},
        "pooling": {"last", "mean"},
        "head": {"forecast", "quantile", "linear"},
    }
    for slot, kinds in expected.items():
        assert kinds <= set(found[slot])
    units = found["encoder"]["lstm"]["arguments"]["units"]
    assert "int" in units["type"] and units["search"]
    assert found["head"]["forecast"]["arguments"]["horizon"]["set_by"] == "task"
    for of_slot in found.values():
        for kind in of_slot.values():
            assert len(kind["about"]) > 20


def test_the_catalogue_fits_a_narrow_terminal_with_every_kind_above_its_arguments(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = seqlayers("slots").out.splitlines()
    tables = [line for line in lines if not line.startswith("`seqlayers slots KIND`")]
    assert max(len(line) for line in tables) <= 80
    place = [line.rstrip() for line in lines].index("temporal_convolution")
    assert lines[place + 1].startswith("  units") and any(line.startswith("  recurrent_dropout ") for line in lines)


def test_slots_shows_one_kind_with_its_documentation():
    answer = seqlayers("slots", "lstm")
    assert answer.code == 0 and "units" in answer.out and "Hochreiter" in answer.out
    answer = seqlayers("slots", "lstn")
    assert answer.code == 2 and "Did you mean 'lstm'?" in " ".join(answer.out.split())


def test_what_libraries_write_below_python_goes_to_the_log_and_nothing_else_does(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from pipelines.screen import noise_to\n"
        f"with noise_to(Path({str(tmp_path / 'log')!r})):\n"
        "    os.write(2, b'noise'); print('for people', file=sys.stderr)\n"
        "print('after', file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (tmp_path / "log").read_text() == "noise"
    assert done.stderr == "for people\nafter\n"


def test_noise_is_redirected_only_inside(tmp_path, capfd):
    import os

    with noise_to(tmp_path / "log"):
        os.write(2, b"hidden")
    os.write(2, b"shown")
    assert "hidden" not in capfd.readouterr().err
