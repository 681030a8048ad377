"""How long the command line takes to answer, beside a bare Python.

    python -m tests.benchmarks.start [--quick] [--json FILE]

The best of several fresh processes each, caches warm.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

SEQLAYERS = [sys.executable, "-c", "from pipelines.cli import main; main()"]
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "seqlayers --help": [*SEQLAYERS, "--help"],
    "seqlayers run --help": [*SEQLAYERS, "run", "--help"],
    "seqlayers slots": [*SEQLAYERS, "slots"],
}


def measure(*, quick: bool = False) -> list[dict[str, float | str]]:
    """Rows of name and seconds."""
    root = Path(__file__).resolve().parents[2]
    best = dict.fromkeys(COMMANDS, float("inf"))
    for _ in range(2 if quick else 7):
        for name, command in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run(command, cwd=root, capture_output=True, check=True)
            best[name] = min(best[name], time.perf_counter() - start)
    return [{"name": name, "seconds": round(value, 3)} for name, value in best.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two rounds instead of seven")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    arguments = parser.parse_args()

    rows = measure(quick=arguments.quick)
    for row in rows:
        print(f"{row['name']:24} {row['seconds']:6.2f} s")
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
