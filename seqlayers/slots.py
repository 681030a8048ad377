"""The catalogue: which slots a sequence model has, which kinds may stand in them, and how a configuration builds one.

A *slot* is a place in the row

    normalise → embedding → position → encoder × n → [decoder × n] → pooling → head

and a *kind* is what may stand in it: a registered Keras layer whose constructor's typed signature is its
configuration. Nothing else describes a kind: the schema, the help text and the search space are read from it.
"""

from __future__ import annotations

import difflib
import functools
import typing
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import keras
import pydantic

from seqlayers.errors import ConfigurationError
from seqlayers.kind import Argument, Choice, Kind, Range, Refused
from seqlayers.schema import KERAS_ARGUMENTS, Nested, schema, tuples

__all__ = ["SLOTS", "Argument", "Choice", "ConfigurationError", "Kind", "Nested", "Range", "Refused", "kind"]

SLOTS = ("normalise", "embedding", "position", "encoder", "decoder", "pooling", "head")


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
    """Every slot with its kinds; importing the folder of a slot is what fills it."""
    for slot in SLOTS:
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
        return dict(schema(cls).model_validate({k: tuples(v) for k, v in settings.items()}))
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


def nearest(name: Any, known: typing.Iterable[str]) -> str:
    close = difflib.get_close_matches(str(name), list(known), 1)
    return f" Did you mean '{close[0]}'?" if close else ""
