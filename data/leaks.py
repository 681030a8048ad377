"""Checks that nothing of the future, and nothing of the held-out parts, reaches training. Run on every run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from data import durations
from data.errors import listing
from data.series import Series
from data.splits import Borders
from data.transforms.series import SeriesTransform
from data.windows import WindowSpec


@dataclass(frozen=True)
class Check:
    """One check, whether it holds, and in words what was compared."""

    name: str
    passed: bool
    detail: str


class LeakError(Exception):
    """A leak was found; `check` says which."""

    def __init__(self, check: Check):
        self.check = check
        super().__init__(f"Leak: {check.name}. {check.detail}")


def require(checks: list[Check]) -> list[Check]:
    """The checks, if all hold.

    Raises:
        LeakError: for the first that does not.
    """
    for check in checks:
        if not check.passed:
            raise LeakError(check)
    return checks


def transform_saw_train_only(
    transform: SeriesTransform, series: Series, borders: Borders, refit: Callable[[np.ndarray], SeriesTransform]
) -> Check:
    """The constants equal those fitted again on the train rows, found anew by time."""
    start, end = borders.train
    train = (series.times >= start) & (series.times < end)
    same = refit(train).to_json() == transform.to_json()
    detail = f"Constants fitted again on the {int(train.sum())} train rows {'are the same' if same else 'differ'}."
    return Check("transforms saw train rows only", same, detail)


def windows_stay_in_their_series(
    readings: Mapping[str, np.ndarray], targets: Mapping[str, np.ndarray], bounds: np.ndarray
) -> Check:
    """Every window's readings and targets lie in one segment: in one series, without a gap.

    Args:
        readings: part → the rows that each window reads, (windows, any number), or only the first and the last.
        targets: part → the rows that it forecasts, likewise.
        bounds: (segments + 1,) row offsets.
    """
    name = "no window reaches into another series or across a gap"
    for part in targets:
        rows = np.concatenate([readings[part], targets[part]], axis=1)
        segment = np.searchsorted(bounds, rows, side="right")
        outside = ((rows < bounds[0]) | (rows >= bounds[-1]) | (segment != segment[:, :1])).any(axis=1)
        if outside.any():
            return Check(name, False, f"{int(outside.sum())} of {len(rows)} {part} windows do.")
    return Check(name, True, f"{sum(map(len, targets.values()))} windows lie in {len(bounds) - 1} segment(s).")


def targets_stay_in_their_part(targets: Mapping[str, np.ndarray], times: np.ndarray, borders: Borders) -> Check:
    """Every window's target lies between the borders of its part.

    Args:
        targets: part → the rows that each window forecasts, (windows, any number), or only the first and the last.
        times: (rows,) int64 seconds.
        borders: the parts.
    """
    name = "no window's target crosses a border"
    for part, rows in targets.items():
        start, end = getattr(borders, part)
        outside = ((times[rows] < start) | (times[rows] >= end)).any(axis=1)
        if outside.any():
            detail = f"{int(outside.sum())} of {len(rows)} {part} windows have targets outside the {part} part."
            return Check(name, False, detail)
    return Check(name, True, f"{sum(map(len, targets.values()))} windows checked against the borders of their parts.")


def parts_follow_one_another(targets: Mapping[str, np.ndarray], times: np.ndarray) -> Check:
    """All that is forecast in train comes before all of validation, and that before all of test: nothing is shuffled.

    Args:
        targets: part → the rows that each window forecasts, in order of the parts.
        times: (rows,) int64 seconds.
    """
    name = "train comes before validation, and validation before test"
    parts = {part: times[rows] for part, rows in targets.items() if len(rows)}
    for (early, before), (late, after) in pairwise(parts.items()):
        if before.max() >= after.min():
            count = int((before.max(axis=1) >= after.min()).sum())
            return Check(name, False, f"{count} {early} windows forecast what is not before the first {late} target.")
    return Check(name, True, f"The targets of {listing(parts)} follow one another in time.")


def folds_follow_one_another(folds: Sequence[Mapping[str, np.ndarray]], positions: np.ndarray, embargo: int) -> Check:
    """Each fold's parts follow one another with the embargo between, and no row is tested in two folds.

    Args:
        folds: for each, part → the rows that each window forecasts; parts in order of time.
        positions: (rows,) the rows' places on the time grid.
        embargo: grid points that are left out between two parts of a fold.
    """
    name = "folds do not overlap"
    for number, fold in enumerate(folds, start=1):
        parts = {part: positions[rows] for part, rows in fold.items()}
        for (early, before), (late, after) in pairwise(parts.items()):
            between = int(after.min() - before.max()) - 1
            if between < embargo:
                where = f"lies {between} rows" if between > 0 else "does not lie"
                detail = f"In fold {number} {late} {where} after {early}; the embargo is {embargo} rows."
                return Check(name, False, detail)
        if number > 1 and (again := int(parts["test"].min()) - int(positions[folds[number - 2]["test"]].max())) <= 0:
            return Check(name, False, f"Fold {number} begins to test {1 - again} rows before fold {number - 1} ends.")
    return Check(name, True, f"{len(folds)} fold(s), their parts in order with {embargo} rows or more between.")


def features_ignore_the_future(
    past: Callable[[np.ndarray], np.ndarray],
    values: np.ndarray,
    origins: np.ndarray,
    *,
    ahead: Callable[[np.ndarray], np.ndarray | None] = lambda values: None,
    known: Sequence[int] = (),
    seed: int = 0,
    count: int = 3,
) -> Check:
    """Features before an origin stay as they are when every reading from the origin on is changed.

    And so do the features that are known ahead, of any row, when the known columns stay as they are.

    Args:
        past: (rows, columns) raw readings → (rows, features).
        values: the raw readings.
        origins: rows to try.
        ahead: (rows, columns) raw readings → (rows, features known ahead), or None.
        known: the columns that are known ahead.
        seed, count: which origins are tried.
    """
    name = "features do not move when the future does"
    rng = np.random.default_rng(seed)
    before, given = past(values), ahead(values)
    some = rng.choice(origins, size=min(count, len(origins)), replace=False)
    for origin in some:
        changed = values.copy()
        changed[origin:] += rng.normal(size=changed[origin:].shape).astype(np.float32) * (1 + np.abs(changed[origin:]))
        moved = (past(changed)[:origin] != before[:origin]).any(axis=1)
        if moved.any():
            detail = f"Changing the rows from {origin} on changed {int(moved.sum())} rows of features before it."
            return Check(name, False, detail)
        changed[:, known] = values[:, known]
        still = ahead(changed)
        if given is not None and still is not None and (moved := (still != given).any(axis=1)).any():
            detail = f"What is said to be known ahead of {int(moved.sum())} rows changed with readings that are not."
            return Check(name, False, detail)
    return Check(name, True, f"Readings after {len(some)} origins were changed; no feature before them moved.")


def targets_follow_the_past(readings: np.ndarray, targets: np.ndarray, times: np.ndarray, *, ahead: int = 1) -> Check:
    """Every window forecasts the rows directly after those that it reads, one after another.

    Args:
        readings: (windows, any number) the rows that each window reads.
        targets: (windows, horizon) the rows that it forecasts, in order.
        times: (rows,) int64 seconds.
        ahead: rows from the last reading to the first target, where the next is not what is wanted.
    """
    name = "targets begin where the readings end"
    last, first = readings.max(axis=1), targets[:, 0]
    wrong = first - last != ahead
    if wrong.any():
        some = np.flatnonzero(wrong)[0]
        found, wanted = (
            int(first[some] - last[some]),
            durations.text(int(times[last[some] + ahead] - times[last[some]])),
        )
        apart = durations.text(int(abs(times[first[some]] - times[last[some]])))
        where = f"{found} rows ({apart}) after" if found > 0 else f"{-found} rows before" if found else "on"
        detail = f"In {int(wrong.sum())} of {len(wrong)} windows the first target lies {where} the last reading, "
        return Check(name, False, f"{detail}not {ahead} ({wanted}) after it.")
    if (uneven := (np.diff(targets, axis=1) != 1).any(axis=1)).any():
        return Check(name, False, f"In {int(uneven.sum())} of {len(uneven)} windows the targets do not follow in rows.")
    return Check(name, True, f"{len(wrong)} windows, each target one row after another.")


def past_ends_before_the_target(
    windows: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    rows: Callable[[np.ndarray], np.ndarray],
    origins: np.ndarray,
    spec: WindowSpec,
    *,
    seed: int = 0,
    count: int = 8,
) -> Check:
    """The windows that training reads hold the rows before the origin, and the target those from it on.

    Args:
        windows: origins → (past, target) as the dataset gives them.
        rows: row numbers → features, whose first columns are the targets.
        origins: of all windows.
        spec: the window's measures.
        seed, count: which windows are tried.
    """
    name = "the target's future is not among the past"
    some = np.sort(np.random.default_rng(seed).choice(origins, size=min(count, len(origins)), replace=False))
    past, target = windows(some)
    expected = rows(some[:, None] + np.arange(-spec.look_back, 0))
    future = rows(some[:, None] + np.arange(spec.horizon))[..., : target.shape[-1]]
    same = past.shape == expected.shape and np.array_equal(past, expected)
    if same and target.shape == future.shape and np.array_equal(target, future):
        return Check(name, True, f"{len(some)} windows end where their targets begin.")
    return Check(name, False, f"Of {len(some)} windows tried, some do not end where their targets begin.")
