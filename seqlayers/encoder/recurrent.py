"""What the recurrences that wrap a Keras layer share."""

from __future__ import annotations

from typing import Any, ClassVar

import keras

from seqlayers.arguments import sequence_shape
from seqlayers.slots import Choice, Kind


class Recurrent(Kind):
    """A Keras recurrent layer as a kind: its weights, its fast paths, and its cell as the streaming step."""

    search: ClassVar = {"units": Choice((32, 64, 128, 256)), "dropout": Choice((0.0, 0.1, 0.3))}

    layer: keras.layers.RNN

    def build(self, input_shape: Any) -> None:
        sequence_shape(self, input_shape)
        self.layer.build(input_shape)

    def call(self, x: Any, mask: Any = None, training: bool | None = None) -> Any:
        return self.layer(x, mask=mask, training=training)[0]

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return previous_mask

    def initial_state(self, batch: int) -> Any:
        """h, or h and c: each (batch, units) zeros."""
        return tuple(self.layer.cell.get_initial_state(batch))

    def stream(self, x: Any, state: Any) -> tuple[Any, Any]:
        y, *after = self.layer(x, initial_state=list(state))
        return y, tuple(after)

    def step(self, x_t: Any, state: Any) -> tuple[Any, Any]:
        y, after = self.layer.cell(x_t, list(state))
        return y, tuple(after)
