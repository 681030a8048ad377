"""Rotary positions."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from keras import ops
from pydantic import Field

from seqlayers.position.position import Position
from seqlayers.slots import ConfigurationError, kind


@kind("position", "rotary")
class Rotary(Position):
    r"""Turns queries and keys by an angle that grows with the position, so that their product knows the distance.

    With the features of a head taken in pairs as complex numbers, i = 0, …, d/2 − 1 of d features,

    \[ \tilde q_{s,i} = q_{s,i}\, e^{\mathrm{i} s \theta_i}, \quad \tilde k_{t,i} = k_{t,i}\, e^{\mathrm{i} t \theta_i},
       \quad \theta_i = P^{-2i/d}, \qquad
       \langle \tilde q_s, \tilde k_t \rangle = \mathrm{Re} \sum_i q_{s,i}\, \bar k_{t,i}\,
       e^{\mathrm{i} (s - t) \theta_i} \]

    A pair is features i and i + d/2: the pairs of the paper, 2i and 2i + 1, with the features numbered anew. Nothing
    is added to the features, there are no weights, and no longest sequence. Acts inside the self-attention of every
    kind that attends.

    Args:
        period: P; the slowest pair comes round after nearly 2πP steps.

    Call arguments:
        x: (batch, time, features).

    Returns:
        x as it is; `rotate(q, k, start)` is what attention uses.

    Raises:
        ConfigurationError: a head has an odd number of features.

    Su et al. 2021, RoFormer: enhanced Transformer with rotary position embedding.
    """

    in_attention = True

    def __init__(self, period: Annotated[float, Field(gt=1)] = 10000.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.period = period

    def for_heads(self, heads: int, size: int, causal: bool) -> None:
        if size % 2:
            units = heads * size
            even = [str(n) for n in range(1, units + 1) if units % n == 0 and units // n % 2 == 0]
            accepted = f"heads of an even size: {', '.join(even)} heads" if even else "an even number of units"
            raise ConfigurationError(
                "position",
                f"'rotary' turns features in pairs, but {heads} heads share {units} units, {size} each.",
                accepted,
            )

    def rotate(self, q: Any, k: Any, start: Any) -> tuple[Any, Any]:
        return self._turn(q, start), self._turn(k, 0)

    def _turn(self, x: Any, start: Any) -> Any:
        angle = self._angles(start + ops.arange(ops.shape(x)[2], dtype="int32"), x.shape[3])
        cos, sin = (ops.cast(f(angle), x.dtype) for f in (ops.cos, ops.sin))
        halves = ops.reshape(x, (-1, *ops.shape(x)[1:3], 2, x.shape[3] // 2))
        signed = ops.stack([-sin, sin], axis=1)
        turned = halves * ops.expand_dims(cos, 1) + ops.flip(halves, axis=3) * signed
        return ops.reshape(turned, ops.shape(x))

    def _angles(self, positions: Any, size: int) -> Any:
        """(positions, size / 2) angles, whole turns taken off.

        A product of a large position and a frequency has no digits left for the angle in single precision. So the
        frequency is split: the product with its first eight bits is exact up to position 65,536, and whole turns are
        taken off it before the rest is added.
        """
        turns = np.power(float(self.period), -2.0 * np.arange(size // 2) / size) / (2 * np.pi)
        mantissa, exponent = np.frexp(turns)
        first = np.ldexp(np.floor(mantissa * 256) / 256, exponent)
        t = ops.expand_dims(ops.cast(positions, "float32"), 1)
        exact, rest = t * first.astype("float32"), t * (turns - first).astype("float32")
        return (exact - ops.floor(exact) + rest) * np.float32(2 * np.pi)
