"""Kinds on IMDB's reviews: accuracy on the official test half, seconds, parameters and the latency of a SavedModel.

    python -m tests.benchmarks.imdb [--quick] [--json FILE] [--kinds gru,convolution] [--unlabelled FILE]

Every encoder kind stands alone in one row, `token > kind > pooling > classify`, by the recipe below, once, and reads
512 tokens of a review at most, from its start and its end; so does head `regions`. Beside them stand the baselines, the
task's own configuration and its variants; with --unlabelled also what learns from those texts too. Training stops by
the loss on a validation part of train, drawn by film; `chosen` is the row that validation accuracy picks. Needs
$SEQLAYERS_DATA, or a network. --quick takes 2,000 texts of each half and one epoch.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

#: Texts of a part with --quick.
QUICK = 2000
TOKENS = {"kind": "token", "units": 64, "mask_zero": True}
UNITS = 64

#: The recipe of what takes sparse steps.
SPARSE = {"epochs": 6, "batch_size": 32, "optimizer": "adagrad", "learning_rate": 0.05, "schedule": "constant"}
#: Row → encoder, pooling and what else is not the recipe's.
KINDS: dict[str, dict[str, Any]] = {
    "mean of embeddings": {"encoder": [], "pooling": "mean"},
    "n-gram embedding": {
        "embedding": {"kind": "ngrams", "units": 16, "longest": 2, "buckets": 2**18, "mask_zero": True},
        "encoder": [],
        "pooling": "mean",
    },
    "convolution": {"encoder": [{"kind": "convolution", "units": 128}], "pooling": "max"},
    "temporal_convolution": {"encoder": [{"kind": "temporal_convolution", "units": UNITS}], "pooling": "max"},
    "simple_rnn": {"encoder": [{"kind": "simple_rnn", "units": UNITS}], "pooling": "max"},
    "lstm": {"encoder": [{"kind": "lstm", "units": UNITS}], "pooling": "max"},
    "gru": {"encoder": [{"kind": "gru", "units": UNITS}], "pooling": "max"},
    "bidirectional": {
        "encoder": [{"kind": "bidirectional", "layer": {"kind": "gru", "units": UNITS // 2}}],
        "pooling": "max",
    },
    "min_gru": {"encoder": [{"kind": "min_gru", "units": UNITS}], "pooling": "max"},
    "min_lstm": {"encoder": [{"kind": "min_lstm", "units": UNITS}], "pooling": "max"},
    "gated_linear": {"encoder": [{"kind": "gated_linear", "units": UNITS}], "pooling": "max"},
    "attention": {
        "position": {"kind": "sinusoidal"},
        "encoder": [{"kind": "attention", "units": UNITS, "window": 32}],
        "pooling": "max",
    },
    "transformer": {
        "position": {"kind": "sinusoidal"},
        "encoder": [{"kind": "transformer", "units": UNITS, "feed_forward": 2 * UNITS}],
        "pooling": "max",
    },
    "regions": {"head": {"kind": "regions", "dropout": 0.5, "token_dropout": 0.3}, "train": SPARSE},
}
#: Tokens that these rows read of a review, the first and the last ones, and what batches are padded to.
DATA = {"longest": 512, "buckets": [64, 128, 192, 256, 384]}
RECIPE = {"epochs": 3, "batch_size": 64, "learning_rate": 1e-3, "patience": 1, "jit": False, "clip_norm": 1.0}


def model_of(row: dict[str, Any]) -> dict[str, Any]:
    """The `model:` of a row."""
    if "head" in row:
        return {"head": row["head"]}
    return {
        "embedding": row.get("embedding", TOKENS),
        **({"position": row["position"]} if "position" in row else {}),
        "encoder": row["encoder"],
        "pooling": {"kind": row["pooling"]},
        "head": {"kind": "classify", "dropout": 0.5},
    }


def measure(
    names: list[str], unlabelled: Path | None, tell: Callable[[str], None], source: str = "imdb", quick: bool = False
) -> Iterator[dict[str, Any]]:
    """Rows of kind, accuracy, validation, seconds, parameters, latency_ms, unlabelled; the baselines' first."""
    from pipelines import config

    first, task = True, None
    for name in names:
        configuration = config.load("sentiment", config.VARIANTS / name if name in (BEST, UNLABELLED) else None)
        if name in KINDS:
            recipe = {
                "data": configuration.data | DATA,
                "model": model_of(KINDS[name]),
                "train": config.TrainOptions(**RECIPE | KINDS[name].get("train", {})),
            }
            configuration = configuration.model_copy(update=recipe if first else recipe | {"baselines": {}})
        if name == UNLABELLED:
            configuration = configuration.model_copy(update={"unlabelled": str(unlabelled)})
        if quick:
            configuration.train.epochs = 1
        task = _prepared(configuration, source, task, tell)
        yield from fitted(task, name, tell, baselines=first)
        first = False


DEFAULT, BEST, UNLABELLED = "sentiment.yaml", "sentiment-best.yaml", "sentiment-unlabelled.yaml"


