"""From an order to text or music."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.generate.order import Order
from pipelines.generate.stream import Stream


def make(model: Path, order: Order, show: Callable[[str], None] = lambda _: None) -> Any:
    """What the model makes of an order: a `Writing`, or a `Music`.

    Args:
        model: a run's folder, its exports folder, a SavedModel folder, or a .tflite file.
        order: what is asked for.
        show: called with every piece of a single text as soon as it is there.

    Raises:
        DataError: the model or a file cannot be used.
        PredictError: the model does not generate, an option does not suit it, or a file cannot be written.
        ConfigurationError: a setting of the draw is out of range.
    """
    stream = Stream(model)
    order.check(stream.contract)
    if stream.contract["representation"] == "tokens" and stream.contract["unit"] != "event":
        from pipelines.generate.writing import write

        return write(stream, order, show)
    from pipelines.generate.music import compose

    return compose(stream, order)
