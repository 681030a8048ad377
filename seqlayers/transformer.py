"""What the Transformer's encoder and decoder share: layers beside shortcuts, with normalisation, and feed-forward."""

from __future__ import annotations

from typing import Any, Literal

import keras

from seqlayers.attending import Attending

Norm = Literal["pre", "post"]
Normalisation = Literal["layer", "rms"]
Inner = Literal["relu", "gelu", "silu", "swiglu"]

NORMALISATIONS = {"layer": keras.layers.LayerNormalization, "rms": keras.layers.RMSNormalization}


class Block(Attending):
    """Layers each beside a shortcut, of which the first is self-attention and the last feed-forward."""

    def __init__(
        self,
        shortcuts: int,
        *,
        feed_forward: int,
        norm: Norm,
        normalisation: Normalisation,
        activation: Inner,
        **attention: Any,
    ):
        super().__init__(**attention)
        self.feed_forward, self.norm, self.normalisation = feed_forward, norm, normalisation
        self.activation = activation
        policy = {"dtype": self.dtype_policy}
        gated = activation == "swiglu"
        self.inner = keras.layers.Dense(feed_forward, "silu" if gated else activation, name="inner", **policy)
        self.linear = keras.layers.Dense(feed_forward, name="linear", **policy) if gated else None
        self.outer = keras.layers.Dense(self.units, name="outer", **policy)
        numbers, normalise = range(1, shortcuts + 1), NORMALISATIONS[normalisation]
        self.norms = [normalise(epsilon=1e-6, name=f"norm_{i}", **policy) for i in numbers]
        self.drops = [keras.layers.Dropout(self.dropout, name=f"drop_{i}", **policy) for i in numbers]

    def build_block(self, features: int) -> None:
        """Build what every block has; `features` are those of the input, which the shortcuts carry through."""
        if features != self.units:
            raise ValueError(
                f"{self.slot} '{self.kind}' has {self.units} units, but its input has {features} features. Put "
                f"`embedding: {{kind: value, units: {self.units}}}` before it, or set `units: {features}`."
            )
        shape = (None, None, self.units)
        for layer in (self.attention, self.inner, self.linear, *self.norms):
            if layer is not None:
                layer.build(shape)
        self.outer.build((None, None, self.feed_forward))

    def enter(self, i: int, x: Any) -> Any:
        """What the layer beside shortcut i is given."""
        return self.norms[i](x) if self.norm == "pre" else x

    def leave(self, i: int, x: Any, y: Any, training: bool | None) -> Any:
        """Shortcut i and the output y of the layer beside it, together."""
        x = x + self.drops[i](y, training=training)
        return x if self.norm == "pre" else self.norms[i](x)

    def forward(self, x: Any, training: bool | None) -> Any:
        """The feed-forward layer, beside the last shortcut."""
        i = len(self.norms) - 1
        h = self.enter(i, x)
        inner = self.inner(h) if self.linear is None else self.inner(h) * self.linear(h)
        return self.leave(i, x, self.outer(inner), training)
