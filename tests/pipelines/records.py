"""Made records of runs, as real as a record can be without a run: what the report is given."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from tests.pipelines.record_parts import export, learning

TAG = "value>gru>last>forecast"
#: The nominal share of each band, and how many standard deviations it reaches.
BANDS = {0.5: 0.674, 0.8: 1.282, 0.95: 1.96}
START = datetime(2023, 1, 1)
COLUMNS = ["T (degC)", "p (mbar)", "rh (%)", "VPmax (mbar)", "wv (m/s)", "max. wv (m/s)", "wd (deg)", "rain (mm)"]

#: What, how many, in which column.
REPAIRS = [
    ("marked as missing (-9999)", 18, "wv (m/s)"),
    ("marked as missing (-9999)", 20, "max. wv (m/s)"),
    ("cells of -999, far from all else, kept (data.missing=[-999] if nothing was measured)", 30, "rh (%)"),
    ("rows that are copies of another, dropped", 1, None),
    ("missing times, filled forward", 3, None),
    ("column of text, left out", 17_544, "station"),
]
CHECKS = [
    ("transforms saw train rows only", "Constants fitted again on the 12,280 train rows are the same."),
    ("windows stay in their series", "17,355 windows lie in 1 segment(s)."),
    ("no target crosses a border", "17,355 windows checked against the borders of their parts."),
    ("train lies before validation, and that before test", "The targets of the parts follow one another in time."),
    ("folds do not overlap", "1 fold(s), their parts in order with 0 rows or more between."),
    ("features do not see the future", "Readings after 64 origins were changed; no feature before them moved."),
    ("targets lie where the horizon says", "256 windows, each target one row after another."),
    ("windows end where their targets begin", "256 windows end where their targets begin."),
    ("no column is a target from tomorrow", "8 column(s) compared with 1 target(s), row by row and shifted."),
]


def record(
    *,
    horizon: int = 24,
    look_back: int = 120,
    targets: tuple[str, ...] = ("T (degC)",),
    sample: bool = True,
    ridge: bool = True,
    bands: bool = True,
    epochs: int = 14,
    branches: bool = False,
    seed: int = 0,
    **changes: Any,
) -> dict[str, Any]:
    """A record of `seqlayers run weather`; keyword arguments beyond the named ones replace its entries."""
    random = np.random.default_rng(seed)
    slots = _branched() if branches else _row()
    tag = "(value>gru>last | patch>transformer>mean)>forecast" if branches else TAG
    names = ["last value", "seasonal naive", "drift", *(["ridge"] if ridge else []), tag]
    made = {
        "task": "weather",
        "title": f"Weather: {', '.join(targets[:3])}, {horizon} h ahead",
        "run_id": "4f0c6c3c1d3e4b2f9a8e7d6c5b4a3928",
        "status": "done",
        "seed": seed,
        "started": "2026-01-31T14:25:30",
        "seconds": 168.4,
        "command": "seqlayers run weather --source " + ("sample" if sample else "weather.csv.xz"),
        "versions": {"seqlayers": "0.1.0", "tensorflow": "2.21.0", "keras": "3.15.1", "numpy": "2.4.6"},
        "commit": "3f2a9c1",
        "source": {
            "name": "sample" if sample else "weather.csv.xz",
            "sha256": "9b1d6c0f" * 8,
            "sample": sample,
            "note": "A made station: two years of hourly readings, seed 0." if sample else "",
            "rows": 17_544,
            "start": "2023-01-01T00:00:00",
            "end": "2024-12-31T23:00:00",
        },
        "series": {
            "count": 1,
            "step": "1h",
            "averaged_from": "10min",
            "look_back": "5d",
            "horizon": f"{horizon}h",
            "columns": [*targets, *[c for c in COLUMNS if c not in targets]],
            "targets": list(targets),
        },
        "repairs": [dict(zip(("what", "count", "column"), row, strict=True)) for row in REPAIRS],
        "splits": [
            _part("train", 0, 12_280, 12_137),
            _part("validation", 12_280, 14_034, 1_731),
            _part("test", 14_034, 17_544, 3_487),
        ],
        "checks": [{"name": name, "passed": True, "detail": detail} for name, detail in CHECKS],
        "model": {
            "tag": tag,
            "parameters": 31_256,
            "configuration": "task: weather\nmodel:\n  encoder:\n  - {kind: gru, units: 64}\ntrain: {epochs: 20}\n",
            "slots_table": slots,
        },
        "metrics": _rows(names, bands),
        "validation": _rows(names, bands, factor=0.96),
        "per_target": [
            {"target": t, "name": n, "role": _role(n, names), "mae": m * s, "rmse": 1.3 * m * s, "mase": m / 0.7}
            for i, t in enumerate(targets)
            for n, m, s in zip(names, _maes(names), [1 + 0.4 * math.sin(i)] * 5, strict=False)
        ],
        "best_naive": "last value",
        "verdict": (
            "The trained model earns its time: its error of 2.16 degC is 20.3% below the best naive forecast "
            "(last value) and 7.3% below the ridge's, for 92 s of training against 0.9 s for the ridge."
        ),
        "by_step": {
            "hours": [float(h) for h in range(1, horizon + 1)],
            "unit": "h",
            "mae": {n: _by_step(m, horizon) for n, m in zip(names, _maes(names), strict=True)},
            "of": "degC" if len(targets) == 1 else "MASE",
        },
        "windows": [
            _window(label, at, t, horizon, look_back, ridge, bands, random)
            for label, at in (("good", 15_003), ("typical", 16_120), ("worst", 14_513))
            for t in targets
        ],
        "intervals": _intervals(tag, horizon) if bands else None,
        "chosen": {"name": tag, "role": "model"},
        "curves": _curves(epochs, random),
        "exports": [
            export("saved_model", 2.4e-7, 2.158, 841.0, 1.92, flex=None, note="2,000 examples, in a fresh process"),
            export("litert_float32", 4.1e-7, 2.158, 139.0, 0.61, note="2,000 examples, builtins only"),
            export(
                "litert_int8",
                8.7e-3,
                2.163,
                52.0,
                0.44,
                keras=2.158,
                note="2,000 examples, 0.2 % more error than the model",
            ),
        ],
        "resumed": 0,
    }
    return made | changes


def _row() -> list[dict[str, Any]]:
    gru = {"units": 64, "dropout": 0.1, "return_sequences": True}
    return [
        {"branch": 0, "slot": "normalise", "kind": "none", "settings": {}},
        {"branch": 0, "slot": "embedding", "kind": "value", "settings": {"units": 64, "activation": None}},
        {"branch": 0, "slot": "encoder", "kind": "gru", "settings": gru},
        {"branch": 0, "slot": "encoder", "kind": "gru", "settings": gru},
        {"branch": 0, "slot": "pooling", "kind": "last", "settings": {}},
        {"branch": 0, "slot": "head", "kind": "forecast", "settings": {"horizon": 24, "hidden": [64, 64]}},
    ]


def _branched() -> list[dict[str, Any]]:
    transformer = {"units": 64, "heads": 4, "dropout": 0.1, "layer": {"kind": "attention", "window": None}}
    return [
        {"branch": 0, "slot": "embedding", "kind": "value", "settings": {"units": 64}},
        {"branch": 0, "slot": "encoder", "kind": "gru", "settings": {"units": 64}},
        {"branch": 0, "slot": "pooling", "kind": "last", "settings": {}},
        {"branch": 1, "slot": "embedding", "kind": "patch", "settings": {"units": 64, "length": 16, "stride": 8}},
        {"branch": 1, "slot": "position", "kind": "learned", "settings": {}},
        {"branch": 1, "slot": "encoder", "kind": "transformer", "settings": transformer},
        {"branch": 1, "slot": "encoder", "kind": "transformer", "settings": transformer},
        {"branch": 1, "slot": "pooling", "kind": "mean", "settings": {}},
        {"branch": None, "slot": "normalise", "kind": "reversible", "settings": {"affine": True}},
        {"branch": None, "slot": "head", "kind": "forecast", "settings": {"horizon": 24, "targets": 1}},
    ]


def _part(part: str, first: int, last: int, windows: int) -> dict[str, Any]:
    start, end = START + timedelta(hours=first), START + timedelta(hours=last - 1)
    return {"part": part, "start": start.isoformat(), "end": end.isoformat(), "rows": last - first, "windows": windows}


def _maes(names: list[str]) -> list[float]:
    return [2.709, 2.803, 3.612, *([2.331] if "ridge" in names else []), 2.158]


def _role(name: str, names: list[str]) -> str:
    return "model" if name == names[-1] else "baseline"


def _rows(names: list[str], bands: bool, factor: float = 1.0) -> list[dict[str, Any]]:
    found = []
    for name, mae in zip(names, _maes(names), strict=True):
        model = name == names[-1]
        found.append(
            {
                "name": name,
                "role": _role(name, names),
                "mae": mae * factor,
                "rmse": 1.31 * mae * factor,
                "mase": mae * factor / 0.702,
                "skill": 1 - mae / 2.709,
                "seconds": 92.4 if model else 0.91 if name == "ridge" else 0.0,
                "pinball": 0.36 * mae * factor if bands else None,
                **({f"coverage_{100 * b:g}": b - 0.004 * mae for b in BANDS} if bands else {}),
            }
        )
    return found


def _intervals(of: str, horizon: int) -> dict[str, Any]:
    """Bands that hold what they should over all, but for the widest, which holds less and less."""
    rise = np.linspace(0, 1, horizon)
    coverage = {0.5: 0.505 - 0.01 * rise, 0.8: 0.81 - 0.02 * rise, 0.95: 0.945 - 0.11 * rise}
    return {
        "of": of,
        "method": "split conformal",
        "windows": 1_731,
        "note": None,
        "bands": list(BANDS),
        "hours": [float(h) for h in range(1, horizon + 1)],
        "unit": "h",
        "coverage": {f"{b:g}": ys.tolist() for b, ys in coverage.items()},
        "uncalibrated": None,
        "width": {f"{b:g}": (2 * z * (0.6 + 1.7 * np.sqrt(rise))).tolist() for b, z in BANDS.items()},
    }


def _by_step(mae: float, horizon: int) -> list[float]:
    rise = np.sqrt(np.arange(1, horizon + 1))
    if mae > 2.4 and mae < 2.75:  # the last value is best at the same hour of the next day
        rise = rise * (1 + 0.35 * np.sin(np.pi * np.arange(1, horizon + 1) / 24) ** 2)
    if 2.75 < mae < 3:
        rise = np.ones(horizon)
    return (mae * rise / rise.mean()).tolist()


def _window(
    label: str, at: int, target: str, horizon: int, look_back: int, ridge: bool, bands: bool, random: Any
) -> dict[str, Any]:
    past = min(look_back, 3 * horizon)
    hours = at + np.arange(-past, horizon)
    weather = np.cumsum(random.normal(0, 0.35, len(hours))) - 0.02 * np.arange(len(hours))
    season = 9 - 10 * np.cos(2 * np.pi * hours / 8766) + 4.1 * np.sin(2 * np.pi * (hours - 9) / 24)
    values = season + weather
    missing = {"good": 0.25, "typical": 0.9, "worst": 3.6}[label]
    off = missing * np.linspace(0.15, 1.6, horizon) * np.sin(np.linspace(0.4, 2.2, horizon))
    truth = values[past:]
    forecast = np.convolve(np.pad(truth, 2, "edge"), np.full(5, 0.2), "valid") + off
    spread = 0.6 + 0.35 * np.sqrt(np.arange(horizon))
    times = [(START + timedelta(hours=int(h))).isoformat() for h in hours]
    reach = {0.5: 0.0} | {(1 + sign * b) / 2: sign * z for b, z in BANDS.items() for sign in (-1, 1)}
    quantiles = {f"{q:g}": (forecast + spread * z).tolist() for q, z in sorted(reach.items())}
    return {
        "label": label,
        "origin": times[past - 1],
        "target": target,
        "mae": float(np.abs(truth - forecast).mean()),
        "past_times": times[:past],
        "past": values[:past].tolist(),
        "times": times[past:],
        "truth": truth.tolist(),
        "forecast": forecast.tolist(),
        "rival": {
            "name": "ridge",
            "forecast": (truth + 1.2 * off - 0.6 * missing * np.sin(np.arange(horizon) / 4)).tolist(),
        }
        if ridge
        else None,
        "quantiles": quantiles if bands else None,
    }


def _curves(epochs: int, random: Any) -> dict[str, Any]:
    at = np.arange(epochs)
    loss = 0.31 + 0.5 * np.exp(-at / 2.2) + random.normal(0, 0.003, epochs)
    held = 0.335 + 0.42 * np.exp(-at / 2.0) + 0.004 * np.maximum(0, at - 7) + random.normal(0, 0.006, epochs)
    jit = {"chosen": False, "plain_ms": 32.1, "xla_ms": 35.8, "why": "32.1 ms a step without XLA, 35.8 with"}
    return learning(loss, held, 6.6 + 0.1 * random.random(epochs), jit=jit)
