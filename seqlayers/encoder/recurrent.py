"""What the recurrences that are Keras's share: which path they take, and their streaming."""

from __future__ import annotations

from typing import Any, ClassVar

import keras

from seqlayers import slots
from seqlayers.arguments import sequence_shape
from seqlayers.encoder.cells import CellRNN
from seqlayers.encoder.padding import gather_real, spread_real
from seqlayers.slots import Choice, ConfigurationError, Kind

NO_GPU = "there is no GPU"


class Recurrent(Kind):
    """A recurrent layer as a kind: its weights, the path it took, and its cell as the streaming step.

    The layer is Keras's own unless `layer_norm` or `zoneout` is asked, which need cells of ours.
    """

    recurrent = True
    search: ClassVar = {"units": Choice((32, 64, 128, 256)), "dropout": Choice((0.0, 0.1, 0.3))}

    units: int
    dropout: float
    recurrent_dropout: float
    layer_norm: bool
    zoneout: float
    layer: Any

    def make(self, name: str, of_keras: type[Any], cell: type[Any], **settings: Any) -> Any:
        """The layer that runs: `of_keras`, or the loop over `cell` if an option is set that Keras's has not got."""
        policy = {"dtype": self.dtype_policy}
        drops = {"dropout": self.dropout, "recurrent_dropout": self.recurrent_dropout}
        wanted = {"return_sequences": True, "return_state": True, "name": name}
        if not (self.layer_norm or self.zoneout):
            return of_keras(self.units, **settings, **drops, **wanted, **policy)
        own = {"layer_norm": self.layer_norm, "zoneout": self.zoneout}
        return CellRNN(cell(self.units, **settings, **drops, **own, **policy, name="cell"), **wanted, **policy)

    def build(self, input_shape: Any) -> None:
        sequence_shape(self, input_shape)
        self.layer.build(input_shape)

    def call(self, x: Any, mask: Any = None, training: bool | None = None) -> Any:
        if mask is None or self.obstacle() is not None:
            return self.layer(x, mask=mask, training=training)[0]
        x, places = gather_real(x, mask)  # the faster paths take no mask, or padding on the right alone
        return spread_real(self.layer(x, training=training)[0], places)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return previous_mask

    def initial_state(self, batch: int) -> Any:
        """h, or h and c: each (batch, units) zeros."""
        return tuple(self.layer.cell.get_initial_state(batch))

    def stream(self, x: Any, state: Any, training: bool | None = None) -> tuple[Any, Any]:
        y, *after = self.layer(x, initial_state=list(state), training=training)
        return y, tuple(after)

    def step(self, x_t: Any, state: Any) -> tuple[Any, Any]:
        cell = self.layer.cell
        x_t = cell.project(x_t) if isinstance(self.layer, CellRNN) else x_t
        y, after = cell(x_t, list(state), training=False)
        return y, tuple(after)

    @property
    def path(self) -> str:
        """Which way the last call went, or the last trace of a compiled function.

        `cudnn`: one kernel for all steps. `scan`: JAX's, after one product for all inputs. `loop`: step by step, for
        the reason that `why_loop` gives. `none yet`: it was not called. Keras decides; this only tells what it did.
        """
        return self.layer.path or "none yet"

    @property
    def why_loop(self) -> str | None:
        """Why the last call ran step by step; None where it did not."""
        if self.path != "loop":
            return None
        return self.obstacle() or f"the backend '{keras.backend.backend()}' has no faster path for it"

    def obstacle(self) -> str | None:
        """What keeps this layer, as it is set and on this machine, from a faster path than the loop."""
        if isinstance(self.layer, CellRNN):
            return "`layer_norm` and `zoneout` need a cell of their own"
        if self.recurrent_dropout:
            return "`recurrent_dropout` changes the state between steps"
        return None if has_gpu() else NO_GPU


def has_gpu() -> bool:
    return any(device.startswith("gpu") for device in keras.distribution.list_devices())


def build_recurrent(configuration: Any, path: str, **settings: Any) -> Kind:
    """The encoder inside another kind, which must be recurrent; `settings` are Keras's (name, dtype)."""
    layer = slots.build("encoder", configuration, path)
    if not layer.recurrent:
        recurrent = [name for name, cls in slots.catalogue()["encoder"].items() if cls.recurrent]
        problem = f"encoder '{layer.kind}' is not recurrent: it has no state that it hands from step to step."
        raise ConfigurationError(f"{path}.kind", problem, ", ".join(recurrent))
    return type(layer)(**layer.settings(), **settings)
