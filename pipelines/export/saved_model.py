"""SavedModel: signatures with named inputs and outputs, a dynamic batch, and the contract inside the folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.export.servable import SIGNATURE, Endpoint, Servable

if TYPE_CHECKING:
    import keras

#: Where a SavedModel keeps what is not its own, by its format's convention.
CONTRACT = Path("assets.extra") / "model.json"


def write(servable: Servable, folder: Path) -> dict[str, Any]:
    """Write every signature of `servable` as a SavedModel for any number of examples; returns the contract.

    The graph is traced from plain weights through `tf.Module`: half the files and time of an archive that also keeps
    the Keras objects, which a server never reads.
    """
    traced = _save(servable, {SIGNATURE: servable, **servable.beside()}, folder, batch=None, tables=servable.tables())
    contract = servable.contract()
    about_inputs, about_outputs = contract.get("inputs", {}), contract.get("outputs", {})
    contract |= {
        "name": servable.name,
        "signature": SIGNATURE,
        "inputs": _described(servable.signature(None), about_inputs),
        "outputs": _described(traced[SIGNATURE].structured_outputs, about_outputs),
    }
    for name, endpoint in servable.beside().items():
        contract.setdefault("signatures", {})[name] = {
            "inputs": _described(endpoint.signature(None), about_inputs),
            "outputs": _described(traced[name].structured_outputs, about_outputs),
        }
    (folder / CONTRACT).parent.mkdir()
    (folder / CONTRACT).write_text(json.dumps(contract, indent=1, ensure_ascii=False), encoding="utf-8")
    return contract


def write_for_device(servable: Servable, folder: Path) -> None:
    """Write what a LiteRT file is made from: its signatures, for one example at a time."""
    own = servable.on_device()
    tables = servable.tables() if any(endpoint is servable for endpoint in own.values()) else []
    _save(servable, dict(own), folder, batch=1, tables=tables)


def _save(
    servable: Servable, endpoints: dict[str, Endpoint], folder: Path, *, batch: int | None, tables: list[Any]
) -> dict[str, Any]:
    """Trace and save the endpoints; returns their concrete functions by name."""
    import tensorflow as tf

    module = tf.Module()
    module.weights = [variable.value for model in servable.models() for variable in model.variables]
    module.tables = tables

    def trace(endpoint: Endpoint) -> Any:
        serve = tf.function(lambda **inputs: endpoint.serve(inputs), autograph=False)
        return serve.get_concrete_function(**endpoint.signature(batch))

    with portable(servable.models()):
        traced = {name: trace(endpoint) for name, endpoint in endpoints.items()}
    tf.saved_model.save(module, str(folder), signatures=traced)
    return traced


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
