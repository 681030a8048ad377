"""A table made ready for forecasting: series, borders, transform, windows, checked for leaks."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from data import durations, leaks
from data.errors import DataError
from data.hindsight import readings_ignore_the_future
from data.leaks import Check
from data.options import Duration, ForecastOptions
from data.resolve import resolve
from data.series import Series, read_series
from data.source import Source
from data.splits import PARTS, Borders, Window, borders, folds
from data.tomorrow import no_column_tells_the_target
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
        borders_in_time: from when to when each part goes.
        transform: readings to features, fitted on the train rows.
        checks: the leak checks, all passed; the first is of how the table was read.
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
        read = leaks.require([readings_ignore_the_future(frame, options, series)])[0]
        return cls._checked(source, series, options, spec, borders(series, options.split), read)

    def folds(self, count: int, *, window: Window = "expanding", embargo: Duration = 0) -> list[ForecastData]:
        """The same series and windows with a rolling origin: `count` folds, each with a transform of its own.

        Args:
            count: how many; see `data.splits.folds` for where they lie.
            window: `expanding` trains on everything before, `sliding` on the same number of rows in each fold.
            embargo: what is left out between train and validation, and between validation and test: a duration, or
                a number of steps.

        Raises:
            DataError: a setting means nothing, or a part of a fold has no window.
            LeakError: something of the future or of a held-out part reaches the training of a fold.
        """
        rows = durations.steps(embargo, self.series.step, "embargo", least=0, week=self.series.grid.week)
        try:
            cuts = self._fold_borders(count, window, rows)
        except DataError as error:
            raise DataError(f"{error} {self._possible_folds(count, window, rows)}") from None
        read = self.checks[0]
        found = [self._checked(self.source, self.series, self.options, self.spec, cut, read) for cut in cuts]
        over_all = leaks.require([leaks.folds_follow_one_another([f._targets for f in found], self._positions, rows)])
        for fold in found:
            fold.checks.extend(over_all)
        return found

    @classmethod
    def _checked(
        cls, source: Source, series: Series, options: ForecastOptions, spec: WindowSpec, cut: Borders, read: Check
    ) -> ForecastData:
        """Fitted on the train rows of `cut`, and checked for leaks; `read` is the check of how the table was read."""

        def fit(rows: np.ndarray) -> SeriesTransform:
            return SeriesTransform.fit(
                series,
                rows,
                horizon=spec.horizon,
                known_ahead=options.known_ahead,
                wind_pairs=[(w.speed, w.direction) for w in options.wind],
                periods=options.calendar,
            )

        train = cut.rows(series, "train")
        data = cls(source, series, options, spec, cut, fit(train), [read])
        if lack := data._lack(cut):
            raise DataError(
                f"The series is too short: {lack}. The whole series has {series.rows} rows. Shorten data.look_back or "
                "data.horizon, change data.split, or give more data."
            )
        transform, values, some = data.transform, series.values, data.origins("train")
        data.checks.extend(
            leaks.require(
                [
                    leaks.transform_saw_train_only(transform, series, cut, fit),
                    no_column_tells_the_target(series, train, spec, transform.known_ahead),
                    leaks.features_ignore_the_future(
                        lambda readings: transform.past(readings, series.times),
                        values,
                        some,
                        ahead=lambda readings: transform.ahead_rows(series.times, readings[:, data._known]),
                        known=data._known,
                    ),
                    leaks.targets_stay_in_their_part(data._targets, series.times, cut),
                    leaks.parts_follow_one_another(data._targets, series.times),
                    leaks.windows_stay_in_their_series(data._readings, data._targets, series.bounds),
                    leaks.targets_follow_the_past(*data._rows_of_windows(some), series.times),
                    leaks.past_ends_before_the_target(data._windows, lambda rows: data.features[rows], some, spec),
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
        return {part: self._first_targets(self.borders_in_time, part) for part in PARTS}

    def _first_targets(self, cut: Borders, part: str) -> np.ndarray:
        return origins(self.series.bounds, self.spec, *cut.ranges(self.series, part))

    def origins(self, part: str) -> np.ndarray:
        """The rows of the first target of each window of `train`, `validation` or `test`."""
        return self._origins[part]

    @property
    def _targets(self) -> dict[str, np.ndarray]:
        """A part's windows' first and last target row: (windows, 2)."""
        return {part: self.origins(part)[:, None] + [0, self.spec.horizon - 1] for part in PARTS}

    @property
    def _readings(self) -> dict[str, np.ndarray]:
        """A part's windows' first and last row that is read: (windows, 2)."""
        return {part: self.origins(part)[:, None] - [self.spec.look_back, 1] for part in PARTS}

    @cached_property
    def _positions(self) -> np.ndarray:
        """The rows' places on the grid."""
        return self.series.grid.positions(self.series.times)

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

    def _rows_of_windows(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The rows that windows read and forecast, as the dataset gathers them: of the first, the last, and others."""
        some = np.unique(rows[np.linspace(0, len(rows) - 1, 32, dtype=np.int64)])
        numbers = np.arange(self.series.rows)[:, None]
        dataset = window_dataset(numbers, numbers, None, some, self.spec, len(some))
        inputs, target = next(iter(dataset.as_numpy_iterator()))
        return inputs["past"][..., 0], target[..., 0]

    def _lack(self, cut: Borders) -> str | None:
        """What a part lacks for a single window, in words; None where every part has one."""
        spec = self.spec
        for part in PARTS:
            if len(self._first_targets(cut, part)):
                continue
            rows = int(cut.rows(self.series, part).sum())
            if part == "train":
                need, why = spec.look_back + spec.horizon, f"look_back {spec.look_back} + horizon {spec.horizon}"
            else:
                need, why = spec.horizon, f"horizon {spec.horizon}"
            gaps = f", the longest stretch without a gap {self.series.longest}" if len(self.series.bounds) > 2 else ""
            return (
                f"its {part} part has {rows} rows{gaps}, and one window needs {need} ({why}) "
                f"{'in it' if part == 'train' else 'in it, with the look-back before it'}"
            )
        return None

    def _fold_borders(self, count: int, window: Window, embargo: int) -> list[Borders]:
        cuts = folds(self.series, self.options.split, count=count, window=window, embargo=embargo)
        for number, cut in enumerate(cuts, start=1):
            if lack := self._lack(cut):
                raise DataError(f"Fold {number} of {count}: {lack}.")
        return cuts

    def _possible_folds(self, count: int, window: Window, embargo: int) -> str:
        """What could be asked for instead of folds that do not fit, in words."""

        def fit(count: int, embargo: int) -> bool:
            try:
                return bool(self._fold_borders(count, window, embargo))
            except DataError:
                return False

        instants = int(len(np.unique(self.series.times)) * self.options.split.test)
        limit = instants // self.spec.horizon + 1
        most = next((n for n in range(min(count, limit) if count > 0 else limit, 0, -1) if fit(n, embargo)), 0)
        longest = bisect_left(range(embargo), True, key=lambda rows: not fit(count, rows)) - 1
        found = [f"at most {most} fold{'s' if most > 1 else ''}"] if most else []
        found += [f"an embargo of at most {longest} rows"] if longest >= 0 else []
        return f"Possible here: {', or '.join(found) or 'no fold at all'}; or change data.split, or give more data."


def iso(seconds: int) -> str:
    """int64 seconds → `2020-12-31T23:50:00`."""
    return str(np.datetime64(int(seconds), "s"))
