"""Argument types that many kinds share, and the checks of what a kind is called with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import keras
from pydantic import Field

if TYPE_CHECKING:
    from seqlayers.kind import Kind

Count = Annotated[int, Field(ge=1)]
#: A probability of dropping; at 1 nothing would be left.
Fraction = Annotated[float, Field(ge=0, lt=1)]
Activation = Literal["linear", "relu", "gelu", "silu", "tanh"]


def check_call(layer: Kind, x: Any, mask: Any) -> None:
    """Refuse, in the kind's own name, what has the wrong number of axes or the wrong type, and masks that do not fit.

    Only shapes and types are looked at, so that it costs nothing and holds while a function is compiled as well.
    """
    if not hasattr(x, "shape") or not hasattr(x, "dtype"):
        return
    name, dtype = f"{layer.slot} '{layer.kind}'", keras.backend.standardize_dtype(x.dtype)
    if layer.slot == "head" and layer.takes != "ids":
        if not layer.per_step:
            check_same(layer, name, tuple(x.shape[1:]))
    elif layer.takes == "ids":
        if len(x.shape) != 2 or "int" not in dtype:
            raise ValueError(
                f"{name} takes ids, whole numbers (batch, time), but was given {dtype} {tuple(x.shape)}. "
                "Readings go into embedding 'value' or 'patch'."
            )
    elif layer.takes == "sequence":
        sequence_shape(layer, x.shape)
    if layer.takes == "sequence" and "float" not in dtype:
        raise ValueError(
            f"{name} takes numbers with a fraction (float), but was given {dtype}. Ids go into an embedding such as "
            "'token' first; other whole numbers need a cast."
        )
    if mask is not None:
        of_mask = keras.backend.standardize_dtype(mask.dtype)
        fits = len(mask.shape) == 2
        fits = fits and all(None in pair or pair[0] == pair[1] for pair in zip(mask.shape, x.shape[:2], strict=True))
        if of_mask != "bool" or not fits:
            raise ValueError(
                f"{name} takes a mask of booleans (batch, time), one for each step of {tuple(x.shape)}, "
                f"but was given {of_mask} {tuple(mask.shape)}."
            )


def known_ids(layer: Kind, ids: Any) -> Any:
    """Which ids are in the layer's vocabulary, as booleans; where values can be looked at, any other is refused."""
    values, vocabulary = known_value(ids), layer.vocabulary
    if values is not None and values.size:
        for value in (values.min(), values.max()):
            if not 0 <= value < vocabulary:
                raise ValueError(
                    f"{layer.slot} '{layer.kind}' has a vocabulary of {vocabulary}, ids 0 to {vocabulary - 1}, but was "
                    f"given the id {value}. Give what is not in the vocabulary an id of its own in it, or set "
                    "`vocabulary` to the largest id plus one."
                )
    return (ids >= 0) & (ids < vocabulary)


def check_same(layer: Kind, name: str, shape: tuple[int | None, ...]) -> None:
    """Refuse features of another shape than a head was first called with, which a reshape would take for more rows."""
    first = layer.__dict__.setdefault("first_shape", shape)
    if shape != first:
        raise ValueError(
            f"{name} has weights for features (batch, {str(first)[1:]}, but was given (batch, {str(shape)[1:]}."
        )


def sequence_shape(layer: Kind, shape: Any) -> tuple[int | None, int]:
    """(time, features) of a (batch, time, features) shape, anything else refused in the kind's own name."""
    if len(shape) != 3:
        raise ValueError(
            f"{layer.slot} '{layer.kind}' takes a sequence (batch, time, features), but was given {len(shape)} axes: "
            f"{tuple(shape)}. A single series needs a last axis of length one."
        )
    if shape[2] is None:
        raise ValueError(f"{layer.slot} '{layer.kind}' needs a known number of features, but was given {tuple(shape)}.")
    return shape[1], shape[2]


def check_features(layer: Kind, shape: Any) -> None:
    """Refuse what a head cannot flatten: features are (batch, features) or (batch, time, features), time known."""
    if len(shape) not in (2, 3) or None in shape[1:]:
        raise ValueError(
            f"{layer.slot} '{layer.kind}' takes (batch, features), or a sequence (batch, time, features) of known "
            f"length, but was given {tuple(shape)}. Put a pooling before it, such as `pooling: {{kind: last}}`."
        )


def check_ahead(layer: keras.layers.Layer, weight: Any, ahead: Any) -> None:
    """Refuse a call with what is known ahead where there was none when the weights were made, and the reverse."""
    if (weight is None) != (ahead is None):
        was, given = ("without", "with") if weight is None else ("with", "without")
        raise ValueError(f"Head '{layer.name}' was built {was} what is known `ahead`, but is called {given} it.")


def require_built(layer: Kind) -> None:
    """Refuse to make a state whose width is not known yet."""
    if not layer.built:
        raise ValueError(f"{layer.slot} '{layer.kind}' must be called once, or built, before its state can be made.")


def known_value(x: Any) -> Any:
    """A tensor's value as a NumPy array, or None while a function is being traced, where there is none yet."""
    try:
        return keras.ops.convert_to_numpy(x)
    except (TypeError, ValueError, NotImplementedError, AttributeError):
        return None
