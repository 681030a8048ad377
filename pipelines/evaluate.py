"""Errors of forecasts in the target's own units, summed a batch at a time so that memory stays small."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection
from typing import Any, Literal

import numpy as np

from pipelines.baselines import NAIVE
from pipelines.intervals import pairs_of
from pipelines.report import bands
from pipelines.report.tables import HEADS
from pipelines.task import Column, Verdict

#: How much lower an error must be, relatively, to be called better: half a percent.
CLEARLY = 0.005


@dataclasses.dataclass
class ForecastErrors:
    r"""Running sums over windows of n forecasts (windows, horizon, targets).

    - MAE \(\frac1n\sum|y-\hat y|\), RMSE \(\sqrt{\frac1n\sum(y-\hat y)^2}\), in the target's units;
    - MASE: MAE divided by the mean absolute one-step change of the training part of the same series (Hyndman and
      Koehler 2006).

    Args:
        horizon, targets: sizes.
    """

    horizon: int
    targets: int

    def __post_init__(self) -> None:
        self.count = 0
        self.absolute, self.squared, self.scaled = (np.zeros((self.horizon, self.targets)) for _ in range(3))
        self.by_window: list[np.ndarray] = []

    def add(self, truth: np.ndarray, forecast: np.ndarray, scale: np.ndarray) -> None:
        """truth, forecast (n, horizon, targets); scale (n, targets)."""
        error = np.abs(truth.astype(np.float64) - forecast)
        self.count += len(truth)
        self.absolute += error.sum(0)
        self.squared += (error**2).sum(0)
        error /= scale[:, None]
        self.scaled += error.sum(0)
        self.by_window.append(error.mean((1, 2)))

    @property
    def window_errors(self) -> np.ndarray:
        """Scaled absolute error of each window (n,)."""
        return np.concatenate(self.by_window)

    def mae_by_step(self) -> np.ndarray:
        """(horizon, targets)."""
        return self.absolute / self.count

    def row(self) -> dict[str, float]:
        """The line of the metrics table: means over horizon and targets."""
        return {
            "mae": float(self.absolute.mean() / self.count),
            "rmse": float(np.mean(np.sqrt(self.squared.mean(0) / self.count))),
            "mase": float(self.scaled.mean() / self.count),
        }

    def rows_by_target(self) -> list[dict[str, float]]:
        """MAE, RMSE and MASE of each target."""
        return [
            {
                "mae": float(self.absolute[:, i].mean() / self.count),
                "rmse": float(np.sqrt(self.squared[:, i].mean() / self.count)),
                "mase": float(self.scaled[:, i].mean() / self.count),
            }
            for i in range(self.targets)
        ]


@dataclasses.dataclass
class IntervalErrors:
    r"""Running sums over windows of n forecasts of quantiles (windows, horizon, targets, levels).

    - the pinball loss \(\max(q\,e, (q-1)\,e)\), \(e = y-\hat y_q\), mean over levels and in the target's units;
    - coverage: the share of what came that lies in the band between two levels q and 1 − q;
    - the bands' widths, in the target's units, and divided as MASE is.

    Args:
        horizon, targets: sizes.
        levels: the quantile levels, ascending.
    """

    horizon: int
    targets: int
    levels: tuple[float, ...]

    def __post_init__(self) -> None:
        self.count = 0
        self.pairs = pairs_of(self.levels)
        shape = (len(self.levels), self.horizon, self.targets)
        #: Sums of e, of e below zero, and of e divided as MASE is; a level each.
        self.error, self.below, self.scaled = (np.zeros(shape) for _ in range(3))
        self.inside = np.zeros((len(self.pairs), *shape[1:]))

    def add(self, truth: np.ndarray, quantiles: np.ndarray, scale: np.ndarray) -> None:
        """truth (n, horizon, targets); quantiles (n, horizon, targets, levels); scale (n, targets)."""
        self.count += len(truth)
        for i in range(len(self.levels)):
            error = truth - quantiles[..., i]
            self.error[i] += error.sum(0, dtype=np.float64)
            self.below[i] += np.minimum(error, 0).sum(0, dtype=np.float64)
            self.scaled[i] += (error / scale[:, None]).sum(0)
        for k, (_, i, j) in enumerate(self.pairs):
            self.inside[k] += ((truth >= quantiles[..., i]) & (truth <= quantiles[..., j])).sum(0)

    def row(self) -> dict[str, float]:
        """What the metrics table says of intervals: `pinball`, and `coverage_80` of a band of 80 %."""
        shares = self.inside.mean((1, 2)) / self.count
        levels = np.array(self.levels)[:, None, None]
        found = {"pinball": float((levels * self.error - self.below).mean() / self.count)}
        return found | {
            coverage_key(band): float(share) for (band, _, _), share in zip(self.pairs, shares, strict=True)
        }

    def coverage_by_step(self) -> dict[str, list[float]]:
        """Band, such as `0.8` → its coverage at each step of the horizon."""
        return self._by_step(self.inside)

    def width_by_step(self, scaled: bool) -> dict[str, list[float]]:
        """Band → its mean width at each step, in the target's units, or divided as MASE is."""
        sums = self.scaled if scaled else self.error
        return self._by_step(np.stack([sums[i] - sums[j] for _, i, j in self.pairs]))

    def _by_step(self, sums: np.ndarray) -> dict[str, list[float]]:
        means = sums.mean(2) / self.count
        return {f"{band:g}": steps.tolist() for (band, _, _), steps in zip(self.pairs, means, strict=True)}


