"""Errors of forecasts in the target's own units, summed a batch at a time so that memory stays small."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from pipelines.baselines import NAIVE


@dataclasses.dataclass
class ForecastErrors:
    r"""Running sums over windows of n forecasts (windows, horizon, targets).

    - MAE \(\frac1n\sum|y-\hat y|\), RMSE \(\sqrt{\frac1n\sum(y-\hat y)^2}\), in the target's units;
    - MASE: MAE divided by the mean absolute one-step change of the training part of the same series (Hyndman and
      Koehler 2006);
    - for quantile heads the pinball loss \(\max(q\,e, (q-1)\,e)\), \(e = y-\hat y_q\), mean over quantiles and in the
      target's units, and the coverage of the band between the outermost quantiles.

    Args:
        horizon, targets: sizes.
        quantiles: the levels that a forecast comes with, or ().
    """

    horizon: int
    targets: int
    quantiles: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        shape = (self.horizon, self.targets)
        self.count = 0
        self.absolute, self.squared, self.scaled, self.inside = (np.zeros(shape) for _ in range(4))
        self.pinball = np.zeros(self.targets)
        self.by_window: list[np.ndarray] = []

    def add(self, truth: np.ndarray, forecast: np.ndarray, scale: np.ndarray, bands: np.ndarray | None = None) -> None:
        """truth, forecast (n, horizon, targets); scale (n, targets); bands (n, horizon, targets, quantiles)."""
        error = np.abs(truth.astype(np.float64) - forecast)
        self.count += len(truth)
        self.absolute += error.sum(0)
        self.squared += (error**2).sum(0)
        self.scaled += (error / scale[:, None]).sum(0)
        self.by_window.append((error / scale[:, None]).mean((1, 2)))
        if bands is not None:
            levels = np.asarray(self.quantiles)
            over = truth[..., None].astype(np.float64) - bands
            self.pinball += np.maximum(levels * over, (levels - 1) * over).mean((1, 3)).sum(0)
            self.inside += ((truth >= bands[..., 0]) & (truth <= bands[..., -1])).sum(0)

    @property
    def window_errors(self) -> np.ndarray:
        """Scaled absolute error of each window (n,)."""
        return np.concatenate(self.by_window)

    def mae_by_step(self) -> np.ndarray:
        """(horizon, targets)."""
        return self.absolute / self.count

    def row(self) -> dict[str, Any]:
        """The line of the metrics table: means over horizon and targets."""
        found: dict[str, Any] = {
            "mae": float(self.absolute.mean() / self.count),
            "rmse": float(np.mean(np.sqrt(self.squared.mean(0) / self.count))),
            "mase": float(self.scaled.mean() / self.count),
            "pinball": None,
            "coverage": None,
        }
        if self.quantiles:
            found["pinball"] = float(self.pinball.mean() / self.count)
            found["coverage"] = float(self.inside.mean() / self.count)
        return found

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


def pick_windows(errors: np.ndarray) -> dict[str, int]:
    """A good, a typical and the worst window: the 5th and 50th percentile of the error, and its maximum."""
    order = np.argsort(errors, kind="stable")
    last = len(order) - 1
    return {name: int(order[round(at * last)]) for name, at in (("good", 0.05), ("typical", 0.5), ("worst", 1.0))}


def verdict(rows: list[dict[str, Any]], best_naive: str, unit: str | None) -> str:
    """What earned its time, from the table: the trained model, the solved one, or neither.

    Args:
        rows: of the metrics table, the model last.
        best_naive: the naive baseline with the lowest error.
        unit: of the only target, empty where it is not known; None where there are several targets, whose errors
            are then told as MASE.
    """

    def error(row: dict[str, Any]) -> str:
        return f"{row['mase']:#.3g} (MASE)" if unit is None else f"{row['mae']:#.3g} {unit}".strip()

    model = rows[-1]
    if model["skill"] <= 0:
        worse = f"{error(model)}, {-model['skill']:.1%} above it"
        return f"The model loses to the best naive forecast ({best_naive}): {worse}. It must not be used."
    beats = f"{model['skill']:.1%} below the best naive forecast ({best_naive})"
    solved = [row for row in rows[:-1] if row["name"] not in NAIVE]
    if not solved:
        return f"The model's error of {error(model)} is {beats}."
    rival = min(solved, key=lambda row: row["mase"])
    gain = 1 - model["mase"] / rival["mase"]
    times = f"{model['seconds']:.0f} s of training against {rival['seconds']:.1f} s for the {rival['name']}"
    if gain > 0.005:
        return (
            f"The trained model earns its time: its error of {error(model)} is {beats} and {gain:.1%} below "
            f"the {rival['name']}'s, for {times}."
        )
    if gain < -0.005:
        return (
            f"Use the {rival['name']}: its error of {error(rival)} is {1 - rival['mase'] / model['mase']:.1%} below "
            f"the trained model's {error(model)}, for {times}."
        )
    return (
        f"The trained model ({error(model)}, {beats}) and the {rival['name']} are within half a percent of each "
        f"other: {times} earned nothing, and the {rival['name']} is to be preferred."
    )
