"""The catalogue: which slots a sequence model has, which kinds may stand in them, and how a configuration builds one.

A *slot* is a place in the row

    normalise → embedding → position → encoder × n → [decoder × n] → pooling → head

and a *kind* is what may stand in it: a registered Keras layer whose constructor's typed signature is its
configuration. Nothing else describes a kind: the schema, the help text and the search space are read from it.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

import keras
import pydantic

from seqlayers.errors import ConfigurationError

SLOTS = ("normalise", "embedding", "position", "encoder", "decoder", "pooling", "head")

#: Arguments that belong to Keras, not to a configuration.
KERAS_ARGUMENTS = ("name", "dtype", "trainable")


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
      `seqlayers.testing`: streams, masks, dynamic_time, xla, mixed_precision, litert, jax.

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

    @classmethod
    def arguments(cls) -> dict[str, Argument]:
        return {
            name: Argument(
                name=name,
                type=_type_name(annotation),
                default=None if default is inspect.Parameter.empty else default,
                required=default is inspect.Parameter.empty,
                search=cls.search.get(name),
                from_task=name in cls.from_task,
            )
            for name, (annotation, default) in _signature(cls).items()
        }

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | self.settings()

    def settings(self) -> dict[str, Any]:
        """The constructor's arguments as plain values: what a YAML file would say."""
        return {name: _plain(getattr(self, name)) for name in _signature(type(self))}

    def to_configuration(self) -> dict[str, Any]:
        return {"kind": self.kind} | self.settings()

    def refusals(self) -> dict[str, str]:
        """Capability → why this layer does not have it. Empty: it can do all that is checked."""
        return {}

    @property
    def streams(self) -> bool:
        return "streams" not in self.refusals()

    def initial_state(self, batch: int) -> Any:
        """The state before the first step: a nest of tensors whose first axis is the batch."""
        if not self.streams:
            raise Refused(self, "streams")
        return ()

    def stream(self, x: Any, state: Any) -> tuple[Any, Any]:
        """x (batch, time, features), state → y (batch, time, features), the state after the last step."""
        if not self.streams:
            raise Refused(self, "streams")
        return self(x), state

    def step(self, x_t: Any, state: Any) -> tuple[Any, Any]:
        """x_t (batch, features), state → y_t (batch, features), the next state."""
        y, state = self.stream(keras.ops.expand_dims(x_t, 1), state)
        return keras.ops.squeeze(y, 1), state


_CATALOGUE: dict[str, dict[str, type[Kind]]] = {slot: {} for slot in SLOTS}


def kind(slot: str, name: str):
    """Class decorator: publish a layer in the catalogue as kind `name` of `slot`.

    The constructor is wrapped so that it takes arguments by name and refuses wrong ones in the same words a
    configuration file would, and the class is registered with Keras for saving and loading.
    """

    def publish(cls: type[Kind]) -> type[Kind]:
        if slot not in SLOTS:
            raise ValueError(f"No slot '{slot}': {', '.join(SLOTS)}")
        cls.slot, cls.kind = slot, name
        init = cls.__init__

        @functools.wraps(init)
        def checked(self, **kwargs):
            if type(self) is cls:
                own = {k: v for k, v in kwargs.items() if k not in KERAS_ARGUMENTS}
                kwargs = validate(cls, own) | {k: v for k, v in kwargs.items() if k in KERAS_ARGUMENTS}
            init(self, **kwargs)

        cls.__init__ = checked  # type: ignore[method-assign]
        keras.saving.register_keras_serializable("seqlayers", f"{slot}_{name}")(cls)
        _CATALOGUE[slot][name] = cls
        return cls

    return publish


def catalogue() -> dict[str, dict[str, type[Kind]]]:
    """Every slot with its kinds; importing the rooms is what fills it."""
    import seqlayers

    for slot in SLOTS:
        if slot in seqlayers.ROOMS:
            import_module(f"seqlayers.{slot}")
    return _CATALOGUE


def get(slot: str, name: str, path: str = "") -> type[Kind]:
    """The class of kind `name` in `slot`; an unknown name is refused with the nearest known one."""
    kinds = catalogue()[slot]
    if not isinstance(name, str) or name not in kinds:
        raise ConfigurationError(path or slot, f"no {slot} kind '{name}'.{nearest(name, kinds)}", ", ".join(kinds))
    return kinds[name]


def build(slot: str, configuration: Mapping[str, Any] | Kind, path: str = "") -> Kind:
    """A layer from `{kind: lstm, units: 64}`; `path` names the place in the user's file for errors."""
    if isinstance(configuration, Kind):
        return configuration
    path = path or slot
    cls, settings = parse(slot, configuration, path)
    settings = validate(cls, settings, path)
    try:
        return cls(**settings)
    except ConfigurationError as error:  # from the constructor, which does not know its place in the file
        raise ConfigurationError(path + error.path.removeprefix(slot), error.problem, error.accepted) from None