def coverage_key(band: float) -> str:
    """`coverage_80` for the band of 0.8, `coverage_99.5` for that of 0.995."""
    return f"coverage_{100 * band:.6g}"


def skill(error: float, naive: float) -> float | None:
    """1 − error / naive; None where the naive forecast has no error, on a stretch that never moves."""
    return 1 - error / naive if naive else None


def pick_windows(errors: np.ndarray) -> dict[str, int]:
    """A good, a typical and the worst window: the 5th and 50th percentile of the error, and its maximum."""
    order = np.argsort(errors, kind="stable")
    last = len(order) - 1
    return {name: int(order[round(at * last)]) for name, at in (("good", 0.05), ("typical", 0.5), ("worst", 1.0))}


def columns(rows: list[dict[str, Any]]) -> list[Column]:
    """The columns of a forecast's metrics table, coverage among them where these rows have it."""
    found = [Column(key, head) for key, head in HEADS.items()]
    covered = bands.column(rows)
    if covered:
        found.append(Column(covered[0], f"in {bands.hundredths(covered[1])} %", ".1%", None))
    return [*found, Column("skill", "skill", "+.1%", max)]


def verdict(
    rows: list[dict[str, Any]],
    best_naive: str,
    unit: str | None,
    exportable: Collection[str] = (),
    candidate: Literal["best", "model"] = "best",
) -> Verdict:
    """What earned its time, from the table: the trained model, a solved one, or neither; and what is to be shipped.

    The trained model is chosen where its MASE is more than half a percent below the best solved baseline's, else that
    baseline.

    Args:
        rows: of the metrics table, the model last.
        best_naive: the naive baseline with the lowest error.
        unit: of the only target, empty where it is not known; None where there are several targets or series, whose
            errors are then told as MASE.
        exportable: the baselines that can be exported: those that are solved models.
        candidate: `model` ships the trained model whatever is better.

    A MASE that is not finite loses to any that is.
    """
    model, naive = rows[-1], next(row for row in rows if row["name"] == best_naive)
    solved = [row for row in rows[:-1] if row["name"] in exportable]
    rival = min(solved, key=lambda row: row["mase"], default=None)
    preferred = model if rival is None or model["mase"] < rival["mase"] * (1 - CLEARLY) else rival
    shipped = model if candidate == "model" else preferred
    told = [_of_the_trained(model, rival, naive, unit)]
    if shipped is not preferred:
        told.append("The trained model is kept all the same, as export.candidate asks.")
    others = [row for row in rows[:-1] if row["name"] not in exportable and row["name"] not in NAIVE]
    best = min(others, key=lambda row: row["mase"], default=None)
    if best is not None and best["mase"] < min(shipped["mase"], naive["mase"]):
        what = "the trained model" if shipped is model else f"the {shipped['name']}"
        told.append(
            f"Better still is {best['name']}: its error of {_error(best, unit)} is {_below(best, shipped)} {what}'s, "
            f"for {_seconds(best)}; but it comes from another library and cannot be exported."
        )
    return Verdict(" ".join(told), shipped["name"])


def _of_the_trained(
    model: dict[str, Any], rival: dict[str, Any] | None, naive: dict[str, Any], unit: str | None
) -> str:
    """Whether the trained model earns its time beside the best solved baseline and the best naive one."""
    if not model["mase"] < naive["mase"]:
        worse = f"{_error(model, unit)} against {_error(naive, unit)}"
        if naive["mase"]:
            worse = f"{_error(model, unit)}, {model['mase'] / naive['mase'] - 1:.1%} above it"
        said = f"The model loses to the best naive forecast ({naive['name']}): {worse}. It must not be used."
        if rival is None or not rival["mase"] < model["mase"]:
            return said
        if rival["mase"] >= naive["mase"]:
            return f"{said} Nor must the {rival['name']}, with {_error(rival, unit)}."
        beats = f"{_below(rival, naive)} the best naive forecast"
        return f"{said} Use the {rival['name']}: its error of {_error(rival, unit)} is {beats}."
    beats = f"{_below(model, naive)} the best naive forecast ({naive['name']})"
    if rival is None:
        return f"The model's error of {_error(model, unit)} is {beats}."
    times = f"{_seconds(model)} of training against {_seconds(rival)} for the {rival['name']}"
    gain = 1 - model["mase"] / rival["mase"] if rival["mase"] else -math.inf
    if gain > CLEARLY:
        return (
            f"The trained model earns its time: its error of {_error(model, unit)} is {beats} and {gain:.1%} below "
            f"the {rival['name']}'s, for {times}."
        )
    if gain < -CLEARLY:
        return (
            f"Use the {rival['name']}: its error of {_error(rival, unit)} is {_below(rival, model)} "
            f"the trained model's {_error(model, unit)}, for {times}."
        )
    return (
        f"The trained model ({_error(model, unit)}, {beats}) and the {rival['name']} are within half a percent of each "
        f"other: {times} earned nothing, and the {rival['name']} is to be preferred."
    )


def _error(row: dict[str, Any], unit: str | None) -> str:
    return f"{row['mase']:#.3g} (MASE)" if unit is None else f"{row['mae']:#.3g} {unit}".strip()


def _seconds(row: dict[str, Any]) -> str:
    return f"{row['seconds']:.{0 if row['seconds'] >= 10 else 1}f} s"


def _below(row: dict[str, Any], other: dict[str, Any]) -> str:
    return f"{1 - row['mase'] / other['mase']:.1%} below"
