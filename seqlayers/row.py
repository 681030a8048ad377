"""A row of slots: normalise → embedding → position → encoder × n → pooling → head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from seqlayers import slots
from seqlayers.slots import ConfigurationError, Kind

#: The slots that hold one kind or none; `encoder` holds a list.
SINGLE = ("normalise", "embedding", "position", "pooling", "head")

Configuration = Mapping[str, Any]


def split_inputs(inputs: Any) -> tuple[Any, Any]:
    """`{past, ahead}` → (past, ahead); anything else is the past, with nothing known ahead."""
    if isinstance(inputs, Mapping):
        return inputs["past"], inputs.get("ahead")
    return inputs, None


def split_mask(mask: Any) -> Any:
    """The mask of the past; Keras gives a mapping of masks where the inputs are a mapping."""
    return mask.get("past") if isinstance(mask, Mapping) else mask


@keras.saving.register_keras_serializable("seqlayers")
class Row(keras.layers.Layer):
    """One row of slots, from a sequence to features (no head) or to an output (with one).

    Args:
        normalise, embedding, position, pooling, head: a kind's configuration such as `{kind: last}`, or None for a
            slot left out. Without pooling the head receives the whole sequence (batch, time, features).
        encoder: a list of encoder configurations, applied in turn; may be empty.
        channels: `mixed` lets every channel see every other. `independent` folds the targets' channels into the
            batch, so that one set of weights forecasts each from its own past alone.
        targets: how many channels are forecast; they come first in `past`. Needed for `independent`; the task sets it.
        path: where this row stands in the user's file, for error messages.

    Call arguments:
        inputs: `(batch, time, features)`, or a mapping with `past` (batch, time, features) and optionally `ahead`
            (batch, horizon, known features).
        mask: boolean (batch, time), False where there is only padding.

    Returns:
        The head's output, in the units that `past` came in, or features.
    """

    def __init__(
        self,
        normalise: Configuration | None = None,
        embedding: Configuration | None = None,
        position: Configuration | None = None,
        encoder: Sequence[Configuration] = (),
        pooling: Configuration | None = None,
        head: Configuration | None = None,
        channels: str = "mixed",
        targets: int | None = None,
        path: str = "model",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.place, self.channels, self.targets = path, channels, targets
        self.normalise = self._one("normalise", normalise)
        self.embedding = self._one("embedding", embedding)
        self.position = self._one("position", position)
        if isinstance(encoder, Mapping) or not isinstance(encoder, Sequence):
            raise ConfigurationError(f"{path}.encoder", f"{encoder!r} given.", "a list of kinds, such as [{kind: gru}]")
        self.encoder = [slots.build("encoder", c, f"{path}.encoder.{i}") for i, c in enumerate(encoder)]
        self.pooling = self._one("pooling", pooling)
        self.head = self._one("head", head)
        self._check()

    def _one(self, slot: str, configuration: Configuration | None) -> Any:
        return None if configuration is None else slots.build(slot, configuration, f"{self.place}.{slot}")

    def _check(self) -> None:
        if self.channels not in ("mixed", "independent"):
            raise ConfigurationError(f"{self.place}.channels", f"{self.channels!r} given.", "mixed, independent")
        if self.channels == "independent" and not self.targets:
            raise ConfigurationError(f"{self.place}.targets", "independent channels need their number.", "int ≥ 1")
        if self.adapts:
            before = [k for k in self.kinds() if k is not self.head and (k.slot, k.kind) != ("normalise", "none")]
            if before or self.channels == "independent":
                stands = ", ".join(f"{k.slot} '{k.kind}'" for k in before) or "channels: independent"
                raise ConfigurationError(
                    f"{self.place}.head",
                    f"'{self.head.kind}' is solved in closed form from the readings, but {stands} stands before it.",
                    "a row with this head alone (it has its own `subtract` and `share`)",
                )

    @property
    def adapts(self) -> bool:
        """Whether this row's head is fitted without gradients."""
        return self.head is not None and bool(getattr(self.head, "adapts", False))

    def kinds(self) -> list[Kind]:
        """The layers of this row, in the order data passes through them."""
        row = [self.normalise, self.embedding, self.position, *self.encoder, self.pooling, self.head]
        return [layer for layer in row if layer is not None]

    def summary_tag(self) -> str:
        """The row in short, such as `value>gru>last>forecast`."""
        return ">".join(k.kind for k in self.kinds() if k.kind != "none")

    def to_configuration(self) -> dict[str, Any]:
        """The YAML mapping that builds this row."""
        found: dict[str, Any] = {slot: getattr(self, slot).to_configuration() for slot in SINGLE if getattr(self, slot)}
        found["encoder"] = [layer.to_configuration() for layer in self.encoder]
        if self.channels != "mixed":
            found |= {"channels": self.channels, "targets": self.targets}
        return found

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | self.to_configuration() | {"path": self.place}

    def build(self, input_shape: Any) -> None:
        """Nothing of its own: each kind builds when it is first called."""

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        (past, ahead), mask = split_inputs(inputs), split_mask(mask)
        if self.channels == "mixed":
            return self._run(past, ahead, mask, training)
        count, (_, time, _) = self.targets, past.shape
        past = ops.reshape(ops.transpose(past[..., :count], (0, 2, 1)), (-1, time, 1))
        if ahead is not None:
            ahead = ops.repeat(ahead, count, axis=0)
        mask = None if mask is None else ops.repeat(mask, count, axis=0)
        out = self._run(past, ahead, mask, training)  # (batch × targets, …): horizon, one target, and any quantiles
        if self.head is None:
            return ops.reshape(out, (-1, count * out.shape[-1]))
        out = ops.reshape(out, (-1, count, *(s for i, s in enumerate(out.shape) if i not in (0, 2))))
        return ops.swapaxes(out, 1, 2)

    def _run(self, past: Any, ahead: Any, mask: Any, training: bool | None) -> Any:
        x, statistics = (past, None) if self.normalise is None else self.normalise(past, mask=mask)
        for layer in (self.embedding, self.position):
            if layer is not None:
                x, mask = layer(x), layer.compute_mask(x, mask)
        for layer in self.encoder:
            x, mask = layer(x, mask=mask, training=training), layer.compute_mask(x, mask)
        if self.pooling is not None:
            x = self.pooling(x, mask=mask)
        if self.head is None:
            return x
        if self.pooling is None and mask is not None:
            raise ValueError(
                f"head '{self.head.kind}' is given a whole sequence and cannot leave its padding out. "
                "Put a pooling before it, such as `pooling: {kind: last}`."
            )
        out = self.head(x, ahead=ahead, training=training)
        return out if self.normalise is None else self.normalise.undo(out, statistics)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """None: pooled, or forecast, there is no padding left."""

    def initial_state(self, batch: int) -> dict[str, Any]:
        """The state of every kind of the row before the first step, by its place in the row."""
        return {place: layer.initial_state(batch) for place, layer in self._streamed()}

    def step(self, x_t: Any, state: Mapping[str, Any], ahead: Any = None) -> tuple[Any, dict[str, Any]]:
        """x_t (batch, features), state → the output after this step, the next state."""
        after = {}
        for place, layer in self._streamed():
            x_t, after[place] = layer.step(x_t, state[place])
        return x_t if self.head is None else self.head(x_t, ahead=ahead), after

    def _streamed(self) -> list[tuple[str, Kind]]:
        if self.channels == "independent":
            raise ConfigurationError(f"{self.place}.channels", "independent channels do not stream.", "mixed")
        before_head = [k for k in self.kinds() if k is not self.head]
        if self.head is not None and not self.head.streams:
            raise slots.Refused(self.head, "streams")
        return [(f"{i}_{layer.kind}", layer) for i, layer in enumerate(before_head)]
