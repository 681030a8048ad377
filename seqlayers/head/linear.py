"""A linear map from the readings to the forecast, by gradient or solved as a ridge."""

from __future__ import annotations

import functools
from typing import Annotated, Any, ClassVar, Literal

import keras
import numpy as np
from keras import ops
from pydantic import Field

from seqlayers.arguments import Count, check_ahead, sequence_shape
from seqlayers.head.losses import PointLoss
from seqlayers.head.point import PointHead, window_level
from seqlayers.head.ridge import Sums, solvable, solve
from seqlayers.head.trend import Decomposition, moving_average
from seqlayers.inputs import Inputs
from seqlayers.slots import Choice, ConfigurationError, kind

#: Numbers in memory at once while windows are gathered: 64 MiB.
SLICE = 2**24

#: Strengths of the ridge that validation chooses from, as multiples of the mean eigenvalue of the inputs' scatter.
STRENGTHS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)


@kind("head", "linear")
class Linear(PointHead):
    r"""Forecasts each target as a linear map of the readings, straight from look-back to horizon.

    \[ \hat y_h = s + b_h + \sum_l W_{h,l}\,(x_l - s) + \sum V_{h,\cdot}\, a \]

    with s the window's last value or mean (or 0), and a the known ahead, flattened. With `trend: k` the readings are
    taken apart first into a moving average over k steps (the ends repeated) and the remainder, a map for each.

    With `solve: ridge` the maps are those that minimise \(\sum (y - \hat y)^2 + \lambda \|W\|^2\), b not penalised:
    `adapt` makes one pass over the training and one over the validation windows, gathers the sums of the normal
    equations in float64, and keeps the λ with the lowest squared error on validation. Nothing is then left to `fit`.

    Args:
        horizon: steps of the forecast.
        targets: series that are forecast; they are the first channels of the readings.
        channels: `own` forecasts a target from its own past, `all` from the past of every channel (a map a target).
        share: with `channels: own`, one map for all targets (`shared`) or one a target (`per_channel`).
        subtract: level taken out of each window's channels and put back into the forecast: `none`, `last`, `mean`.
        trend: steps of the moving average, an odd number; None: no decomposition.
        bias: learn b; None: only with `subtract: none`. Where a level is subtracted, b is the average drift over the
            horizon in training, which seldom lasts.
        solve: `gradient` (trained by `fit`) or `ridge` (solved by `adapt`; before that its forecasts are NaN).
        strengths: with `ridge`, the λ to choose from, as multiples of the mean eigenvalue of the inputs' scatter.
        loss: with `gradient`, `mse`, `mae` or `huber`.

    Call arguments:
        features: the readings (batch, look-back, channels), of known length.
        ahead: (batch, horizon, known features), or None.

    Returns:
        (batch, horizon, targets).

    Raises:
        ValueError: the look-back is not known, or there are fewer channels than targets; `adapt` without windows.

    Refuses to stream: its map is from a whole window.

    Zeng et al. 2023, Are transformers effective for time series forecasting? (NLinear, DLinear); Hoerl and Kennard
    1970, Ridge regression.
    """

    search: ClassVar = {
        "share": Choice(("shared", "per_channel")),
        "subtract": Choice(("none", "last", "mean")),
        "trend": Choice((None, 25)),
    }

    def __init__(
        self,
        horizon: Count,
        targets: Count,
        channels: Literal["own", "all"] = "own",
        share: Literal["shared", "per_channel"] = "shared",
        subtract: Literal["none", "last", "mean"] = "last",
        trend: Annotated[int, Field(ge=3)] | None = None,
        bias: bool | None = None,
        solve: Literal["gradient", "ridge"] = "gradient",
        strengths: tuple[Annotated[float, Field(gt=0)], ...] = STRENGTHS,
        loss: PointLoss = "mse",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if trend is not None and trend % 2 == 0:
            problem = f"{trend} given; a centred moving average has an odd number of steps."
            raise ConfigurationError(f"{self.slot}.trend", problem, f"none, {trend - 1}, {trend + 1}")
        if solve == "ridge" and loss != "mse":
            problem = f"{loss!r} given, but `solve: ridge` minimises squared errors."
            raise ConfigurationError(f"{self.slot}.loss", problem, "'mse', or `solve: gradient`")
        if not strengths:
            raise ConfigurationError(f"{self.slot}.strengths", "[] given.", "a list of numbers > 0")
        self.horizon, self.targets, self.channels, self.share = horizon, targets, channels, share
        self.subtract, self.trend, self.bias = subtract, trend, bias
        self.solve, self.strengths = solve, strengths
        self.loss_name = loss

    @property
    def adapts(self) -> bool:
        """Whether it is solved without gradients, by `adapt`."""
        return self.solve == "ridge"

    @property
    def has_bias(self) -> bool:
        return self.subtract == "none" if self.bias is None else self.bias

    def refusals(self) -> dict[str, str]:
        return {
            "streams": "it maps a whole window",
            "dynamic_time": "it has a weight for each step of the look-back",
        }

    def build(self, features_shape: Any, ahead_shape: Any = None) -> None:
        time, channels = sequence_shape(self, features_shape)
        if time is None:
            raise ValueError(f"head 'linear' needs a known look-back, but was given {tuple(features_shape)}.")
        if channels < self.targets:
            raise ValueError(f"head 'linear' forecasts {self.targets} targets, but was given {channels} channels.")
        self.look_back = time
        everything = self.channels == "all"
        #: maps that are kept apart, and the outputs of each
        self.groups = self.targets if self.share == "per_channel" and not everything else 1
        outputs = self.horizon * self.targets if everything else self.horizon
        shape = (self.groups, time, channels if everything else 1, outputs)
        parts = ("readings",) if self.trend is None else ("trend", "remainder")
        self.kernels = [self._weight(f"{part}_kernel", shape) for part in parts]
        self.offset = self._weight("offset", (self.groups, outputs)) if self.has_bias else None
        self.known = None
        if ahead_shape is not None:
            if len(ahead_shape) != 3 or ahead_shape[1] != self.horizon:
                expected = f"(batch, horizon {self.horizon}, features)"
                raise ValueError(f"head 'linear': what is known ahead must be {expected}, but is {tuple(ahead_shape)}.")
            self.known = self._weight("known", (self.groups, self.horizon * ahead_shape[2], outputs))

    def _weight(self, name: str, shape: tuple[int, ...]) -> Any:
        """Zeros, from which gradients start at the naive forecast; NaN where `adapt` has yet to come."""
        initial = keras.initializers.Constant(np.nan if self.adapts else 0.0)
        return self.add_weight(name=name, shape=shape, initializer=initial, trainable=not self.adapts)

    def call(self, features: Any, ahead: Any = None, training: bool | None = None) -> Any:
        level = window_level(features, self.subtract, ops)
        y = ops.matmul(self._rows(features - level), self._kernel())
        check_ahead(self, self.known, ahead)
        if self.known is not None:
            y = y + ops.matmul(self._known_rows(ahead, ops), self.known)
        if self.offset is not None:
            y = y + self.offset[:, None]
        return ops.cast(self._forecast(y) + level[..., : self.targets], self.variable_dtype)

    def _rows(self, x: Any) -> Any:
        """Windows (batch, look-back, channels) as rows of the regressions, (groups, rows, inputs)."""
        if self.channels == "all":
            return ops.reshape(x, (1, -1, x.shape[1] * x.shape[2]))
        x = x[..., : self.targets]
        if self.groups == 1:
            return ops.reshape(ops.transpose(x, (0, 2, 1)), (1, -1, x.shape[1]))
        return ops.transpose(x, (2, 0, 1))

    def _known_rows(self, ahead: Any, xp: Any) -> Any:
        """What is known ahead as further inputs of the same rows; (1, rows, inputs) where all groups share it."""
        flat = xp.reshape(ahead, (1, -1, ahead.shape[1] * ahead.shape[2]))
        return xp.repeat(flat, self.targets, axis=1) if self.channels == "own" and self.groups == 1 else flat

    def _forecast(self, y: Any) -> Any:
        """The regressions' outputs (groups, rows, outputs) as (batch, horizon, targets)."""
        if self.channels == "all":
            return ops.reshape(y, (-1, self.horizon, self.targets))
        if self.groups == 1:
            return ops.transpose(ops.reshape(y, (-1, self.targets, self.horizon)), (0, 2, 1))
        return ops.transpose(y, (1, 2, 0))

    def _kernel(self) -> Any:
        """The map of the readings, (groups, inputs, outputs): of trend A x and remainder x − A x taken together."""
        shape = (self.groups, -1, self.kernels[0].shape[-1])
        if self.trend is None:
            return ops.reshape(self.kernels[0], shape)
        trend, remainder = self.kernels
        difference = ops.reshape(trend - remainder, (self.groups, self.look_back, -1))
        average = ops.convert_to_tensor(moving_average(self.look_back, self.trend).T, difference.dtype)
        return ops.reshape(ops.matmul(average, difference), shape) + ops.reshape(remainder, shape)

    def adapt(self, train: Any, validation: Any) -> None:
        """Solve for the weights; both arguments are iterables of batches of (readings or {past, ahead}, target).

        `strength` then holds the λ chosen for each map.
        """
        if not self.adapts:
            raise ValueError("head 'linear' with `solve: gradient` is trained by fit; only `solve: ridge` is adapted.")
        sums = self._gather(train, "training"), self._gather(validation, "validation")
        inputs = int(np.prod(self.kernels[0].shape[1:3]))
        if self.trend is None:
            weights, offset, self.strength = solve(*sums, self.strengths, self.has_bias)
            parts: tuple[np.ndarray, ...] = (weights[:, :inputs],)
        else:
            decomposition = Decomposition(self.look_back, self.trend)
            metric = functools.partial(decomposition.metric, inputs)
            weights, offset, self.strength = solve(*sums, self.strengths, self.has_bias, metric)
            parts = decomposition.split(weights[:, :inputs])
        for variable, part in zip(self.kernels, parts, strict=True):
            variable.assign(part.reshape(variable.shape))
        if self.offset is not None:
            self.offset.assign(offset)
        if self.known is not None:
            self.known.assign(weights[:, inputs:])

    def _gather(self, batches: Any, part: str) -> Sums:
        sums: Sums | None = None
        for given, target in batches:
            past, known, _ = Inputs.of(given)
            x, y = np.asarray(past, np.float32), np.asarray(target, np.float32)
            ahead = np.zeros((len(x), 0, 0), np.float32) if known is None else np.asarray(known, np.float32)
            if not self.built:
                self.build(x.shape, None if known is None else ahead.shape)
            check_ahead(self, self.known, known)
            size = max(1, SLICE // (x.shape[1] * x.shape[2] + self.targets * ahead.shape[1] * ahead.shape[2]))
            for i in range(0, len(x), size):
                rows = slice(i, i + size)
                z, response = self._regression(x[rows], ahead[rows], y[rows])
                sums = sums or Sums(self.groups, z.shape[2], response.shape[2])
                sums.add(z, response)
        return solvable(sums, self.kind, part)

    def _regression(self, x: np.ndarray, ahead: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Windows as inputs (groups, rows, inputs) and outputs (groups, rows, outputs) of the regressions."""
        level = window_level(x, self.subtract, np)
        if self.channels == "all":
            z, y = (x - level).reshape(1, len(x), -1), (y - level[..., : self.targets]).reshape(1, len(y), -1)
        else:
            level = np.swapaxes(level[..., : self.targets], 1, 2)
            # time innermost, a window after the other: a channel's rows are then a matrix to BLAS without a copy
            z, y = (np.array(np.swapaxes(v, 1, 2), order="C") for v in (x[..., : self.targets], y))  # always copies
            z -= level
            y -= level
            if self.groups == 1:
                z, y = z.reshape(1, -1, self.look_back), y.reshape(1, -1, self.horizon)
            else:
                z, y = np.swapaxes(z, 0, 1), np.swapaxes(y, 0, 1)
        if self.known is not None:
            known = self._known_rows(ahead, np)
            z = np.concatenate([z, np.broadcast_to(known, (len(z), *known.shape[1:]))], axis=-1)
        return z, y