def parse(slot: str, configuration: Mapping[str, Any], path: str) -> tuple[type[Kind], dict[str, Any]]:
    """`{kind: lstm, units: 64}` → (the class, {units: 64}), unchecked but for the kind's name."""
    if not isinstance(configuration, Mapping) or "kind" not in configuration:
        raise ConfigurationError(path, f"{configuration!r} names no kind.", "a mapping such as {kind: …}")
    settings = {k: v for k, v in configuration.items() if k != "kind"}
    return get(slot, configuration["kind"], f"{path}.kind"), settings


def complete(slot: str, configuration: Mapping[str, Any], given: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """The configuration with the arguments that a task decides (horizon, targets, …) filled in.

    Setting one of them by hand is refused: it would contradict the task's own setting.
    """
    path = path or slot
    cls, settings = parse(slot, configuration, path)
    for name in cls.from_task:
        if name in given:
            if name in settings and settings[name] != given[name]:
                raise ConfigurationError(
                    f"{path}.{name}", f"{settings[name]!r} given, but the task sets {given[name]!r}."
                )
            settings[name] = given[name]
    return {"kind": configuration["kind"]} | settings


def validate(cls: type[Kind], settings: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """Check constructor arguments against the typed signature; returns them with lists turned into tuples."""
    path = path or cls.slot
    arguments = cls.arguments()
    for key in settings:
        if key not in arguments:
            accepted = ", ".join(f"{a.name} ({a.type})" for a in arguments.values()) or "no arguments"
            raise ConfigurationError(
                f"{path}.{key}", f"{cls.slot} '{cls.kind}' has no argument '{key}'.{nearest(key, arguments)}", accepted
            )
    try:
        return dict(_schema(cls).model_validate({k: _tuples(v) for k, v in settings.items()}))
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0])
        where = ".".join(map(str, [path, key, *(p for p in first["loc"][1:] if isinstance(p, int))]))
        if first["type"] == "missing":
            by_whom = "; the task sets it" if arguments[key].from_task else ""
            problem = f"{cls.slot} '{cls.kind}' needs '{key}'{by_whom}."
        else:
            problem = f"{settings[key]!r} given for {cls.slot} '{cls.kind}': {first['msg'].lower()}."
        raise ConfigurationError(where, problem, arguments[key].type) from None


def _read_signature(cls: Any) -> dict[str, tuple[Any, Any]]:
    """Argument → (annotation, default), Keras's own left out."""
    init = inspect.unwrap(cls.__init__)
    hints = typing.get_type_hints(init, include_extras=True)
    return {
        p.name: (hints[p.name], p.default)
        for p in inspect.signature(init).parameters.values()
        if p.name not in ("self", *KERAS_ARGUMENTS) and p.kind is not p.VAR_KEYWORD
    }


def _make_schema(cls: Any) -> type[pydantic.BaseModel]:
    fields: dict[str, Any] = {
        name: (annotation, ... if default is inspect.Parameter.empty else default)
        for name, (annotation, default) in _signature(cls).items()
    }
    return pydantic.create_model(cls.__name__, __config__=pydantic.ConfigDict(strict=True, extra="forbid"), **fields)


#: Read once a class; `Any`, since a type checker takes a layer's hash for its class's.
_signature: Any = functools.cache(_read_signature)
_schema: Any = functools.cache(_make_schema)


def _type_name(annotation: Any) -> str:
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        bounds = [str(m) for m in _bounds(args[1:])]
        return _type_name(args[0]) + (f" {' and '.join(bounds)}" if bounds else "")
    if origin is typing.Literal:
        return " | ".join(repr(a) for a in args)
    if origin in (typing.Union, types.UnionType):
        return " | ".join(_type_name(a) for a in args)
    if origin is tuple:
        return f"list of {_type_name(args[0])}"
    return "none" if annotation is type(None) else getattr(annotation, "__name__", str(annotation))


def _bounds(metadata: tuple[Any, ...]) -> typing.Iterator[str]:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    for item in metadata:
        for constraint in getattr(item, "metadata", [item]):
            for attribute, sign in signs.items():
                if getattr(constraint, attribute, None) is not None:
                    yield f"{sign} {getattr(constraint, attribute)}"


def nearest(name: Any, known: typing.Iterable[str]) -> str:
    close = difflib.get_close_matches(str(name), list(known), 1)
    return f" Did you mean '{close[0]}'?" if close else ""


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else value


def _plain(value: Any) -> Any:
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value
