"""Checks that nothing of the future, and nothing of the held-out parts, reaches training. Run on every run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from data.series import Series
from data.splits import PARTS, Borders
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
    train = series.times < borders.validation
    same = refit(train).to_json() == transform.to_json()
    detail = f"Constants fitted again on the {int(train.sum())} train rows {'are the same' if same else 'differ'}."
    return Check("transforms saw train rows only", same, detail)


def targets_stay_in_their_part(
    origins: dict[str, np.ndarray], series: Series, borders: Borders, spec: WindowSpec
) -> Check:
    """Every window's target lies in one part, every window in one segment, and the parts follow one another."""
    name = "no window's target crosses a border"
    limits = (np.iinfo(np.int64).min, borders.validation, borders.test, np.iinfo(np.int64).max)
    for number, part in enumerate(PARTS):
        first = origins[part]
        if not len(first):
            continue
        last = first + spec.horizon - 1
        start = first - spec.look_back
        segment = np.searchsorted(series.bounds, first, side="right")
        inside = (start >= 0) & (last < series.rows)
        crossing = ~inside | (series.bounds[segment - 1] > start)
        crossing |= last >= series.bounds[np.minimum(segment, len(series.bounds) - 1)]
        if crossing.any():
            detail = f"{int(crossing.sum())} {part} windows reach into another series or across a gap."
            return Check(name, False, detail)
        early, late = series.times[first] < limits[number], series.times[last] >= limits[number + 1]
        if early.any() or late.any():
            detail = f"{int((early | late).sum())} {part} windows have targets outside the {part} part."
            return Check(name, False, detail)
    total = sum(map(len, origins.values()))
    return Check(name, True, f"{total} windows checked against the borders and {len(series.bounds) - 1} segment(s).")


def features_ignore_the_future(
    features: Callable[[np.ndarray], np.ndarray], series: Series, origins: np.ndarray, *, seed: int = 0, count: int = 3
) -> Check:
    """Features before an origin stay as they are when every reading from the origin on is changed.

    Args:
        features: (rows, columns) raw readings → (rows, features).
        series: the series.
        origins: rows to try.
        seed, count: which of them.
    """
    name = "features do not move when the future does"
    rng = np.random.default_rng(seed)
    before = features(series.values)
    for origin in rng.choice(origins, size=min(count, len(origins)), replace=False):
        changed = series.values.copy()
        changed[origin:] += rng.normal(size=changed[origin:].shape).astype(np.float32) * (1 + np.abs(changed[origin:]))
        moved = (features(changed)[:origin] != before[:origin]).any(axis=1)
        if moved.any():
            detail = f"Changing the rows from {origin} on changed {int(moved.sum())} rows of features before it."
            return Check(name, False, detail)
    tried = min(count, len(origins))
    return Check(name, True, f"Readings after {tried} origins were changed; no feature before them moved.")


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
