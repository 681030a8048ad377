"""A constructor's typed signature as a schema: what is accepted, in the words of a configuration file."""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any

import pydantic

#: Arguments that belong to Keras, not to a configuration.
KERAS_ARGUMENTS = ("name", "dtype", "trainable")

#: A kind inside a kind, such as `layer: {kind: gru, units: 32}`.
Nested = Annotated[Mapping[str, Any], "kind"]


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
        for name, (annotation, default) in signature(cls).items()
    }
    return pydantic.create_model(cls.__name__, __config__=pydantic.ConfigDict(strict=True, extra="forbid"), **fields)


#: Read once a class; `Any`, since a type checker takes a layer's hash for its class's.
signature: Any = functools.cache(_read_signature)
schema: Any = functools.cache(_make_schema)


def type_name(annotation: Any) -> str:
    """An annotation in plain words, such as `int ≥ 1 | none`."""
    if annotation == Nested:
        return "a kind, such as {kind: gru}"
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        bounds = [str(m) for m in _bounds(args[1:])]
        return type_name(args[0]) + (f" {' and '.join(bounds)}" if bounds else "")
    if origin is typing.Literal:
        return " | ".join(repr(a) for a in args)
    if origin in (typing.Union, types.UnionType):
        return " | ".join(type_name(a) for a in args)
    if origin is tuple:
        return f"list of {type_name(args[0])}"
    return "none" if annotation is type(None) else getattr(annotation, "__name__", str(annotation))


def _bounds(metadata: tuple[Any, ...]) -> typing.Iterator[str]:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    for item in metadata:
        for constraint in getattr(item, "metadata", [item]):
            for attribute, sign in signs.items():
                if getattr(constraint, attribute, None) is not None:
                    yield f"{sign} {getattr(constraint, attribute)}"


def tuples(value: Any) -> Any:
    """Lists as tuples, which a layer can keep without fear of a change."""
    return tuple(map(tuples, value)) if isinstance(value, list | tuple) else value


def plain(value: Any) -> Any:
    """A constructor's argument as a YAML file would say it; a nested kind as its configuration."""
    if hasattr(value, "to_configuration"):
        return value.to_configuration()
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, list | tuple) else value
