"""Made records of backtests: runs' records, fold by fold."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np

from tests.pipelines.records import CHECKS, START, record

#: What `summary` keeps a standard deviation of.
SPREAD = ("mae", "rmse", "mase", "skill")


def backtest(*, count: int = 5, window: str = "expanding", embargo: str = "24h", **given: Any) -> dict[str, Any]:
    """A record of `seqlayers backtest weather`; what `record` takes may be given."""
    run, random = record(**given), np.random.default_rng(1)
    folds = [_fold(run, number, count, window, 1 + 0.12 * random.normal(), random) for number in range(1, count + 1)]
    kept = ("task", "title", "run_id", "status", "seed", "started", "versions", "commit", "source", "series")
    return {
        **{name: run[name] for name in (*kept, "repairs", "model", "best_naive", "resumed")},
        "kind": "backtest",
        "seconds": sum(fold["seconds"] for fold in folds) + 4.2,
        "command": f"seqlayers backtest weather --source sample --folds {count} --window {window} --embargo {embargo}",
        "checks": [{"name": name, "passed": True, "detail": detail} for name, detail in CHECKS],
        "window": window,
        "embargo": embargo,
        "folds": folds,
        "summary": summary(folds),
        "verdict": run["verdict"] + " Over 5 folds the model's error ranges from 1.92 to 2.41.",
        "unit": None if run["by_step"]["of"] == "MASE" else run["by_step"]["of"],
    }


def summary(folds: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Means over the folds, with their spread; what is null in a fold is null."""
    lowest = [min(row["mase"] for row in fold["metrics"]) for fold in folds]
    found = []
    for rows in zip(*(fold["metrics"] for fold in folds), strict=True):
        row: dict[str, Any] = {"name": rows[0]["name"], "role": rows[0]["role"]}
        for key in [k for k in rows[0] if k not in row]:
            values = [r[key] for r in rows]
            row[key] = None if None in values else float(np.mean(values))
            if key in SPREAD:
                row[f"{key}_sd"] = float(np.std(values, ddof=1)) if len(values) > 1 else None
        row["mae_low"], row["mae_high"] = (float(f(r["mae"] for r in rows)) for f in (min, max))
        row["best_in"] = sum(r["mase"] <= least for r, least in zip(rows, lowest, strict=True))
        found.append(row)
    return found


def _fold(run: dict[str, Any], number: int, count: int, window: str, hard: float, random: Any) -> dict[str, Any]:
    size = 8_000 // count
    end = 17_544 - (count - number) * size
    begin = end - 2 * size - 7_000 if window == "sliding" else 0
    borders = {"train": (begin, end - 2 * size - 48), "validation": (end - 2 * size - 24, end - size - 24)}
    splits = [
        {
            "part": part,
            "start": (START + timedelta(hours=first)).isoformat(),
            "end": (START + timedelta(hours=last - 1)).isoformat(),
            "rows": last - first,
            "windows": last - first - 143,
        }
        for part, (first, last) in (borders | {"test": (end - size, end)}).items()
    ]
    own = {row["name"]: hard * (1 + 0.05 * random.normal()) for row in run["metrics"]}
    steps = run["by_step"]
    intervals = run["intervals"] and run["intervals"] | {
        "coverage": {
            band: np.minimum(1, np.asarray(ys) + 0.03 * random.normal()).tolist()
            for band, ys in run["intervals"]["coverage"].items()
        }
    }

    def rows(part: str) -> list[dict[str, Any]]:
        errors = ("mae", "rmse", "mase", "pinball")
        found = [r | {k: r[k] * own[r["name"]] for k in errors if r[k] is not None} for r in run[part]]
        naive = next(r["mase"] for r in found if r["name"] == run["best_naive"])
        return [r | {"skill": 1 - r["mase"] / naive} for r in found]

    return {
        "number": number,
        "splits": splits,
        "checks": [{"name": name, "passed": True, "detail": detail} for name, detail in CHECKS],
        "seconds": 96.0 * (0.6 + 0.2 * number),
        "metrics": rows("metrics"),
        "validation": rows("validation"),
        "by_step": steps | {"mae": {n: (own[n] * np.asarray(ys)).tolist() for n, ys in steps["mae"].items()}},
        "intervals": intervals,
    }
