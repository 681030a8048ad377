"""Columns that tell the target before its time: itself under another name, a reading from tomorrow, a centred mean."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from data import durations
from data.leaks import Check
from data.series import Series
from data.windows import WindowSpec

#: A column tells the target when an affine function of it leaves less than this share of the target's variance (one
#: rounded to a tenth of its spread leaves 8e-4), and less than a hundredth of what the target's own past leaves.
SHARE, BETTER = 1e-3, 100.0
#: Together with the target's own past it must leave less than this share of what that past leaves alone: with the noise
#: of any measurement nothing does.
EXACT = 1e-6
#: A target of which its own past leaves less than this share is as good as given: a line, a sine, a calendar.
GIVEN = 1e-8
#: How far ahead a column is tried together with the target's past: centred means of up to twice as many rows are found.
LEADS = 48
#: Rows in which a stretch is compared, from how many stretches, and how often a target must move in it to be judged.
ROWS, STRETCHES, MOVES = 4096, 3, 20
#: Fewest rows of a comparison; columns compared at a time.
FEWEST, COLUMNS = 64, 64


def no_column_tells_the_target(
    series: Series, train: np.ndarray, spec: WindowSpec, known_ahead: tuple[str, ...] = ()
) -> Check:
    r"""No covariate is the target of a later time, up to scale and offset, and none known ahead is the target at all.

    For each lag k the share of variance \(1 - r^2(x_t, y_{t+k})\) is found on train rows, by Fourier transforms for
    all lags at once. A past covariate may not tell what is still to come: k = 1 … look_back + horizon - 1, the
    distance from the first reading to the last target. One that is known over the horizon may not even be the
    target of up to horizon - 1 rows before: k = 1 - horizon … look_back + horizon - 1. At k ≤ 0 a past covariate may
    well be the target in another unit.

    A centred mean, or the change to the next row, is not the target; but its last three values and the target's past
    tell the target some rows ahead to the last digit. No past covariate may, up to `LEADS` rows ahead.

    A target that moves evenly, so that its own past tells it as well (`BETTER`, `GIVEN`), is not judged, nor one that
    hardly moves. What bends or blurs the target (its logarithm, its rank, noise of a thirtieth of its spread) is not
    found: such a column cannot be told from one that foretells it well.

    Args:
        series: the series.
        train: (rows,) boolean.
        spec: the window's measures.
        known_ahead: columns known over the horizon.
    """
    name = "no column tells the target before its time"
    targets, columns = series.targets, np.arange(series.targets, len(series.columns))
    known = np.array([series.columns[c] in known_ahead for c in columns], bool)
    if not len(columns):
        return Check(name, True, "There are no columns but the targets.")
    judged: set[int] = set()
    for start, end in _stretches(series, train):
        values = series.values[start:end].astype(np.float64)
        for target in range(targets):
            for chosen in range(0, len(columns), COLUMNS):
                some = slice(chosen, chosen + COLUMNS)
                shares = _shares(values[:, columns[some]], values[:, target], spec, known[some])
                if shares is None:
                    continue
                judged.add(target)
                left, lags = shares
                for i in np.flatnonzero(left < SHARE):
                    lag = int(lags[i])
                    own = _own_share(values[:, target], max(1, lag), spec.season)
                    if own > GIVEN and left[i] * BETTER < own:
                        column = int(columns[chosen + i])
                        return Check(name, False, _words(series, column, target, lag, bool(known[chosen + i])))
                past = columns[some][~known[some]]
                if len(past) and (found := _completes(values[:, past], values[:, target], spec)):
                    what, of = series.columns[past[found[0]]], series.columns[target]
                    return Check(name, False, _computed(what, of, found[1], series.step))
    if not judged:
        return Check(name, True, "Too few train rows, or targets that hardly move: there is nothing to compare.")
    compared = f"{len(columns)} column(s) compared with {len(judged)} target(s), row by row, shifted, and with its past"
    return Check(name, True, f"{compared}; what only resembles the target's future is not found this way.")


def _stretches(series: Series, train: np.ndarray) -> Iterator[tuple[int, int]]:
    """The longest stretches of train rows in one segment."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], train, [False]]).astype(np.int8)))
    cuts = np.unique(np.concatenate([edges, series.bounds]))
    found = [(int(a), int(b)) for a, b in pairwise(cuts) if train[a] and b - a >= 2 * FEWEST]
    yield from sorted(found, key=lambda run: run[0] - run[1])[:STRETCHES]


