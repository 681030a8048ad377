"""Made records of diagnoses: curves of known shape."""

from __future__ import annotations

from typing import Any

from tests.pipelines.records import CHECKS, record

#: Encoder → what its norm is multiplied with a step, at first and trained, and its joint norm at first.
RATES = {"simple_rnn": (0.7, 0.85, 0.5), "simple_rnn×2.5": (1.17, 1.02, 4e5), "lstm": (0.84, 0.83, 0.4)}


def curve(name: str, rate: float, joint: float, lags: int, clip: float | None = 1.0) -> dict[str, Any]:
    """One measurement: a norm that is multiplied with `rate` a step, in a band, and eight batches."""
    median = [min(0.2 * rate**k, 1e38) for k in range(lags)]
    joints = [joint * (1 + i / 10) for i in range(8)]
    factors = [1.0 if clip is None else min(1.0, clip / n) for n in joints]
    word = "explodes" if rate > 1.1 else "vanishes" if rate < 0.9 else "reaches"
    return {
        "low": [v / 3 for v in median],
        "median": median,
        "high": [3 * v for v in median],
        "clipped": [v * factors[0] for v in median],
        "joint": joints,
        "factors": factors,
        "loss": 0.8,
        "beyond_half": min(1.0, rate ** (lags / 2)),
        "a_step": rate,
        "fallen": 12 if word == "vanishes" else None,
        "grown": 29 if word == "explodes" else None,
        "word": word,
        "said": f"{word}: as it is made to ({name})",
    }


def diagnosis(*, lags: int = 72, trained: bool = True, clip: float | None = 1.0, **changes: Any) -> dict[str, Any]:
    """A record of `seqlayers diagnose weather`; keyword arguments beyond the named ones replace its entries."""
    run = record()
    kept = ("task", "title", "status", "seed", "started", "versions", "commit", "source", "series", "repairs", "model")
    curves = [
        {
            "name": name,
            "kind": name.split("×")[0],
            "gain": 2.5 if "×" in name else 1.0,
            "configuration": {"kind": name.split("×")[0], "units": 32},
            "parameters": 3418,
            "initial": curve(name, first, joint, lags, clip),
            "trained": curve(name, then, joint, lags, clip) if trained else None,
            "diverged": None,
            "states": None if "×" in name else [[0.2, 0.15, 0.1, 0.07, 0.05][:lags]] * (2 if name == "lstm" else 1),
            "seconds": 4.0,
        }
        for name, (first, then, joint) in RATES.items()
    ]
    return {
        **{name: run[name] for name in kept},
        "kind": "diagnosis",
        "seconds": 61.0,
        "command": "seqlayers diagnose weather",
        "checks": [{"name": name, "passed": True, "detail": detail} for name, detail in CHECKS],
        "steps": 200 if trained else 0,
        "clip_norm": clip,
        "batches": [128] * 8,
        "axis": [1.0, "h"],
        "curves": curves,
        **changes,
    }


def difficult() -> dict[str, dict[str, Any]]:
    """Records with everything that a curve can be."""
    overflow = diagnosis()
    overflow["curves"][1]["initial"].update(median=[1.0, 1e30] + [None] * 70, high=[None] * 72, joint=[None] * 8)
    overflow["curves"][1].update(trained=None, diverged="The loss became nan, on validation nan, in epoch 1.")
    overflow["curves"][1]["initial"].update(factors=[None] * 8, clipped=[None] * 72, a_step=None, beyond_half=None)
    nothing = diagnosis()
    for phase in ("initial", "trained"):
        nothing["curves"][0][phase].update(median=[0.0] * 72, low=[0.0] * 72, high=[0.0] * 72, joint=[0.0] * 8)
    crowd = diagnosis(sample=False)
    crowd["curves"] = [
        crowd["curves"][i % 3] | {"name": f"an encoder with settings of a very long name {i}"} for i in range(11)
    ]
    return {
        "as it is": diagnosis(),
        "untrained, unclipped": diagnosis(trained=False, clip=None),
        "two steps": diagnosis(lags=2, axis=[1.0, "steps"]),
        "two thousand steps": diagnosis(lags=2000, axis=[1 / 6, "h"]),
        "no finite norm": overflow,
        "no gradient": nothing,
        "many of long names": crowd,
    }
