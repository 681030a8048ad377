"""Which kinds learn which small exact problem: the four mappings, each with tasks whose answers are right or wrong.

    python -m tests.benchmarks.problems [--quick] [--json FILE] [--kinds gru,min_gru] [--problems adding] [--seed 0]

Each kind is trained on each problem by one recipe (`tests.seqlayers.solving`) until it makes no mistake on 512 examples
or the problem's steps are over; the figures are those of 256 examples drawn anew, or of all where there are no others.
Solved: 99 % of them right in every step, or a mean square error below 0.01. Seconds are the processor's, all cores
together, building and compiling included.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

if TYPE_CHECKING:
    from tests.seqlayers.solving import Outcome

#: With --quick: these kinds, sequences of so many steps, and so many steps of training.
QUICK_KINDS, QUICK_TIME, QUICK_STEPS = ("simple_rnn", "gru", "min_gru"), 8, 200


def measure(
    kinds: Sequence[str] = (), problems: Sequence[str] = (), *, seed: int = 0, quick: bool = False
) -> Iterator[Outcome]:
    """One outcome after the other, problem by problem; all kinds and problems if none are named."""
    from tests.seqlayers.solving import PROBLEMS, solve

    for name in problems or PROBLEMS:
        problem = PROBLEMS[name]
        shorter = {"time": min(problem.time, QUICK_TIME), "steps": QUICK_STEPS} if quick else {}
        for kind in kinds or (QUICK_KINDS if quick else problem.kinds()):
            if kind in problem.kinds():
                yield solve(name, kind, seed=seed, **shorter)[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="three kinds on sequences of eight steps")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--kinds", default="", help="with commas between; default: all")
    parser.add_argument("--problems", default="", help="with commas between; default: all")
    parser.add_argument("--seed", type=int, default=0, help="of weights and examples")
    arguments = parser.parse_args()
    kinds, problems = (list(filter(None, named.split(","))) for named in (arguments.kinds, arguments.problems))

    from tests.seqlayers.solving import ENCODERS, PROBLEMS

    for given, known in ((kinds, ENCODERS), (problems, PROBLEMS)):
        for name in given:
            if name not in known:
                parser.error(f"{name!r} given. Accepted: {', '.join(known)}.")

    from rich.console import Console
    from rich.table import Table

    rows: list[Outcome] = []
    for row in measure(kinds, problems, seed=arguments.seed, quick=arguments.quick):
        rows.append(row)
        print(f"{row.problem}, {row.kind}: {'solved' if row.solved else 'not solved'}, {row.seconds:.0f} s", flush=True)
    table = Table(title="Small exact problems" + (f", {QUICK_TIME} steps at most" if arguments.quick else ""))
    for name in ("problem", "kind", "", "sequences right", "steps right", "error", "trained", "seconds"):
        table.add_column(name, justify="right" if name not in ("problem", "kind", "") else "left")
    for i, row in enumerate(rows):
        first = i == 0 or rows[i - 1].problem != row.problem
        if first and i:
            table.add_section()
        figures = [f"{100 * row.figures[k]:.1f} %" if k in row.figures else "–" for k in ("right", "steps_right")]
        error = f"{row.figures['error']:.4f}" if "error" in row.figures else "–"
        label = f"{row.problem} ({PROBLEMS[row.problem].mapping})" if first else ""
        solved = "solved" if row.solved else "not solved"
        table.add_row(label, row.kind, solved, *figures, error, f"{row.steps:,}", f"{row.seconds:.0f}")
    Console().print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps([dataclasses.asdict(row) for row in rows], indent=2))


if __name__ == "__main__":
    main()
