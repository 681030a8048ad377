"""LiteRT: one example at a time, builtin ops alone, weights as float32 or in eight bits."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.export.process import ProcessFailed, fresh
from pipelines.export.servable import FILES

if TYPE_CHECKING:
    import keras

CONVERTER = Path(__file__).with_name("converter.py")

#: Format → the converter's name for how numbers are kept.
NUMBERS = {"litert_float32": "float32", "litert_int8": "int8"}


def convert(saved_model: Path, folder: Path, formats: Sequence[str]) -> dict[str, str | None]:
    """Convert a batch-1 SavedModel into `folder`; returns format → None, or why there is no file.

    One process converts everything, since starting TensorFlow takes ten times as long as converting. If it crashes,
    each format is tried again alone, so that only the one that crashes is lost.

    Raises:
        OSError: there is no room for a file: the fault of the disk, not of the model.
    """
    if not formats:
        return {}
    try:
        told = fresh(CONVERTER, saved_model, *(f"{NUMBERS[f]}={folder / FILES[f]}" for f in formats))
        for why in filter(None, told.values()):
            if os.strerror(errno.ENOSPC).lower() in why.lower():
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
        return {f: told[NUMBERS[f]] for f in formats}
    except ProcessFailed as error:
        if len(formats) == 1:
            return {formats[0]: str(error)}
        return {f: convert(saved_model, folder, [f])[f] for f in formats}


def refusal(models: Sequence[keras.Model], format: str) -> str | None:
    """Why the layers of these models say that they cannot be LiteRT, or None."""
    if format not in NUMBERS:
        return None
    kinds = [kind for model in models if hasattr(model, "kinds") for kind in model.kinds()]
    reasons = {f"{k.slot} '{k.kind}': {k.refusals()['litert']}" for k in kinds if "litert" in k.refusals()}
    return "; ".join(sorted(reasons)) or None
