"""Where answers go: files that are whole or absent."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any


class PredictError(ValueError):
    """An answer that cannot be given with this model, or not written there."""


def write(path: Path, save: Callable[[Path], Any]) -> None:
    """Write beside `path` and rename, so that a file of this name is whole."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
    except OSError as error:
        raise PredictError(f"Cannot write {path}: {error.strerror}. Choose another place.") from None
    try:
        save(Path(temporary))
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        raise PredictError(f"Cannot write {path}: {error.strerror}. Choose another place.") from None
    finally:
        Path(temporary).unlink(missing_ok=True)
