"""A row of slots: normalise → embedding → position → encoder × n → [decoder × n] → pooling → head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from seqlayers import slots
from seqlayers.inputs import Inputs
from seqlayers.pairing import check_row
from seqlayers.slots import ConfigurationError, Kind

#: The slots that hold one kind or none.
SINGLE = ("normalise", "embedding", "position", "pooling", "head")
#: The slots that hold a list of kinds, applied in turn.
LISTS = ("encoder", "decoder")

Configuration = Mapping[str, Any]


@keras.saving.register_keras_serializable("seqlayers")
class Row(keras.layers.Layer):
    """One row of slots, from a sequence to features (no head) or to an output (with one).

    Args:
        normalise, embedding, position, pooling, head: a kind's configuration such as `{kind: last}`, or None for a
            slot left out. Without pooling the head receives the whole sequence (batch, time, features).
        encoder: a list of encoder configurations, applied in turn; may be empty.
        decoder: a list of decoder configurations, applied in turn to the target so far, beside what the encoders made
            of the past; may be empty. The row's embedding and position serve both sides.
        channels: `mixed` lets every channel see every other. `independent` folds the targets' channels into the
            batch, so that one set of weights forecasts each from its own past alone.
        targets: how many channels are forecast; they come first in `past`. Needed for `independent`; the task sets it.
        path: where this row stands in the user's file, for error messages.

    Call arguments:
        inputs: a sequence (batch, time, features), or ids (batch, time) where the embedding takes them; or a mapping
            with it as `past` and, where they are used, `ahead` (batch, horizon, known features) and `target`, the
            decoder's input: the target shifted by one step, as `past` is (batch, target time, …).
        mask: boolean (batch, time), False where there is only padding; for a mapping, a mapping of masks.

    Returns:
        The head's output, in the units that `past` came in, or features.

    Streams step by step, and chunk by chunk, if its kinds do; with decoders it is the target that streams, beside a
    source that is read whole.
    """

    def __init__(
        self,
        normalise: Configuration | None = None,
        embedding: Configuration | None = None,
        position: Configuration | None = None,
        encoder: Sequence[Configuration] = (),
        decoder: Sequence[Configuration] = (),
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
        self.encoder = self._list("encoder", encoder)
        self.decoder = self._list("decoder", decoder)
        self.pooling = self._one("pooling", pooling)
        self.head = self._one("head", head)
        check_row(self)
        if self.position is not None and self.position.in_attention:
            for layer in [*self.encoder, *self.decoder]:
                if layer.attends:
                    self._tell(layer, self.position)
        if getattr(self.head, "tied", False):
            self.head.tie(self.embedding)

    def _one(self, slot: str, configuration: Configuration | None) -> Any:
        return None if configuration is None else slots.build(slot, configuration, f"{self.place}.{slot}")

    def _list(self, slot: str, configurations: Sequence[Configuration]) -> list[Any]:
        if isinstance(configurations, Mapping | str) or not isinstance(configurations, Sequence):
            known = next(iter(slots.catalogue()[slot]))
            raise ConfigurationError(
                f"{self.place}.{slot}", f"{configurations!r} given.", f"a list of kinds, such as [{{kind: {known}}}]"
            )
        return [slots.build(slot, c, f"{self.place}.{slot}.{i}") for i, c in enumerate(configurations)]

    def _tell(self, layer: Any, position: Any) -> None:
        try:
            layer.use_position(position)
        except ConfigurationError as error:  # from a kind, which does not know its place in the file
            raise ConfigurationError(f"{self.place}.{error.path}", error.problem, error.accepted) from None

    @property
    def adapts(self) -> bool:
        """Whether this row's head is fitted without gradients, if only to begin with."""
        return self.head is not None and bool(getattr(self.head, "adapts", False))

    @property
    def solved(self) -> bool:
        """Whether that leaves nothing to be trained."""
        return self.adapts and bool(getattr(self.head, "solved", True))

    def kinds(self) -> list[Kind]:
        """The layers of this row, in the order data passes through them."""
        row = [self.normalise, self.embedding, self.position, *self.encoder, *self.decoder, self.pooling, self.head]
        return [layer for layer in row if layer is not None]

    def summary_tag(self) -> str:
        """The row in short, such as `value>gru>last>forecast`."""
        return ">".join(k.kind for k in self.kinds() if k.kind != "none")

    def to_configuration(self) -> dict[str, Any]:
        """The YAML mapping that builds this row."""
        found: dict[str, Any] = {slot: getattr(self, slot).to_configuration() for slot in SINGLE if getattr(self, slot)}
        found["encoder"] = [layer.to_configuration() for layer in self.encoder]
        if self.decoder:
            found["decoder"] = [layer.to_configuration() for layer in self.decoder]
        if self.channels != "mixed":
            found |= {"channels": self.channels, "targets": self.targets}
        return found

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | self.to_configuration() | {"path": self.place}

    def build(self, input_shape: Any) -> None:
        """Nothing of its own: each kind builds when it is first called."""
        self.check_window(input_shape)

    def check_window(self, input_shape: Any) -> None:
        """Refuse a window that is known to be too short to be normalised."""
        if self.normalise is not None:
            self.normalise.check_window(Inputs.of(input_shape).past[1], f"{self.place}.normalise")

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        given, masks = Inputs.of(inputs), Inputs.of(mask)
        if self.channels == "mixed":
            return self._run(given, masks, training)
        count, channels = self.targets, given.past.shape[2]
        if channels < count:
            raise ValueError(
                f"{self.place} has `channels: independent` for {count} targets, but was given {channels} channels."
            )
        time = ops.shape(given.past)[1]
        past = ops.reshape(ops.transpose(given.past[..., :count], (0, 2, 1)), (-1, time, 1))
        ahead = None if given.ahead is None else ops.repeat(given.ahead, count, axis=0)
        of_past = None if masks.past is None else ops.repeat(masks.past, count, axis=0)
        # (batch × targets, …): horizon, one target, and any quantiles
        out = self._run(Inputs(past, ahead), Inputs(of_past), training)
        if self.head is None:
            return ops.reshape(out, (-1, count * out.shape[-1]))
        out = ops.reshape(out, (-1, count, *(s for i, s in enumerate(out.shape) if i not in (0, 2))))
        return ops.swapaxes(out, 1, 2)

    def _run(self, given: Inputs, masks: Inputs, training: bool | None) -> Any:
        x, statistics = (given.past, None) if self.normalise is None else self.normalise(given.past, mask=masks.past)
        x, mask = self._encode(x, masks.past, training)
        if self.decoder:
            if given.target is None:
                raise ValueError(f"{self.place} has a decoder, and needs {{past, target}}; there is no target.")
            memory, memory_mask = x, mask
            x, mask = self._embed(given.target, masks.target)
            for layer in self.decoder:
                x = layer(x, memory, mask=mask, memory_mask=memory_mask, training=training)
        if self.pooling is not None:
            x, mask = self.pooling(x, mask=mask), None
        if self.head is None:
            return x
        told = {"mask": mask} if self.head.hears("mask") else {}
        if mask is not None and not self.head.per_step and not told:
            raise ValueError(
                f"head '{self.head.kind}' is given a whole sequence and cannot leave its padding out. "
                "Put a pooling before it, such as `pooling: {kind: last}`."
            )
        out = self.head(x, ahead=given.ahead, training=training, **told)
        return self.normalise.undo(out, statistics) if self.normalise is not None and self.head.forecasts else out

    def _embed(self, x: Any, mask: Any) -> tuple[Any, Any]:
        for layer in (self.embedding, self.position):
            if layer is not None:
                x, mask = layer(x, **{"mask": mask} if layer.hears("mask") else {}), layer.compute_mask(x, mask)
        return x, mask

    def _encode(self, x: Any, mask: Any, training: bool | None) -> tuple[Any, Any]:
        x, mask = self._embed(x, mask)
        for layer in self.encoder:
            x, mask = layer(x, mask=mask, training=training), layer.compute_mask(x, mask)
        return x, mask

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """None: pooled or forecast there is no padding left, and of labels the targets say which steps count."""

    def initial_state(self, batch: int, source: Any = None, mask: Any = None) -> dict[str, Any]:
        """The state of every kind before the first step, by its place in the row.

        Args:
            batch: rows.
            source: with decoders, what the encoders read, (batch, time, …); it is read whole, here.
            mask: boolean (batch, time) of the source.
        """
        streamed = self._streamed()
        if self.head is not None and self.head.remembers:
            streamed.append(("head", self.head))
        if not self.decoder:
            return {place: layer.initial_state(batch) for place, layer in streamed}
        if source is None:
            raise ValueError(f"{self.place} has a decoder: its state begins with what the encoders make of a source.")
        memory, memory_mask = self._encode(source, mask, training=False)
        beside = {"memory": memory, "memory_mask": memory_mask}
        return {
            place: layer.initial_state(batch, **beside if layer.slot == "decoder" else {}) for place, layer in streamed
        }

    def stream(
        self, x: Any, state: Mapping[str, Any], ahead: Any = None, training: bool | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """A chunk (batch, time, …) and a state → the output, the state after the chunk's last step.

        A head that gives an output for each step gives them all; another one that after the last.
        """
        after = {}
        for place, layer in self._streamed():
            x, after[place] = layer.stream(x, state[place], training=training)
        if self.head is None:
            return x, after
        if self.head.remembers:
            x, after["head"] = self.head.stream(x, state["head"], training=training)
            return x, after
        return self.head(x if self.head.per_step else x[:, -1], ahead=ahead, training=training), after

    def step(self, x_t: Any, state: Mapping[str, Any], ahead: Any = None) -> tuple[Any, dict[str, Any]]:
        """x_t (batch, features), or ids (batch,); state → the output after it, the next state; in inference."""
        after = {}
        for place, layer in self._streamed():
            x_t, after[place] = layer.step(x_t, state[place])
        if self.head is None:
            return x_t, after
        if self.head.remembers:
            x_t, after["head"] = self.head.step(x_t, state["head"])
            return x_t, after
        return self.head(x_t, ahead=ahead, training=False), after

    def _streamed(self) -> list[tuple[str, Kind]]:
        """What is run step by step, by its place; refused in the name of what cannot be."""
        if self.channels == "independent":
            raise ConfigurationError(f"{self.place}.channels", "independent channels do not stream.", "mixed")
        if self.head is not None and not self.head.streams:
            raise slots.Refused(self.head, "streams")
        if self.head is not None and not self.head.per_step and self.pooling is None:
            raise ConfigurationError(
                f"{self.place}.pooling", f"head '{self.head.kind}' reads a whole sequence, and cannot stream.", "a kind"
            )
        read = self.encoder if not self.decoder else self.decoder
        row = [self.normalise, self.embedding, self.position, *read, self.pooling]
        return [(f"{i}_{layer.kind}", layer) for i, layer in enumerate(k for k in row if k is not None)]