def _shares(
    columns: np.ndarray, target: np.ndarray, spec: WindowSpec, known: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Of each column the smallest share of the target's variance that it leaves at some lag, and that lag.

    Args:
        columns, target: (rows, columns) and (rows,), one stretch.
        spec: the window's measures.
        known: which columns are known ahead.
    """
    reach, rows = spec.look_back + spec.horizon - 1, len(target)
    count = int(np.clip(rows - reach - spec.horizon + 1, rows // 2, ROWS))
    least = -min(spec.horizon - 1, (rows - count) // 2)
    most = min(reach, rows - count + least)
    begin = (most + rows - count + least) // 2
    y = target[begin : begin + count] - target[begin : begin + count].mean()
    moved = np.diff(y) ** 2
    if not (total := float(y @ y)) or moved.sum() ** 2 < MOVES * (moved**2).sum():
        return None
    x = columns[begin - most : begin + count - least].T
    x = x - x.mean(axis=1, keepdims=True)
    scale = x.std(axis=1, keepdims=True)
    x /= np.where(scale > 0, scale, 1.0)
    size = 1 << (x.shape[1] - 1).bit_length()
    products = np.fft.irfft(np.fft.rfft(x, size) * np.conj(np.fft.rfft(y, size)), size)[:, : most - least + 1]
    sums, squares = (_sliding(part, count) for part in (x, x * x))
    variance = squares - sums**2 / count
    still = variance < 1e-9 * count
    left = np.where(still, 1.0, 1 - products**2 / (np.where(still, 1.0, variance) * total))
    lags = np.arange(most, least - 1, -1)
    left[~known[:, None] & (lags <= 0)] = 1.0
    best = left.argmin(axis=1)
    return left[np.arange(len(left)), best], lags[best]


def _sliding(x: np.ndarray, count: int) -> np.ndarray:
    """Sums of `count` neighbours along the last axis."""
    total = np.pad(np.cumsum(x, axis=1), ((0, 0), (1, 0)))
    return total[:, count:] - total[:, :-count]


def _own_share(target: np.ndarray, lead: int, season: int) -> float:
    """The share of variance of the target `lead` rows ahead that its own past leaves, by least squares."""
    rows = len(target)
    lags = [*range(24), *((-lead) % period for period in (season, 7 * season))]
    lags = [lag for lag in dict.fromkeys(lags) if lag + lead < rows // 2]
    first = max(lags, default=0)
    count = min(rows - lead - first, ROWS)
    begin = rows - lead - count
    lags = lags[: max(1, count // 8)]
    past = np.stack([target[begin - lag : begin - lag + count] for lag in lags], axis=1)
    y = target[begin + lead : begin + lead + count]
    past, y = past - past.mean(axis=0), y - y.mean()
    weights = np.linalg.lstsq(past, y, rcond=None)[0]
    total = float(y @ y)
    return float(((y - past @ weights) ** 2).sum()) / total if total else 0.0


def _completes(columns: np.ndarray, target: np.ndarray, spec: WindowSpec) -> tuple[int, int] | None:
    r"""The first column that with the target's past leaves nothing of it some rows ahead, and how many rows.

    Of a centred mean of w rows, \(w (x_t - x_{t-1}) = y_{t+h} - y_{t-h-1}\) with h = (w - 1) / 2.

    Args:
        columns, target: (rows, columns) and (rows,), one stretch.
        spec: the window's measures.
    """
    leads = min(LEADS, spec.look_back + spec.horizon - 1, len(target) // 16)
    first = leads + 2
    count = min(len(target) - first - leads, ROWS)
    begin = (len(target) - leads - count + first) // 2

    def at(series: np.ndarray, lag: int) -> np.ndarray:
        part = series[begin - lag : begin - lag + count]
        return part - part.mean(axis=0)

    own = np.linalg.qr(np.stack([at(target, lag) for lag in range(min(first, count // 8))], axis=1))[0]
    ahead = np.stack([at(target, -lead) for lead in range(1, leads + 1)], axis=1)
    total, ahead = (ahead**2).sum(axis=0), ahead - own @ (own.T @ ahead)
    alone = (ahead**2).sum(axis=0)
    last = np.stack([at(columns, lag).T for lag in range(3)], axis=2)
    basis = np.linalg.qr(last - own @ (own.T @ last))[0]
    left = alone - ((basis.transpose(0, 2, 1) @ ahead) ** 2).sum(axis=1)
    for column, lead in np.argwhere((left < EXACT * alone) & (alone > GIVEN * total)).tolist():
        if _own_share(target, lead + 1, spec.season) > GIVEN:
            return column, lead + 1
    return None


def _computed(what: str, of: str, lead: int, step: int) -> str:
    rows = f"{lead} row{'s' if lead > 1 else ''} ({durations.text(lead * step)})"
    return (
        f"Column '{what}', with what came before, gives '{of}' {rows} later to the last digit, as what is computed "
        "from later rows does: a centred mean, a change to the next row. Take it out of data.covariates, or compute "
        "it from earlier rows; an input that is set beforehand belongs in data.known_ahead."
    )


def _words(series: Series, column: int, target: int, lag: int, known: bool) -> str:
    what, of = series.columns[column], series.columns[target]
    rows = f"{abs(lag)} row{'s' if abs(lag) > 1 else ''} ({durations.text(abs(lag) * series.step)})"
    if lag > 0:
        return f"Column '{what}' is '{of}' {rows} later, up to scale and offset. Take it out of data.covariates."
    where = f"of {rows} before, which is not known over the whole horizon" if lag else "itself"
    return f"Column '{what}' is '{of}' {where}, up to scale and offset. Take it out of data.known_ahead."
