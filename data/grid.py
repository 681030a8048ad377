"""Where the rows of a regular series stand in time: every so many seconds, or every so many calendar months."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from data import durations
from data.durations import DAY, HOUR, MINUTE, MONTH, WEEK
from data.errors import DataError

#: A stamp this share of the file's own spacing late still counts as on time.
TOLERANCE = 0.1
#: Spacings that people choose, in seconds.
ROUND = (
    *(n * unit for unit in (1, MINUTE) for n in (1, 2, 5, 10, 15, 20, 30)),
    *(n * HOUR for n in (1, 2, 3, 4, 6, 8, 12)),
    DAY,
)


@dataclass(frozen=True)
class Grid:
    """A row each `step` seconds, each weekday, or each `months` calendar months (`step` is then their mean length).

    A reading belongs to the first grid point at or after it, (t - step, t] to t, so that a row holds nothing that was
    measured after its own time. Monthly readings that come once a month belong to their own month.
    """

    step: int
    months: int = 0
    #: Rows from Monday to Friday only, as of a stock exchange.
    weekdays: bool = False
    #: Seconds that a stamp on the grid leaves over.
    anchor: int = 0
    #: How many seconds late a stamp still counts as on time.
    late: int = 0
    #: The day of the month of a row that has to be made up, for months.
    day: int = 1
    #: Whether months are averaged from finer readings: a row then stands at the end of its month.
    closing: bool = False

    @property
    def week(self) -> int:
        """Seconds of rows that make a week."""
        return 5 * DAY if self.weekdays else WEEK

    def to_json(self) -> dict[str, int | bool]:
        return asdict(self)

    def positions(self, times: np.ndarray) -> np.ndarray:
        """The grid point, counted from an arbitrary one, to which each time belongs."""
        if self.months:
            shift = 1 if self.closing else 0
            months = (times - shift).astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
            return months // self.months + shift
        if self.weekdays:
            days = 3 - (self.anchor + self.late - times) // DAY  # since a Monday
            return days // 7 * 5 + np.minimum(days % 7, 5)
        return -((self.anchor + self.late - times) // self.step)

    def times(self, positions: np.ndarray) -> np.ndarray:
        """The time of each grid point."""
        if self.weekdays:
            return self.anchor + (positions // 5 * 7 + positions % 5 - 3) * DAY
        if not self.months:
            return self.anchor + positions * self.step
        first = (positions * self.months).astype("datetime64[M]")
        length = ((first + 1).astype("datetime64[D]") - first.astype("datetime64[D]")).astype(np.int64)
        days = np.minimum(1 if self.closing else self.day, length) - 1
        return (first.astype("datetime64[D]") + days).astype("datetime64[s]").astype(np.int64)


@dataclass(frozen=True)
class Spacing:
    """How far apart the file's rows stand: seconds, calendar months or 0, and how much of the file agrees."""

    seconds: int
    months: int
    #: The share of the differences that are just this, and that are this up to a tenth.
    exact: float
    close: float
    #: Seconds that nearly all differences (95 %) are within.
    nearly_all: int

    @property
    def even(self) -> bool:
        return self.close >= 0.5


def spacing(times: list[np.ndarray]) -> Spacing:
    """The most frequent difference between neighbours of sorted series.

    Where the stamps jitter or drift, the round difference close to it is meant.
    """
    differences = np.concatenate([np.diff(t) for t in times]) if times else np.array([], np.int64)
    differences = differences[differences > 0]
    if not len(differences):
        raise DataError("One row a series is no series: at least two different times are needed to find the step.")
    nearly_all = int(np.quantile(differences, 0.95))
    for months, low, high in ((1, 28, 31), (3, 89, 92), (12, 365, 366)):
        share = float(((differences >= low * DAY) & (differences <= high * DAY)).mean())
        if share > 0.5:
            return Spacing(months * MONTH, months, share, share, nearly_all)
    values, counts = np.unique(differences, return_counts=True)
    most, exact = int(values[np.argmax(counts)]), float(counts.max() / len(differences))
    slack = TOLERANCE if exact < 0.5 else 0.01 if DAY % most else 0.0
    drifting = [n for n in ROUND if 0 < abs(n - most) <= slack * n]
    if drifting:
        most, exact = drifting[0], 0.0
    close = float((np.abs(differences - most) <= TOLERANCE * most).mean())
    return Spacing(most, 0, exact, close, nearly_all)


def find_grid(times: list[np.ndarray], step: int | str, *, like: Grid | None = None) -> tuple[Grid, int]:
    """The grid of sorted series, and the file's own spacing in seconds, from which it may be averaged.

    Args:
        times: each series' times, sorted, without duplicates.
        step: `auto` for the file's own spacing, or a duration.
        like: a grid found before, whose months or weekdays are kept; all of it where no series has a second row.
    """
    if like is not None and all(len(t) < 2 for t in times):
        return like, like.step
    own = spacing(times)
    if like is not None and (like.months or like.weekdays):
        return like, min(own.seconds, like.step)
    stamps = np.concatenate(times)
    if step == "auto":
        if not own.even:
            step = next((n for n in ROUND if n >= own.nearly_all), -(-own.nearly_all // DAY) * DAY)
            raise DataError(
                f"The rows are not evenly spaced: the most frequent difference, {durations.text(own.seconds)}, is "
                f"{own.close:.0%} of all. Name a step that is long enough, such as data.step={durations.text(step)}: "
                "readings within one are averaged."
            )
        return _own_grid(stamps, own), own.seconds
    length = durations.seconds(step, "data.step")
    if own.even and length < own.seconds:
        raise DataError(
            f"data.step: {step} is finer than the file's own spacing, {durations.text(own.seconds)}. "
            "Give that or a multiple."
        )
    if own.even and length == own.seconds:
        return _own_grid(stamps, own), own.seconds
    months, rest = divmod(length, MONTH)
    if own.months:
        fits = not rest and months % own.months == 0
    else:
        fits = not own.even or not rest or length % own.seconds == 0
    if not fits:
        raise DataError(
            f"data.step: {step} is not a multiple of the file's own spacing, {durations.text(own.seconds)}."
        )
    if months and not rest:
        return Grid(length, months, closing=True), own.seconds
    late = int(own.seconds * TOLERANCE) if own.even else 0
    return Grid(length, anchor=0 if DAY % length == 0 else int(stamps.max()), late=late), own.seconds


def _own_grid(times: np.ndarray, own: Spacing) -> Grid:
    """The grid on which the file's rows stand already."""
    if own.months:
        days = times.astype("datetime64[s]").astype("datetime64[D]")
        of_month = (days - days.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64) + 1
        return Grid(own.seconds, own.months, day=int(of_month.max()))
    jitters = own.exact < 0.5 and DAY % own.seconds == 0
    return Grid(
        own.seconds,
        weekdays=own.seconds == DAY and _only_weekdays(times),
        anchor=0 if jitters else _phase(times, own.seconds),
        late=int(own.seconds * TOLERANCE),
    )


def _phase(times: np.ndarray, step: int) -> int:
    """What most stamps leave over when divided by the step."""
    values, counts = np.unique(times % step, return_counts=True)
    return int(values[np.argmax(counts)])


def _only_weekdays(times: np.ndarray) -> bool:
    """Whether two weeks or more of days hold next to none on Saturdays and Sundays."""
    weekday = (times // DAY + 3) % 7
    return bool(np.ptp(times) >= 2 * WEEK and (weekday >= 5).mean() < 0.01)