def _prepared(configuration: Any, source: str, before: Any, tell: Callable[[str], None]) -> Any:
    """The task with its data, those of the task before where they are made alike."""
    from pipelines import tasks

    task = tasks.make(configuration)
    alike = before is not None and before.configuration.data == configuration.data
    if alike and before.configuration.unlabelled == configuration.unlabelled:
        task.data = before.data
    else:
        task.prepare(source, None, tell)
    return task


def some_of_it(folder: Path) -> str:
    """A file of QUICK reviews of each half, drawn at random."""
    from data.text_source import locate_texts

    frame, _ = locate_texts("imdb", sample=None, data_dir=None)
    drawn = frame.groupby("split").sample(QUICK, random_state=0)
    drawn.to_json(folder / "reviews.jsonl", orient="records", lines=True)
    return str(folder / "reviews.jsonl")


def fitted(task: Any, name: str, tell: Callable[[str], None], baselines: bool) -> Iterator[dict[str, Any]]:
    """The row of a configuration, and before it those of the baselines where they are wanted."""
    import keras

    from pipelines.fitting import fit_candidates
    from pipelines.screen import Screen
    from pipelines.task import build
    from seqlayers.model import SequenceModel

    keras.utils.set_random_seed(task.configuration.train.seed)
    model = SequenceModel.for_task(task.configuration.model, **task.model_arguments())
    build(model, task)
    tell(f"{name}: {model.summary_tag()}")
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        candidates, _ = fit_candidates(
            model, task, task.configuration.train, Path(folder) / "checkpoint.npz", Screen(to_stderr=True)
        )
    tell(f"{time.perf_counter() - start:.0f} s")
    validation, test = task.evaluate("validation", candidates), task.evaluate("test", candidates)
    for candidate, checked, row in zip(candidates, validation.rows, test.rows, strict=True):
        own = candidate.role == "model"
        if own or baselines:
            yield {
                "kind": name if own else candidate.name,
                "accuracy": 100 * row["accuracy"],
                "validation": 100 * checked["accuracy"],
                "seconds": candidate.seconds,
                "parameters": candidate.predictor.count_params() if hasattr(candidate.predictor, "call") else 0,
                "latency_ms": latency(task, candidate),
                "unlabelled": own and name == UNLABELLED,
            }


def latency(task: Any, candidate: Any) -> float | None:
    """Milliseconds that its SavedModel takes for one raw text, the median of some; None for what is no model."""
    import numpy as np

    from pipelines.export import runner, saved_model

    if not hasattr(candidate.predictor, "call"):
        return None
    servable = task.servable(candidate)
    inputs, _ = servable.examples(40, 0)
    with tempfile.TemporaryDirectory() as folder:
        saved_model.write(servable, Path(folder) / "model")
        run = runner.opened(Path(folder) / "model")(runner.SIGNATURE)
        return float(np.median([runner.latency_ms(run, runner.rows(inputs, i, i + 1)) for i in range(0, 40, 10)]))


def keep(rows: list[dict[str, Any]], path: Path | None) -> None:
    """Mark the row that validation picks of those there are, and write them to the file."""
    picked = max(rows, key=lambda row: row["validation"])
    for row in rows:
        row["chosen"] = row is picked
    if path:
        path.write_text(json.dumps(rows, indent=2))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:,} texts of each part, one epoch")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--kinds", help="rows with commas between (default: all)")
    parser.add_argument("--unlabelled", type=Path, help="a file of unlabelled reviews")
    arguments = parser.parse_args()
    known = [DEFAULT, BEST, *([UNLABELLED] if arguments.unlabelled else []), *KINDS]
    names = arguments.kinds.split(",") if arguments.kinds else known
    if unknown := [name for name in names if name not in known]:
        parser.error(f"no row {', '.join(unknown)}; there are {', '.join(known)}")

    from rich.console import Console
    from rich.table import Table

    from data.errors import DataError

    console, rows = Console(), []

    def tell(said: str) -> None:
        console.print(f"  {said}", style="dim", markup=False)

    try:
        with tempfile.TemporaryDirectory() as folder:
            source = some_of_it(Path(folder)) if arguments.quick else "imdb"
            for row in measure(names, arguments.unlabelled, tell, source, arguments.quick):
                rows.append(row)
                tell(f"{row['kind']}: {row['accuracy']:.2f} %, {row['seconds']:.0f} s")
                keep(rows, arguments.json)
    except DataError as error:
        parser.exit(2, f"{error}\n")
    table = Table(title="IMDB, test half" + (" (--quick)" if arguments.quick else ""))
    table.add_column("kind")
    for head in ("accuracy", "validation", "seconds", "parameters", "latency"):
        table.add_column(head, justify="right")
    for row in rows:
        late = "–" if row["latency_ms"] is None else f"{row['latency_ms']:.1f} ms"
        cells = f"{row['accuracy']:.2f} %", f"{row['validation']:.2f} %", f"{row['seconds']:.0f}"
        mark = " ← validation picks it" if row["chosen"] else ""
        table.add_row(row["kind"] + mark, *cells, f"{row['parameters']:,}", late)
    console.print(table)


if __name__ == "__main__":
    main()
