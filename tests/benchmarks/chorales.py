"""Nats a frame on the test chorales of JSB_Chorales.mat, by counts and by kinds, notes independent or conditioned.

    python -m tests.benchmarks.chorales [--quick] [--json FILE] [--kinds lstm,gru]

Every kind stands alone between an embedding of frames and a head of notes, once with each note by itself and once with
each conditioned on those below (a NADE); so does what the task's own configuration has between them. Train pieces come
in several keys, validation and test in their own; training stops by validation, and `chosen` is the row with the lowest
validation loss of its head. Needs $SEQLAYERS_DATA, or a network. --quick trains one epoch in one key.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

UNITS = 256
HEADS = {
    "independent": {"kind": "notes", "conditioned": False, "dropout": 0.3},
    "conditioned": {"kind": "notes", "hidden": 128, "dropout": 0.3},
}
#: Row → encoders.
KINDS: dict[str, list[dict[str, Any]]] = {
    "lstm": [{"kind": "lstm", "units": UNITS}],
    "gru": [{"kind": "gru", "units": UNITS}],
    "min_gru": [{"kind": "min_gru", "units": UNITS}] * 2,
    "temporal_convolution": [{"kind": "temporal_convolution", "units": UNITS // 2}],
    "transformer": [{"kind": "transformer", "units": UNITS // 2, "heads": 4, "feed_forward": UNITS, "window": 64}] * 2,
}
#: The task's own baselines as the table names them.
COUNTED = {"note frequencies": "frequency", "Markov chain": "markov"}
DEFAULT = "music.yaml"


def measure(names: list[str], tell: Callable[[str], None], quick: bool = False) -> Iterator[dict[str, Any]]:
    """Rows of kind, head, nats_per_frame, validation, accuracy, seconds, parameters; the baselines' first."""
    from pipelines import config

    first = True
    for name in names:
        for head, options in HEADS.items():
            configuration = config.load("music")
            changed: dict[str, Any] = {} if first else {"baselines": {}}
            if name == DEFAULT and head == "independent":
                changed["model"] = configuration.model | {"head": options}
            if name != DEFAULT:
                embedding = {"kind": "value", "units": UNITS // 2}
                changed["model"] = {"embedding": embedding, "encoder": KINDS[name], "head": options}
                if name == "transformer":
                    changed["model"]["position"] = {"kind": "rotary"}
            if quick:
                configuration.train.epochs = 1
                changed["data"] = configuration.data | {"transpose": 0}
            for row in fitted(configuration.model_copy(update=changed), name, head, tell):
                if row["kind"] == name or first:
                    yield row
            first = False


def fitted(configuration: Any, name: str, head: str, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """The rows of a configuration's candidates."""
    import keras

    from pipelines import tasks
    from pipelines.fitting import fit_candidates
    from pipelines.screen import Screen
    from pipelines.task import build
    from seqlayers.model import SequenceModel

    task: Any = tasks.make(configuration)
    task.prepare("jsb", None, tell)
    keras.utils.set_random_seed(configuration.train.seed)
    model = SequenceModel.for_task(configuration.model, **task.model_arguments())
    build(model, task)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder) / "checkpoint.npz"
        candidates, _ = fit_candidates(model, task, configuration.train, checkpoint, Screen(to_stderr=True))
    validation, test = task.evaluate("validation", candidates), task.evaluate("test", candidates)
    return [
        {
            "kind": name if candidate.role == "model" else COUNTED.get(candidate.name, candidate.name),
            "head": head if candidate.role == "model" else "independent",
            "nats_per_frame": row["loss"],
            "validation": checked["loss"],
            "accuracy": row["accuracy"],
            "seconds": candidate.seconds,
            "parameters": candidate.predictor.count_params(),
        }
        for candidate, checked, row in zip(candidates, validation.rows, test.rows, strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one epoch in one key")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--kinds", help="rows with commas between (default: all)")
    arguments = parser.parse_args()
    known = [DEFAULT, *KINDS]
    names = arguments.kinds.split(",") if arguments.kinds else known
    if unknown := [name for name in names if name not in known]:
        parser.error(f"no row {', '.join(unknown)}; there are {', '.join(known)}")

    from rich.console import Console
    from rich.table import Table

    from data.errors import DataError

    console, rows = Console(), []
    try:
        for row in measure(names, lambda said: console.print(f"  {said}", style="dim", markup=False), arguments.quick):
            rows.append(row)
            console.print(f"  {row['kind']}, {row['head']}: {row['nats_per_frame']:.3f}, {row['seconds']:.0f} s")
    except DataError as error:
        parser.exit(2, f"{error}\n")
    for head in HEADS:
        own = [row for row in rows if row["head"] == head]
        for row in own:
            row["chosen"] = row is min(own, key=lambda r: r["validation"])
    table = Table(title="JSB chorales, test pieces, nats a frame" + (" (--quick)" if arguments.quick else ""))
    for column in ("kind", "head"):
        table.add_column(column)
    for column in ("test", "validation", "frame accuracy", "seconds", "parameters"):
        table.add_column(column, justify="right")
    for row in rows:
        cells = f"{row['nats_per_frame']:.3f}", f"{row['validation']:.3f}", f"{row['accuracy']:.1%}"
        mark = " ←" if row["chosen"] else ""
        table.add_row(row["kind"] + mark, row["head"], *cells, f"{row['seconds']:.0f}", f"{row['parameters']:,}")
    console.print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
