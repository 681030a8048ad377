"""What every kind is: a Keras layer whose constructor is its configuration, and which can say what it does."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import keras

from seqlayers.arguments import check_call
from seqlayers.schema import plain, signature, type_name

#: What a kind can be called with.
Takes = Literal["sequence", "ids", "anything"]


class Refused(ValueError):
    """A kind was asked for something it declares it cannot do (see `Kind.refusals`)."""

    def __init__(self, layer: Kind, capability: str):
        reason = layer.refusals().get(capability, "it is not implemented")
        super().__init__(f"{layer.slot} '{layer.kind}' cannot do '{capability}': {reason}.")


@dataclass(frozen=True)
class Choice:
    """A search over a few values, in order from cheap to dear."""

    values: tuple[Any, ...]

    def __str__(self) -> str:
        return " | ".join(map(str, self.values))


@dataclass(frozen=True)
class Range:
    """A search over an interval, on a logarithmic scale where `log` is set."""

    low: float
    high: float
    log: bool = False

    def __str__(self) -> str:
        return f"{self.low:g} … {self.high:g}" + (" (log)" if self.log else "")


@dataclass(frozen=True)
class Argument:
    """One constructor argument of a kind, as `seqlayers slots` shows it."""

    name: str
    type: str
    default: Any
    required: bool
    search: Choice | Range | None
    from_task: bool


class Kind(keras.layers.Layer):
    """A layer that may stand in a slot. Shapes are (batch, time, features) throughout.

    Subclasses store every constructor argument under its own name, and say what they can do:

    - `causal`: output t depends on inputs up to t only.
    - `rate`: outputs per input in time; 1 keeps the length, None takes the time axis away.
    - `refusals()`: the capabilities this layer does not have, each with its reason. The names are those of
      `seqlayers.testing`: streams, masks, dynamic_time, xla, mixed_precision, litert, int8, jax.
    - `takes`: what it is called with: a `sequence` of numbers (a head: features), `ids` (batch, time), or `anything`.
    - `recurrent`: a state is all that it remembers, so that it can be run over a sequence from either end.
    - `attends`: it uses positions inside attention; `use_position` hands it the row's position kind.
    - `per_step`: of a head, it gives an output for each step.
    - `remembers`: of a head, it reads earlier steps too, and streams by a state of its own.
    - `adapts`: of a head, it reads the inputs itself, and `adapt` fits it without gradients before training.
    - `solved`: of a head that adapts, nothing is then left to train.
    - `forecasts`: of a head, its output is in the units of the readings, where a normalisation is undone.

    A causal kind of rate one has a second view of the same computation: `stream` (a chunk, from a state, to the
    state handed on), `step` (one step) and `initial_state`. The defaults serve kinds that work step by step
    on their own, such as a dense projection.
    """

    slot: ClassVar[str]
    kind: ClassVar[str]
    #: argument → Choice or Range, for a search over architectures.
    search: ClassVar[Mapping[str, Choice | Range]] = {}
    #: arguments that the task fills in, such as the horizon.
    from_task: ClassVar[tuple[str, ...]] = ()

    causal: bool = True
    rate: float | None = 1
    takes: Takes = "sequence"
    recurrent: bool = False
    attends: bool = False
    per_step: bool = False
    remembers: bool = False
    forecasts: bool = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if args:
            check_call(self, args[0], kwargs.get("mask"))
        return super().__call__(*args, **kwargs)

    @classmethod
    def arguments(cls) -> dict[str, Argument]:
        return {
            name: Argument(
                name=name,
                type=type_name(annotation),
                default=None if default is inspect.Parameter.empty else default,
                required=default is inspect.Parameter.empty,
                search=cls.search.get(name),
                from_task=name in cls.from_task,
            )
            for name, (annotation, default) in signature(cls).items()
        }

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | self.settings()

    def settings(self) -> dict[str, Any]:
        """The constructor's arguments as plain values: what a YAML file would say."""
        return {name: plain(getattr(self, name)) for name in signature(type(self))}

    def to_configuration(self) -> dict[str, Any]:
        return {"kind": self.kind} | self.settings()

    def refusals(self) -> dict[str, str]:
        """Capability → why this layer does not have it. Empty: it can do all that is checked."""
        return {}

    def hears(self, argument: str) -> bool:
        """Whether the layer's call takes an argument of this name, such as `mask` or `training`."""
        return argument in inspect.signature(self.call).parameters

    @property
    def streams(self) -> bool:
        return "streams" not in self.refusals()

    def initial_state(self, batch: int) -> Any:
        """The state before the first step: a nest of tensors whose first axis is the batch."""
        if not self.streams:
            raise Refused(self, "streams")
        return ()

    def stream(self, x: Any, state: Any, training: bool | None = None) -> tuple[Any, Any]:
        """x (batch, time, features), state → y (batch, time, features), the state after the last step."""
        if not self.streams:
            raise Refused(self, "streams")
        return (self(x, training=training) if self.hears("training") else self(x)), state

    def step(self, x_t: Any, state: Any) -> tuple[Any, Any]:
        """x_t (batch, features), or ids (batch,); state → y_t (batch, features), the next state; in inference."""
        y, state = self.stream(keras.ops.expand_dims(x_t, 1), state, training=False)
        return keras.ops.squeeze(y, 1), state
