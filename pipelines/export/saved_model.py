"""SavedModel: one signature with named inputs and outputs, a dynamic batch, and the contract inside the folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.export.servable import SIGNATURE, Servable

if TYPE_CHECKING:
    import keras

#: Where a SavedModel keeps what is not its own, by its format's convention.
CONTRACT = Path("assets.extra") / "model.json"


def write(servable: Servable, folder: Path, batch: int | None = None) -> dict[str, Any]:
    """Write `servable` as a SavedModel of `batch` examples (None: any number); returns the contract.

    The graph is traced from plain weights through `tf.Module`: half the files and time of an archive that also keeps
    the Keras objects, which a server never reads.
    """
    import tensorflow as tf

    module = tf.Module()
    module.weights = [variable.value for model in servable.models() for variable in model.variables]
    with portable(servable.models()):
        serve = tf.function(lambda **inputs: servable.serve(inputs), autograph=False)
        signature = serve.get_concrete_function(**servable.signature(batch))
    tf.saved_model.save(module, str(folder), signatures={SIGNATURE: signature})
    contract = servable.contract()
    contract |= {
        "name": servable.name,
        "signature": SIGNATURE,
        "inputs": _described(servable.signature(batch), contract.get("inputs", {})),
        "outputs": _described(signature.structured_outputs, contract.get("outputs", {})),
    }
    (folder / CONTRACT).parent.mkdir()
    (folder / CONTRACT).write_text(json.dumps(contract, indent=1, ensure_ascii=False), encoding="utf-8")
    return contract


@contextmanager
def portable(models: list[keras.Model]) -> Iterator[None]:
    """Trace without cuDNN's recurrent ops, which exist on no CPU and in no LiteRT file."""
    # Keras has no public walk over nested layers that are not attributes of a functional model.
    layers = [layer for model in models for layer in model._flatten_layers() if hasattr(layer, "use_cudnn")]
    before = [layer.use_cudnn for layer in layers]
    for layer in layers:
        layer.use_cudnn = False
    try:
        yield
    finally:
        for layer, use in zip(layers, before, strict=True):
            layer.use_cudnn = use


def _described(specs: dict[str, Any], about: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Name → shape, dtype, and the task's own words, if it has any."""
    return {
        name: {"shape": list(spec.shape), "dtype": spec.dtype.name} | ({"about": about[name]} if name in about else {})
        for name, spec in specs.items()
    }
