"""Reversible instance normalisation (RevIN)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from keras import ops
from pydantic import Field

from seqlayers.arguments import sequence_shape
from seqlayers.slots import Choice, ConfigurationError, Kind, kind


@kind("normalise", "reversible")
class Reversible(Kind):
    r"""Takes each window's level (and scale) out of every channel and puts those of the targets back into the forecast.

    \[ y_{t,c} = e^{g_c}\,\frac{x_{t,c} - m_c}{s_c} + b_c, \qquad
       \hat x_{h,c} = s_c\,(\hat y_{h,c} - b_c)\,e^{-g_c} + m_c \]

    with m the window's mean or last value, \(s = \sqrt{\sigma^2 + \epsilon}\) its standard deviation (1 without
    `scale`) and g, b learned with `affine`, else 0. The paper's gain γ is written \(e^g\) here: it is then positive,
    so that it can always be divided by and quantiles keep their order.

    Args:
        subtract: the level that is taken out: the window's `mean`, or its `last` value.
        scale: divide by the window's standard deviation as well.
        affine: learn a gain and an offset for each channel.
        eps: added to the variance, in squared units of the input.

    Call arguments:
        x: (batch, time, features), the targets first.
        mask: boolean (batch, time); padded steps do not count.

    Returns:
        y (batch, time, features), and the statistics that `undo(output, statistics)` needs, where the output is
        (batch, horizon, targets) or (batch, horizon, targets, quantiles).

    Raises:
        ConfigurationError: a window of one step, which is its own level.
        ValueError: what is to be undone has more targets than there were channels.

    Refuses to stream: the whole window must be known first.

    Kim et al. 2022, Reversible instance normalization for accurate time-series forecasting against distribution shift.
    """

    search: ClassVar = {"subtract": Choice(("mean", "last")), "scale": Choice((False, True))}

    causal = False

    def __init__(
        self,
        subtract: Literal["mean", "last"] = "mean",
        scale: bool = True,
        affine: bool = False,
        eps: Annotated[float, Field(gt=0)] = 1e-5,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.subtract, self.scale, self.affine, self.eps = subtract, scale, affine, eps

    def refusals(self) -> dict[str, str]:
        return {"streams": "it needs the whole window before its first output"}

    def build(self, input_shape: Any) -> None:
        time, features = sequence_shape(self, input_shape)
        self.check_window(time, self.slot)
        if self.affine:
            self.gain = self.add_weight(name="gain", shape=(features,), initializer="zeros")
            self.offset = self.add_weight(name="offset", shape=(features,), initializer="zeros")

    def check_window(self, steps: int | None, path: str) -> None:
        """Refuse a window of which nothing would be left; `path` is this kind's place in the user's file."""
        if steps == 1:
            problem = (
                "'reversible' takes the window's own level out of it, and of a window of one step leaves nothing but "
                "zeros. Use `none` (or a longer look-back)."
            )
            raise ConfigurationError(f"{path}.kind", problem, "none")

    def call(self, x: Any, mask: Any = None) -> tuple[Any, tuple[Any, ...]]:
        wide = ops.cast(x, self.variable_dtype)  # half precision is too coarse for sums over a window
        if mask is None:
            weight = ops.ones_like(wide[..., :1])
        else:
            weight = ops.cast(ops.expand_dims(mask, -1), wide.dtype)
            wide = ops.where(ops.expand_dims(mask, -1), wide, 0.0)
        count = ops.maximum(ops.sum(weight, axis=1, keepdims=True), 1.0)
        mean = ops.sum(wide, axis=1, keepdims=True) / count
        level = mean
        if self.subtract == "last":
            is_last = ops.cast(ops.equal(ops.cumsum(weight, axis=1), count), wide.dtype) * weight
            level = ops.sum(wide * is_last, axis=1, keepdims=True)
        if self.scale:
            spread = ops.sqrt(ops.sum(weight * ops.square(wide - mean), axis=1, keepdims=True) / count + self.eps)
        else:
            spread = ops.ones_like(level)
        y = (wide - level) / spread
        if self.affine:
            y = y * ops.exp(ops.cast(self.gain, y.dtype)) + ops.cast(self.offset, y.dtype)
        return ops.cast(y, self.compute_dtype), (level, spread)

    def undo(self, output: Any, statistics: tuple[Any, ...]) -> Any:
        """The head's output back at the window's level and scale, in the precision of the statistics."""
        level, spread = statistics
        targets, channels = output.shape[2], level.shape[2]
        if targets > channels:
            raise ValueError(
                f"normalise 'reversible' knows the level of the {channels} channels it was given, but the forecast has "
                f"{targets} targets. The targets are the first channels of the readings."
            )
        level, spread = level[..., :targets], spread[..., :targets]
        output = ops.cast(output, level.dtype)
        quantiles = len(output.shape) == 4
        if self.affine:
            gain = ops.exp(ops.cast(self.gain, output.dtype))[:targets]
            offset = ops.cast(self.offset, output.dtype)[:targets]
            if quantiles:
                gain, offset = gain[:, None], offset[:, None]
            output = (output - offset) / gain
        if quantiles:
            level, spread = level[..., None], spread[..., None]
        return output * spread + level
