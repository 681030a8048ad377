"""The plain recurrence."""

from __future__ import annotations

from typing import Any, Literal

import keras

from seqlayers.arguments import Count, Fraction
from seqlayers.encoder.cells import Noted, SimpleRNNCell
from seqlayers.encoder.recurrent import Recurrent
from seqlayers.slots import ConfigurationError, kind


class NotedSimpleRNN(keras.layers.SimpleRNN, Noted):
    """Keras's SimpleRNN, which notes the path it takes."""


@kind("encoder", "simple_rnn")
class SimpleRNN(Recurrent):
    r"""The plain recurrence of Elman: \(h_t = f(W x_t + U h_{t-1} + b)\), and on request \(y_t = g(V h_t + c)\).

    Is `keras.layers.SimpleRNN` and its weights, unless `layer_norm` or `zoneout` is asked.

    Args:
        units: features of the state.
        activation: f.
        output_units: features of y; without them y = h.
        output_activation: g.
        dropout: fraction of the inputs dropped in training: the same ones at all steps of a sequence, others for each
            sequence and call (variational dropout). Likewise:
        recurrent_dropout: fraction of the state dropped in training.
        layer_norm: the sum W x + U h is normalised over its features, with a learned gain, before b is added.
        zoneout: probability that a unit of h keeps its last value at a step of training; in inference h moves by the
            mean, a share of 1 − zoneout.

    Call arguments:
        x: (batch, time, features).
        mask: boolean (batch, time); masked steps leave the state as it is, wherever they stand.

    Returns:
        h, (batch, time, units), or y, (batch, time, output_units).

    Raises:
        ConfigurationError: an output activation without output units.

    Streams through h.

    Elman 1990, Finding structure in time; Gal and Ghahramani 2016, A theoretically grounded application of dropout in
    recurrent neural networks; Ba et al. 2016, Layer normalization; Krueger et al. 2017, Zoneout.
    """

    def __init__(
        self,
        units: Count = 64,
        activation: Literal["tanh", "relu"] = "tanh",
        output_units: Count | None = None,
        output_activation: Literal["linear", "relu", "tanh", "sigmoid", "softmax"] = "linear",
        dropout: Fraction = 0.0,
        recurrent_dropout: Fraction = 0.0,
        layer_norm: bool = False,
        zoneout: Fraction = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if output_units is None and output_activation != "linear":
            raise ConfigurationError(
                "encoder.output_activation",
                f"encoder 'simple_rnn' has '{output_activation}' given for outputs, but no `output_units`.",
                "linear, or a number of `output_units`",
            )
        self.units, self.activation = units, activation
        self.output_units, self.output_activation = output_units, output_activation
        self.dropout, self.recurrent_dropout = dropout, recurrent_dropout
        self.layer_norm, self.zoneout = layer_norm, zoneout
        self.layer = self.make("rnn", NotedSimpleRNN, SimpleRNNCell, activation=activation)
        self.reading = None
        if output_units is not None:
            self.reading = keras.layers.Dense(output_units, output_activation, dtype=self.dtype_policy, name="output")

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        if self.reading is not None:
            self.reading.build((None, None, self.units))

    def read(self, h: Any) -> Any:
        """y of h."""
        return h if self.reading is None else self.reading(h)

    def call(self, x: Any, mask: Any = None, training: bool | None = None) -> Any:
        return self.read(super().call(x, mask=mask, training=training))

    def stream(self, x: Any, state: Any, training: bool | None = None) -> tuple[Any, Any]:
        h, state = super().stream(x, state, training)
        return self.read(h), state

    def step(self, x_t: Any, state: Any) -> tuple[Any, Any]:
        h, state = super().step(x_t, state)
        return self.read(h), state

    def obstacle(self) -> str | None:
        return "Keras has no faster path for it"
