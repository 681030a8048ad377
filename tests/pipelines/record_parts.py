"""What made records of all families are put together from."""

from __future__ import annotations

from typing import Any

import numpy as np


def learning(
    loss: np.ndarray, held: np.ndarray, seconds: np.ndarray, jit: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A record's curves: loss, validation loss and seconds of each epoch."""
    return {
        "epoch": list(range(len(loss))),
        "loss": loss.tolist(),
        "validation_loss": held.tolist(),
        "seconds": seconds.tolist(),
        "best_epoch": int(held.argmin()),
        "jit": jit,
    }


def export(
    form: str,
    error: float,
    metric: float,
    size: float,
    latency: float,
    *,
    note: str,
    flex: int | None = 0,
    keras: float | None = None,
) -> dict[str, Any]:
    """A record's row of a proven export; `keras` is the model's own metric, where it is another."""
    return {
        "format": form,
        "status": "proven",
        "max_error": error,
        "metric": metric,
        "metric_keras": metric if keras is None else keras,
        "size_kib": size,
        "latency_ms": latency,
        "flex_ops": flex,
        "path": f"exports/{form}",
        "note": note,
    }
