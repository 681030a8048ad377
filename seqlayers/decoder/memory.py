"""The check of what decoders read beside their own sequence."""

from __future__ import annotations

from typing import Any

import keras

from seqlayers.kind import Kind


def memory_features(layer: Kind, memory: Any, mask: Any = None) -> int:
    """How many features the memory has; refused in the decoder's name if it is none, no sequence, or unlike its mask.

    Args:
        memory: a tensor or a shape, (batch, source time, features); None where there is none.
        mask: booleans (batch, source time); None: all of it is real.
    """
    name = f"{layer.slot} '{layer.kind}'"
    if memory is None:
        raise ValueError(
            f"{name} reads a memory (batch, source time, features) beside its own sequence, but was given none. "
            "Call it as `decoder(x, memory)`; the memory is what the encoder made of the source."
        )
    shape = tuple(getattr(memory, "shape", memory))
    if len(shape) != 3 or shape[2] is None:
        raise ValueError(
            f"{name} reads a memory (batch, source time, features), but was given {len(shape)} axes: {shape}. Hand it "
            "the encoder's outputs as they are, not pooled."
        )
    if mask is not None:
        dtype, fits = keras.backend.standardize_dtype(mask.dtype), len(mask.shape) == 2
        fits = fits and all(None in pair or pair[0] == pair[1] for pair in zip(mask.shape, shape[:2], strict=True))
        if dtype != "bool" or not fits:
            raise ValueError(
                f"{name} takes a mask of booleans for its memory, one for each step of {shape}, but was given {dtype} "
                f"{tuple(mask.shape)}."
            )
    return shape[2]
