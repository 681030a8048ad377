"""The table: every row in a fresh process, printed and kept as it comes, none computed twice."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from data.source import DATA_VARIABLE
from pipelines.workspace import write_atomically
from tests.benchmarks import ltsf
from tests.benchmarks.ltsf.protocol import HORIZONS, SETS
from tests.benchmarks.ltsf.recipes import KINDS, RECIPES, recipe_for

ROOT = Path(__file__).resolve().parents[3]

Row = dict[str, Any]


def read(file: Path | None) -> list[Row]:
    return json.loads(file.read_text(encoding="utf-8")) if file and file.exists() else []


def merge(rows: list[Row], row: Row) -> list[Row]:
    """The rows with one added, or put in its predecessor's place; the best on validation of each table is `chosen`."""
    place = ("data", "horizon", "kind", "quick")
    rows = [r for r in rows if any(r[key] != row[key] for key in place)] + [row]
    tables = list(SETS)
    rows.sort(key=lambda r: (r["quick"], tables.index(r["data"]), r["horizon"], KINDS.index(r["kind"])))
    for r in rows:
        rivals = [o["validation_mse"] for o in rows if all(o[key] == r[key] for key in ("data", "horizon", "quick"))]
        r["chosen"] = r["validation_mse"] == min(rivals)
    return rows


def compute(data: str, horizon: int, kind: str, quick: bool) -> Row:
    """A row, from a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.ltsf.row", data, str(horizon), kind]
    found = subprocess.run(
        [*command, "--quick"] if quick else command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if found.returncode:
        raise SystemExit(f"{data} {horizon} {kind} failed:\n{found.stderr[-3000:]}")
    return json.loads(found.stdout.splitlines()[-1])


def line(row: Row) -> str:
    notes = ["best on validation so far"] if row["chosen"] else []
    notes += ["stopped by its budget"] if row.get("stopped_by_budget") else []
    notes += ["quick"] if row["quick"] else []
    return (
        f"{row['data']:13} {row['horizon']:4} {row['kind']:16} {row['mse']:.4f} {row['mae']:.4f} "
        f"{row['validation_mse']:10.4f} {row['seconds']:8.1f} s {row['peak_mib']:6} MiB  {', '.join(notes)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.ltsf",
        description=ltsf.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", choices=list(SETS), help="one benchmark; both if left out")
    parser.add_argument("--horizons", help="such as 96,192; all four if left out")
    parser.add_argument("--kinds", help="such as ridge,blend; all if left out")
    parser.add_argument(
        "--json", type=Path, help="keep the rows in this file; rows that are in it are not computed again"
    )
    parser.add_argument("--fresh", action="store_true", help="compute rows again that are in the file")
    parser.add_argument("--quick", action="store_true", help="a few seconds of training: shows that it works, no more")
    arguments = parser.parse_args()
    if not os.environ.get(DATA_VARIABLE):
        print(f"Skipped: ${DATA_VARIABLE} is not set. Set it to the folder that holds ett/ETTh1.csv and weather/.")
        return
    tables = [arguments.data] if arguments.data else list(SETS)
    horizons = [int(h) for h in arguments.horizons.split(",")] if arguments.horizons else list(HORIZONS)
    kinds = arguments.kinds.split(",") if arguments.kinds else list(KINDS)
    if arguments.quick:
        tables, horizons = tables[:1], horizons[:1]
    for kind in kinds:
        if kind not in KINDS:
            parser.error(f"argument --kinds: {kind!r} given; accepted: {', '.join(KINDS)}")

    rows = read(arguments.json)
    known = set() if arguments.fresh else {(r["data"], r["horizon"], r["kind"], r["configuration"]) for r in rows}
    print(f"{'data':13} {'h':>4} {'kind':16} {'MSE':6} {'MAE':6} {'validation':>10} {'seconds':>10} {'memory':>10}")
    for data in tables:
        for horizon in horizons:
            for kind in (k for k in RECIPES[data][0] if k in kinds):
                tag = recipe_for(data, horizon, kind, quick=arguments.quick).tag()
                if (data, horizon, kind, tag) not in known:
                    rows = merge(rows, compute(data, horizon, kind, arguments.quick))
                    if arguments.json:
                        write_atomically(arguments.json, json.dumps(rows, indent=1))
                place = (data, horizon, kind, arguments.quick)
                print(
                    line(next(r for r in rows if (r["data"], r["horizon"], r["kind"], r["quick"]) == place)), flush=True
                )


if __name__ == "__main__":
    main()
