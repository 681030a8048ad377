"""Opening what was exported: a run's folder, its exports, a SavedModel, or a LiteRT file."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from data.errors import DataError
from pipelines.export import runner
from pipelines.export.saved_model import CONTRACT
from pipelines.export.servable import FILES, FORMATS, SIGNATURE, Arrays

ACCEPTED = "a run's folder, its exports folder, a SavedModel folder, or a .tflite file with its model.json beside it"


@dataclass(frozen=True)
class Exported:
    """An exported file that has been found, and what its contract says; nothing is loaded yet."""

    path: Path
    contract: dict[str, Any]

    @property
    def is_litert(self) -> bool:
        return self.path.suffix == ".tflite"

    def open(self) -> Callable[[Arrays], Arrays]:
        """Load it: raw inputs with a leading batch axis → outputs. LiteRT needs no TensorFlow."""
        return self.signatures()(SIGNATURE)

    def signatures(self) -> Callable[[str], Callable[[Arrays], Arrays]]:
        """Load it once: a signature's name → what answers it, as `open` gives it."""
        named = runner.opened(self.path)
        if not self.is_litert:
            return named
        return lambda name: partial(_one_by_one, named(name))


def _one_by_one(single: Callable[[Arrays], Arrays], inputs: Arrays) -> Arrays:
    return runner.one_by_one(single, inputs, runner.count(inputs))


def find(model: Path) -> Exported:
    """The exported file that `model` names; of a folder of exports the first in the order of `FORMATS`.

    Raises:
        DataError: nothing is there, it is not an export of ours, or it was never finished.
    """
    if not model.exists():
        raise DataError(f"{model}: no such file or folder. Accepted: {ACCEPTED}.")
    if any(part.endswith(".partial") for part in model.absolute().parts):
        raise DataError(f"{model} belongs to an export that was never finished. Run the task again.")
    if model.is_dir() and (model / "exports").is_dir():
        model = model / "exports"
    if model.is_dir() and not (model / "saved_model.pb").exists():
        found = [model / FILES[format] for format in FORMATS if (model / FILES[format]).exists()]
        if not found:
            raise DataError(f"{model} holds no exported model. Accepted: {ACCEPTED}.")
        model = found[0]
    if model.is_dir():
        return Exported(model, _contract(model / CONTRACT, model))
    if model.suffix != ".tflite":
        raise DataError(f"{model} is not an exported model. Accepted: {ACCEPTED}.")
    return Exported(model, _contract(model.with_name("model.json"), model))


def _contract(path: Path, model: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{model} has no {path.name}: {path} is missing. Accepted: {ACCEPTED}.") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}). Accepted: {ACCEPTED}.") from None
