"""A recurrence run from both ends of the sequence."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from keras import ops

from seqlayers.arguments import sequence_shape
from seqlayers.encoder.recurrent import build_recurrent
from seqlayers.slots import Choice, Kind, Nested, kind


@kind("encoder", "bidirectional")
class Bidirectional(Kind):
    r"""Runs one recurrence forwards and another backwards: \(y_t = [\overrightarrow{h}_t, \overleftarrow{h}_t]\).

    \[ \overrightarrow{h}_t = F(x_t, \overrightarrow{h}_{t-1}), \qquad
       \overleftarrow{h}_t = B(x_t, \overleftarrow{h}_{t+1}) \]

    Weights can be exchanged with `keras.layers.Bidirectional` around the Keras layer of the same name.

    Args:
        layer: any recurrent encoder kind, such as {kind: lstm, units: 32}; B has weights of its own.
        merge: the two outputs side by side (`concatenate`), or their `sum`, `mean` or `product`.

    Call arguments:
        x: (batch, time, features).
        mask: boolean (batch, time); masked steps leave both states as they are, so that padding on either side is as
            if it were not there.

    Returns:
        (batch, time, 2 · units) for `concatenate`, else (batch, time, units).

    Raises:
        ConfigurationError: `layer` is not recurrent.

    Refuses to stream: the backward state at the first step has seen the last one.

    Schuster and Paliwal 1997, Bidirectional recurrent neural networks; Graves and Schmidhuber 2005, Framewise phoneme
    classification with bidirectional LSTM.
    """

    search: ClassVar = {"merge": Choice(("concatenate", "sum"))}
    causal = False

    def __init__(
        self,
        layer: Nested = {"kind": "gru"},  # noqa: B006  # never changed: `settings` gives a copy
        merge: Literal["concatenate", "sum", "mean", "product"] = "concatenate",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.merge = merge
        self.layer, self.backward = (
            build_recurrent(layer, "encoder.layer", dtype=self.dtype_policy, name=name)
            for name in ("forward", "backward")
        )

    def refusals(self) -> dict[str, str]:
        reason = "its backward half starts at the end of the sequence, which a stream has not got"
        return {**self.layer.refusals(), "streams": reason}

    def build(self, input_shape: Any) -> None:
        sequence_shape(self, input_shape)
        self.layer.build(input_shape)
        self.backward.build(input_shape)

    def call(self, x: Any, mask: Any = None, training: bool | None = None) -> Any:
        forward = self.layer(x, mask=mask, training=training)
        mask = None if mask is None else ops.flip(mask, axis=1)
        backward = ops.flip(self.backward(ops.flip(x, axis=1), mask=mask, training=training), axis=1)
        if self.merge == "concatenate":
            return ops.concatenate([forward, backward], axis=-1)
        if self.merge == "product":
            return forward * backward
        summed = forward + backward
        return summed if self.merge == "sum" else 0.5 * summed

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return previous_mask
