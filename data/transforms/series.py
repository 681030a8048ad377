"""The transform of a forecast: standardised readings, wind as a vector, the calendar, and what is known ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from data.grid import Grid
from data.transforms import calendar, wind
from data.transforms.forms import NUMPY
from data.transforms.standardise import Standardise

if TYPE_CHECKING:
    from data.series import Series


@dataclass(frozen=True)
class SeriesTransform:
    """Raw readings and times to a model's inputs, and its outputs back to units.

    Attributes:
        columns: the readings' columns, targets first.
        targets: how many are targets.
        known_ahead: columns known over the horizon.
        grid: where rows stand in time.
        horizon: rows of a forecast.
        standardise: μ and σ of the columns.
        wind: (speed, direction) columns' numbers.
        wind_standardise: μ and σ of their vectors, (u, v) a pair.
        calendar: the periods whose phase is a feature.
    """

    columns: tuple[str, ...]
    targets: int
    known_ahead: tuple[str, ...]
    grid: Grid
    horizon: int
    standardise: Standardise
    wind: tuple[tuple[int, int], ...]
    wind_standardise: Standardise
    calendar: tuple[str, ...]

    @classmethod
    def fit(
        cls,
        series: Series,
        train_rows: np.ndarray,
        *,
        horizon: int,
        known_ahead: Sequence[str] = (),
        wind_pairs: Sequence[tuple[str, str]] = (),
        periods: Sequence[str] = (),
    ) -> SeriesTransform:
        """Constants from the train rows alone.

        Args:
            series: the series.
            train_rows: (rows,) boolean.
            horizon: rows of a forecast.
            known_ahead: columns known over the horizon.
            wind_pairs: (speed, direction) columns.
            periods: some of day, week, year.
        """
        values = series.values[np.asarray(train_rows, bool)]
        pairs = tuple((series.columns.index(s), series.columns.index(d)) for s, d in wind_pairs)
        return cls(
            columns=series.columns,
            targets=series.targets,
            known_ahead=tuple(known_ahead),
            grid=series.grid,
            horizon=horizon,
            standardise=Standardise.fit(values),
            wind=pairs,
            wind_standardise=Standardise.fit(_vectors(values, pairs, NUMPY)) if pairs else Standardise((), ()),
            calendar=tuple(periods),
        )

    @property
    def step(self) -> int:
        """Seconds between rows; of months their mean length."""
        return self.grid.step

    @cached_property
    def _kept(self) -> list[int]:
        """The columns that are features as they are: all but the wind's, unless they are targets."""
        gone = {i for pair in self.wind for i in pair if i >= self.targets}
        return [i for i in range(len(self.columns)) if i not in gone]

    @cached_property
    def _known(self) -> list[int]:
        return [self.columns.index(c) for c in self.known_ahead]

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The features of `past`, in order."""
        vectors = [f"{part} of {self.columns[speed]}" for speed, _ in self.wind for part in ("u", "v")]
        return (*(self.columns[i] for i in self._kept), *vectors, *calendar.names(self.calendar))

    @property
    def ahead_names(self) -> tuple[str, ...]:
        """The features of `ahead`, in order."""
        return (*calendar.names(self.calendar), *self.known_ahead)

    def past(self, values: Any, times: Any, xp: Any = NUMPY) -> Any:
        """Raw readings (..., time, columns) and int64 times (..., time) → features (..., time, features).

        Standardised targets come first, then the standardised covariates, wind u and v, the calendar.
        """
        parts = [self.standardise.pick(self._kept).apply(xp.take(values, self._kept), xp)]
        if self.wind:
            parts.append(self.wind_standardise.apply(_vectors(values, self.wind, xp), xp))
        if self.calendar:
            parts.append(calendar.phases(times, self.calendar, xp))
        return xp.concatenate(parts)

    def ahead_rows(self, times: Any, known: Any = None, xp: Any = NUMPY) -> Any:
        """What is known of times (...), with the raw known-ahead columns (..., K) → features (..., A), or None."""
        parts = [calendar.phases(times, self.calendar, xp)] if self.calendar else []
        if self.known_ahead:
            parts.append(self.standardise.pick(self._known).apply(known, xp))
        return xp.concatenate(parts) if parts else None

    def ahead(self, last_time: Any, known: Any = None, xp: Any = NUMPY) -> Any:
        """What is known of the horizon after `last_time` (...): features (..., horizon, A), or None.

        Args:
            last_time: int64, the time of the last reading.
            known: raw known-ahead columns over the horizon (..., horizon, K), where there are any.
        """
        if not self.ahead_names:
            return None
        return self.ahead_rows(self.ahead_times(last_time, xp), known, xp)

    def ahead_times(self, last_time: Any, xp: Any = NUMPY) -> Any:
        """int64 times of the horizon's rows: (...) → (..., horizon)."""
        return calendar.following(last_time, self.horizon, self.grid, xp)

    def invert(self, y: Any, xp: Any = NUMPY, axis: int = -1) -> Any:
        """Standardised targets on `axis` (-1, or -2 before quantiles) → the targets' units."""
        return self.standardise.pick(list(range(self.targets))).invert(y, xp, axis)

    def to_json(self) -> dict[str, Any]:
        """Every constant, as JSON's own types."""
        return {
            "columns": list(self.columns),
            "targets": self.targets,
            "known_ahead": list(self.known_ahead),
            "grid": self.grid.to_json(),
            "horizon": self.horizon,
            "mean": list(self.standardise.mean),
            "scale": list(self.standardise.scale),
            "wind": [list(pair) for pair in self.wind],
            "wind_mean": list(self.wind_standardise.mean),
            "wind_scale": list(self.wind_standardise.scale),
            "calendar": list(self.calendar),
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> SeriesTransform:
        return cls(
            columns=tuple(found["columns"]),
            targets=found["targets"],
            known_ahead=tuple(found["known_ahead"]),
            grid=Grid(**found["grid"]),
            horizon=found["horizon"],
            standardise=Standardise(tuple(found["mean"]), tuple(found["scale"])),
            wind=tuple((speed, direction) for speed, direction in found["wind"]),
            wind_standardise=Standardise(tuple(found["wind_mean"]), tuple(found["wind_scale"])),
            calendar=tuple(found["calendar"]),
        )


def _vectors(values: Any, pairs: Sequence[tuple[int, int]], xp: Any) -> Any:
    """(..., columns) → (..., 2 × pairs): u and v of each pair."""
    parts: list[Any] = []
    for speed, direction in pairs:
        parts += wind.to_vector(values[..., speed], values[..., direction], xp)
    return xp.stack(parts)
