"""A table made ready for forecasting: series, borders, transform, windows, checked for leaks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from data import durations, leaks
from data.errors import DataError
from data.leaks import Check
from data.options import ForecastOptions, Period, Wind
from data.series import Repair, Series, default_season, read_series
from data.source import Source
from data.splits import PARTS, Borders, borders
from data.times import find_column
from data.transforms.series import SeriesTransform
from data.windows import WindowSpec, origins, window_dataset

if TYPE_CHECKING:
    import tensorflow as tf


@dataclass(frozen=True)
class ForecastData:
    """Everything a forecasting run reads from its data.

    Attributes:
        source: what was read.
        series: the readings, regular, in their own units.
        options: as given, with every `auto` and every column's name resolved.
        spec: the windows' measures in rows.
        borders_in_time: where validation and test begin.
        transform: readings to features, fitted on the train rows.
        checks: the leak checks, all passed.
    """

    source: Source
    series: Series
    options: ForecastOptions
    spec: WindowSpec
    borders_in_time: Borders
    transform: SeriesTransform
    checks: list[Check]

    @classmethod
    def prepare(cls, frame: pd.DataFrame, source: Source, options: ForecastOptions) -> ForecastData:
        """Read, repair, split, fit and check.

        Raises:
            DataError: the table or the options cannot be used.
            LeakError: something of the future or of a held-out part reaches training.
        """
        series = read_series(frame, options)
        options, spec, notes = resolve(options, series)
        series = replace(series, repairs=(*series.repairs, *notes))
        cut = borders(series, options.split)
        train = cut.rows(series, "train")

        def fit(rows: np.ndarray) -> SeriesTransform:
            return SeriesTransform.fit(
                series,
                rows,
                horizon=spec.horizon,
                known_ahead=options.known_ahead,
                wind_pairs=[(w.speed, w.direction) for w in options.wind],
                periods=options.calendar,
            )

        data = cls(source, series, options, spec, cut, fit(train), [])
        data._require_windows()
        data.checks.extend(
            leaks.require(
                [
                    leaks.transform_saw_train_only(data.transform, series, cut, fit),
                    leaks.targets_stay_in_their_part({p: data.origins(p) for p in PARTS}, series, cut, spec),
                    leaks.features_ignore_the_future(
                        lambda values: data.transform.past(values, series.times), series, data.origins("train")
                    ),
                    leaks.past_ends_before_the_target(
                        data._windows, lambda rows: data.features[rows], data.origins("train"), spec
                    ),
                ]
            )
        )
        return data

    @cached_property
    def features(self) -> np.ndarray:
        """(rows, features) float32: what the model may read of each row, standardised targets first."""
        return self.transform.past(self.series.values, self.series.times)

    @cached_property
    def ahead_features(self) -> np.ndarray | None:
        """(rows, known) float32: what is known of each row before it comes, or None."""
        known = self.series.values[:, self._known] if self._known else None
        return self.transform.ahead_rows(self.series.times, known)

    @cached_property
    def _known(self) -> list[int]:
        return [self.series.columns.index(c) for c in self.transform.known_ahead]

    @cached_property
    def _origins(self) -> dict[str, np.ndarray]:
        return {p: origins(self.series.bounds, self.spec, *self.borders_in_time.ranges(self.series, p)) for p in PARTS}

    def origins(self, part: str) -> np.ndarray:
        """The rows of the first target of each window of `train`, `validation` or `test`."""
        return self._origins[part]

    def dataset(
        self,
        part: str | np.ndarray,
        batch_size: int,
        *,
        seed: int | None = None,
        epochs: int = 1,
        first_epoch: int = 0,
        drop_remainder: bool = False,
    ) -> tf.data.Dataset:
        """Batches of a part's windows, or of given origins; see `data.windows.window_dataset`."""
        return window_dataset(
            self.features,
            self.features[:, : self.series.targets],
            self.ahead_features,
            self._rows_of(part),
            self.spec,
            batch_size,
            seed=seed,
            epochs=epochs,
            first_epoch=first_epoch,
            drop_remainder=drop_remainder,
        )

    def _rows_of(self, part: str | np.ndarray) -> np.ndarray:
        return self.origins(part) if isinstance(part, str) else np.asarray(part, np.int64)

    def truth(self, part: str | np.ndarray) -> np.ndarray:
        """What came, in the targets' units: (windows, horizon, targets)."""
        rows = self._rows_of(part)[:, None] + np.arange(self.spec.horizon)
        return self.series.values[rows][..., : self.series.targets]

    def readings(self, part: str | np.ndarray) -> dict[str, np.ndarray]:
        """An exported model's raw inputs: readings (windows, look_back, columns), times, and known-ahead columns."""
        first = self._rows_of(part)[:, None]
        back = first + np.arange(-self.spec.look_back, 0)
        found = {"readings": self.series.values[back], "times": self.series.times[back]}
        if self._known:
            found["ahead"] = self.series.values[first + np.arange(self.spec.horizon)][..., self._known]
        return found

    def borders(self) -> list[dict[str, Any]]:
        """A line a part: its name, first and last time, rows and windows."""
        found = []
        for part in PARTS:
            rows = np.flatnonzero(self.borders_in_time.rows(self.series, part))
            times = self.series.times[rows]
            found.append(
                {
                    "part": part,
                    "start": iso(times.min()) if len(rows) else None,
                    "end": iso(times.max()) if len(rows) else None,
                    "rows": len(rows),
                    "windows": len(self.origins(part)),
                }
            )
        return found

    def _windows(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        inputs, target = next(iter(self.dataset(rows, len(rows)).as_numpy_iterator()))
        return inputs["past"], target

    def _require_windows(self) -> None:
        spec = self.spec
        for part in PARTS:
            if len(self.origins(part)):
                continue
            rows = int(self.borders_in_time.rows(self.series, part).sum())
            if part == "train":
                need, why = spec.look_back + spec.horizon, f"look_back {spec.look_back} + horizon {spec.horizon}"
            else:
                need, why = spec.horizon, f"horizon {spec.horizon}"
            gaps = f", the longest stretch without a gap {self.series.longest}" if len(self.series.bounds) > 2 else ""
            raise DataError(
                f"The series is too short: its {part} part has {rows} rows{gaps}, and one window needs {need} ({why}) "
                f"{'in it' if part == 'train' else 'in it, with the look-back before it'}. "
                f"The whole series has {self.series.rows} rows. Shorten data.look_back or data.horizon, change "
                "data.split, or give more data."
            )


def iso(seconds: int) -> str:
    """int64 seconds → `2020-12-31T23:50:00`."""
    return str(np.datetime64(int(seconds), "s"))


def resolve(options: ForecastOptions, series: Series) -> tuple[ForecastOptions, WindowSpec, list[Repair]]:
    """The options with every `auto` decided, as durations; the windows in rows; and what is worth saying about it.

    - season: see `data.series.default_season`;
    - horizon: one season;
    - look_back: three horizons, at least two seasons; less where the train part is too short for that;
    - stride: one step;
    - calendar: the day for steps below half a day, the week for steps up to a day, where train covers two, and the
      year where train covers one.
    """
    step, names, notes = series.step, list(series.columns), []
    rows = {
        setting: durations.steps(getattr(options, setting), step, f"data.{setting}", week=series.grid.week)
        for setting in ("season", "horizon", "look_back", "stride")
        if getattr(options, setting) != "auto"
    }
    season = rows.get("season", default_season(series.grid))
    horizon = rows.get("horizon", season)
    look_back = rows.get("look_back", max(3 * horizon, 2 * season))
    if "look_back" not in rows:
        room = int(series.longest * options.split.train) - horizon
        if room // 2 < look_back and room >= 2:
            look_back = max(1, min(look_back, room // 2))
            if look_back < max(3 * horizon, 2 * season):
                what = f"look-back set to {look_back} rows, less than usual: the series is short"
                notes.append(Repair(what, series.rows))
    stride = rows.get("stride", 1)
    periods = _default_periods(series, options) if options.calendar == "auto" else options.calendar
    as_text = {name: _text(count, series) for name, count in (("season", season), ("horizon", horizon))}
    resolved = options.model_copy(
        update={
            "target": list(names[: series.targets]),
            "covariates": names[series.targets :] or "none",
            "known_ahead": [find_column(c, names, "data.known_ahead") for c in options.known_ahead],
            "wind": [
                Wind(
                    speed=find_column(w.speed, names, "data.wind.speed"),
                    direction=find_column(w.direction, names, "data.wind.direction"),
                )
                for w in options.wind
            ],
            "step": _text(1, series),
            "look_back": _text(look_back, series),
            "stride": _text(stride, series),
            "calendar": list(periods),
            **as_text,
        }
    )
    return resolved, WindowSpec(look_back, horizon, stride, season), notes


def _default_periods(series: Series, options: ForecastOptions) -> list[Period]:
    span = int(series.times.max() - series.times.min()) * options.split.train
    worth: dict[Period, bool] = {
        "day": series.step < durations.DAY / 2,
        "week": series.step <= durations.DAY and span >= 2 * durations.WEEK,
        "year": series.step < durations.YEAR / 2 and span >= 0.95 * durations.YEAR,
    }
    return [period for period, use in worth.items() if use]


def _text(rows: int, series: Series) -> str:
    if series.grid.weekdays:
        return f"{rows}d"
    return f"{rows * series.grid.months}mo" if series.grid.months else durations.text(rows * series.step)
