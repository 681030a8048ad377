"""A ridge on random features of every channel's past, in steps that widen backwards."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import keras
import numpy as np
from keras import ops
from pydantic import Field

from seqlayers.arguments import Count, check_ahead, sequence_shape
from seqlayers.head.point import PointHead, window_level
from seqlayers.head.ridge import Sums, solvable, solve
from seqlayers.inputs import Inputs
from seqlayers.slots import ConfigurationError, Kind, kind

#: Standardised inputs of the random features are cut off here, so that an outlier cannot drive all of them.
CUT = 5.0

#: Windows whose features are in memory at once while sums are gathered.
SLICE = 2048


@kind("head", "random_features")
class RandomFeatures(PointHead):
    r"""Forecasts every target from the past of all channels, through a random hidden layer that is never trained.

    \[ \hat y = s + W\,[\,z,\ \mathrm{relu}(R\,\mathrm{cut}(z) + r)\,] + b \]

    z holds each channel's means over `bins` of its past, counted from the level s, then s itself (for every channel)
    and what is known ahead, flattened; each is standardised on the training windows. R and r are drawn once. W and b
    are solved by `adapt` as a ridge, with a strength for each target: those of the lowest squared error on validation.
    Nothing is then left to `fit`. It is an MLP's forecast at a linear model's cost, and as different from that of a
    ridge on a target's own past as another kind of model, so that a blend of the two is better than either.

    Args:
        horizon: steps of the forecast.
        targets: series that are forecast; they are the first channels of the readings.
        bins: how many steps are averaged into each input, from the last step backwards; no more in all than the
            look-back has.
        units: rows of R; 0 leaves the random features out, and what remains is a ridge on the bins.
        gain: standard deviation of a random feature before the relu.
        seed: of R and r.
        subtract: s, the level taken out of each window's channels: `none` (0), `last`, `mean`.
        strengths: the λ to choose from, as multiples of the mean eigenvalue of the inputs' scatter.

    Call arguments:
        features: the readings (batch, look-back, channels), of known length.
        ahead: (batch, horizon, known features), or None.

    Returns:
        (batch, horizon, targets); NaN before `adapt`.

    Raises:
        ValueError: the look-back is not known, or shorter than the bins; fewer channels than targets; `adapt` without
            windows, or with NaN in them.

    Refuses to stream: it reads a whole window.

    Rahimi and Recht 2008, Weighted sums of random kitchen sinks; Huang et al. 2006, Extreme learning machine.
    """

    loss_name = "mse"
    #: Fitted without gradients.
    adapts = True

    def __init__(
        self,
        horizon: Count,
        targets: Count,
        bins: tuple[Count, ...] = (1, 1, 2, 4, 8),
        units: Annotated[int, Field(ge=0)] = 512,
        gain: Annotated[float, Field(gt=0)] = 1.0,
        seed: Annotated[int, Field(ge=0)] = 0,
        subtract: Literal["none", "last", "mean"] = "last",
        strengths: tuple[Annotated[float, Field(gt=0)], ...] = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0),
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if not bins or not strengths:
            name = "strengths" if bins else "bins"
            raise ConfigurationError(f"{self.slot}.{name}", "an empty list given.", "one number, at least")
        self.horizon, self.targets, self.bins, self.units = horizon, targets, bins, units
        self.gain, self.seed, self.subtract, self.strengths = gain, seed, subtract, strengths

    def settings(self) -> dict[str, Any]:
        return Kind.settings(self)  # the ridge has one loss

    def refusals(self) -> dict[str, str]:
        return {"streams": "it reads a whole window", "dynamic_time": "its bins count back from the end of a window"}

    def build(self, features_shape: Any, ahead_shape: Any = None) -> None:
        time, channels = sequence_shape(self, features_shape)
        if time is None or time < sum(self.bins):
            raise ValueError(
                f"head 'random_features' has bins of {sum(self.bins)} steps in all, but was given "
                f"{tuple(features_shape)}. Give it a known and longer look-back, or fewer `bins`."
            )
        if channels < self.targets:
            given = f"was given {channels} channels"
            raise ValueError(f"head 'random_features' forecasts {self.targets} targets, but {given}.")
        self.look_back, self.known = time, ahead_shape
        inputs = (len(self.bins) + (self.subtract != "none")) * channels
        inputs += 0 if ahead_shape is None else math.prod(ahead_shape[1:])
        outputs = self.horizon * self.targets
        self.center = self._weight("center", (inputs,), 0.0)
        self.scale = self._weight("scale", (inputs,), 1.0)
        if self.units:
            self.directions = self._weight("directions", (inputs, self.units), self.gain / math.sqrt(inputs))
            self.thresholds = self._weight("thresholds", (self.units,), self.gain)
        self.kernel = self._weight("kernel", (inputs + self.units, outputs), math.nan)
        self.offset = self._weight("offset", (outputs,), math.nan)

    def _weight(self, name: str, shape: tuple[int, ...], value: float) -> Any:
        if name in ("directions", "thresholds"):
            seed = 2 * self.seed + (name == "thresholds")
            initial: Any = keras.initializers.RandomNormal(stddev=value, seed=seed)
        else:
            initial = keras.initializers.Constant(value)
        return self.add_weight(name=name, shape=shape, initializer=initial, trainable=False)

    def call(self, features: Any, ahead: Any = None, training: bool | None = None) -> Any:
        check_ahead(self, self.known, ahead)
        level = window_level(features, self.subtract, ops)
        z = (self._inputs(features, level, ahead, ops) - self.center) / self.scale
        hidden = (self.directions, self.thresholds) if self.units else ()
        y = ops.matmul(self._features(z, hidden, ops), self.kernel) + self.offset
        y = ops.reshape(ops.cast(y, self.variable_dtype), (-1, self.horizon, self.targets))
        return y + ops.cast(level[..., : self.targets], self.variable_dtype)

    def _inputs(self, x: Any, level: Any, ahead: Any, xp: Any) -> Any:
        """(batch, inputs): the bins counted from the level, the level, and the known ahead, before standardisation."""
        averages = xp.matmul(self._averages().astype(x.dtype if xp is np else self.compute_dtype), x) - level
        parts = [xp.reshape(averages, (-1, len(self.bins) * x.shape[2]))]
        if self.subtract != "none":
            parts.append(level[:, 0])
        if ahead is not None:
            parts.append(xp.reshape(ahead, (-1, ahead.shape[1] * ahead.shape[2])))
        return xp.concatenate(parts, axis=-1)

    def _averages(self) -> np.ndarray:
        """(bins, look-back): bins from the end backwards as means of steps."""
        ends = self.look_back - np.cumsum((0, *self.bins[:-1]))
        steps = np.arange(self.look_back)
        inside = (steps < ends[:, None]) & (steps >= (ends - np.array(self.bins))[:, None])
        return inside / np.array(self.bins)[:, None]

    def _features(self, z: Any, hidden: tuple[Any, ...], xp: Any) -> Any:
        if not hidden:
            return z
        directions, thresholds = hidden
        u = xp.matmul(xp.clip(z, -CUT, CUT), directions) + thresholds
        return xp.concatenate([z, xp.maximum(u, 0.0)], axis=-1)

    def adapt(self, train: Any, validation: Any) -> None:
        """Solve for W and b; both arguments are iterables of batches of (readings or {past, ahead}, target).

        Makes two passes over the training windows, the first for centre and scale. `strength` then holds the λ chosen
        for each target.
        """
        count, total, squares = 0, 0.0, 0.0
        for z, _ in self._batches(train):
            count, total = count + len(z), total + z.sum(0, dtype=np.float64)
            squares = squares + np.square(z, dtype=np.float64).sum(0)
        if not count:
            raise ValueError("head 'random_features' cannot be solved: there are no training windows.")
        center = total / count
        scale = np.sqrt(np.maximum(squares / count - center**2, 0))
        self.center.assign(center)
        self.scale.assign(np.where(scale > 1e-4, scale, 1.0))  # what never moves stays 0
        sums = self._gather(train, "training"), self._gather(validation, "validation")
        weights, offset, (self.strength,) = solve(*sums, self.strengths, bias=True, targets=self.targets)
        self.kernel.assign(weights[0])
        self.offset.assign(offset[0])

    def _batches(self, batches: Any) -> Any:
        """(inputs before standardisation, response), a slice of each batch at a time."""
        for given, target in batches:
            past, known, _ = Inputs.of(given)
            x, y = np.asarray(past, np.float32), np.asarray(target, np.float32)
            ahead = None if known is None else np.asarray(known, np.float32)
            if not self.built:
                self.build(x.shape, None if ahead is None else ahead.shape)
            check_ahead(self, self.known, ahead)
            level = window_level(x, self.subtract, np)
            z, y = self._inputs(x, level, ahead, np), y - level[..., : self.targets]
            for i in range(0, len(z), SLICE):
                yield z[i : i + SLICE], y[i : i + SLICE].reshape(len(z[i : i + SLICE]), -1)

    def _gather(self, batches: Any, part: str) -> Sums:
        center, scale = np.asarray(self.center), np.asarray(self.scale)
        hidden = (np.asarray(self.directions), np.asarray(self.thresholds)) if self.units else ()
        sums = Sums(1, *self.kernel.shape)
        for z, y in self._batches(batches):
            sums.add(self._features((z - center) / scale, hidden, np)[None], y[None])
        return solvable(sums, self.kind, part)
