"""Loss on tiny Shakespeare's last tenth against CPU seconds: counts, recurrences, a Transformer, and what is blended.

    python -m tests.benchmarks.language [--quick] [--json FILE] [--kinds gru,transformer] [--picture FILE.png]

Every row is a kind after an epoch of training: CPU seconds of both cores, spent on fitting alone, and nats a character
on the test part with the state carried through it, and in fresh windows of 64 and 256. The test part is looked at after
each epoch to draw the curve; nothing is chosen by it: what a kind ends with is its epoch of the lowest validation loss,
which `chosen` marks. Needs $SEQLAYERS_DATA, or a network. --quick reads a tenth of the text, for one epoch.
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

#: The last tenth, by the published recipe on a CPU and on an A100: (name, CPU seconds, nats).
PUBLISHED = (("nanoGPT, its CPU recipe", 215.0, 1.8808), ("nanoGPT, baby GPT on an A100", None, 1.4697))
TOKENS = {"kind": "tokens", "dropout": 0.1}
WIDE = {"kind": "token", "units": 192}

#: Row → what of its configuration is not the task's.
KINDS: dict[str, dict[str, Any]] = {
    "ngram": {"model": {"head": {"kind": "ngram", "context": 4}}},
    "ngram_kneser_ney": {"model": {"head": {"kind": "ngram", "context": 6, "smoothing": "kneser_ney"}}},
    "gru": {
        "model": {
            "embedding": {"kind": "token", "units": 64},
            "encoder": [{"kind": "gru", "units": 256}],
            "head": TOKENS,
        },
        "train": {"epochs": 2, "learning_rate": 4e-3, "batch_size": 32},
    },
    "min_gru": {
        "model": {
            "embedding": WIDE,
            "encoder": [{"kind": "convolution", "units": 192, "kernel": 4}, *[{"kind": "min_gru", "units": 192}] * 2],
            "head": TOKENS,
        },
        "data": {"window": 128},
        "train": {"epochs": 5, "learning_rate": 3e-3, "batch_size": 32},
    },
    "transformer": {
        "model": {
            "embedding": {"kind": "token", "units": 128},
            "position": {"kind": "rotary"},
            "encoder": [{"kind": "transformer", "units": 128, "heads": 4, "feed_forward": 512, "window": 64}] * 4,
            "head": TOKENS,
        },
        "train": {"epochs": 2, "learning_rate": 1e-3, "batch_size": 12},
    },
    "text.yaml": {},
}
QUICK = 0.1


def measure(names: list[str], tell: Callable[[str], None], quick: bool = False) -> Iterator[dict[str, Any]]:
    """Rows of kind, epoch, cpu_seconds, loss_carried, loss_64, loss_256, parameters, validation."""
    from pipelines import config, tasks

    data = None
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            configuration = config.load("text")
            changed = dict(KINDS[name])
            if "train" in changed:
                changed["train"] = config.TrainOptions(**{"patience": 9, **changed["train"]})
            changed["data"] = configuration.data | changed.get("data", {})
            configuration = configuration.model_copy(update=changed)
            if quick:
                configuration.train.epochs = 1
            task = tasks.make(configuration)
            if data is not None and data.options.window == configuration.data["window"]:
                task.data = data
            else:
                task.prepare(some_of_it(Path(folder)) if quick else "shakespeare", None, tell)
            data = task.data
            yield from fitted(task, name, Path(folder))


def some_of_it(folder: Path) -> str:
    from data.corpus_sample import sample
    from data.corpus_source import locate_corpus

    ((_, text),), _, _ = locate_corpus("shakespeare", sample=sample)
    (folder / "some.txt").write_text(text[: int(QUICK * len(text))], encoding="utf-8")
    return str(folder / "some.txt")


def fitted(task: Any, name: str, folder: Path) -> Iterator[dict[str, Any]]:
    """A row an epoch, or one of what is counted."""
    import keras

    from pipelines import train
    from pipelines.task import Candidate, build
    from seqlayers.model import SequenceModel

    options = task.configuration.train
    keras.utils.set_random_seed(options.seed)
    model = SequenceModel.for_task(task.configuration.model, **task.model_arguments())
    build(model, task)
    rows: list[dict[str, Any]] = []
    spent, since = 0.0, time.process_time()

    def row(epoch: int) -> dict[str, Any]:
        model.settle(task.ordered("validation", options.batch_size))
        losses = [task.evaluate(part, [Candidate(name, "model", model)]).rows[0] for part in ("validation", "test")]
        task.__dict__.pop("evaluator")  # it keeps what a model said, and the model goes on
        return {
            "kind": name,
            "epoch": epoch,
            "cpu_seconds": spent,
            "loss_carried": losses[1]["loss"],
            "loss_64": losses[1]["loss_64"],
            "loss_256": losses[1]["loss_256"],
            "validation": losses[0]["loss"],
            "parameters": model.count_params(),
            "chosen": False,
        }

    task.adapt(model, options.batch_size)
    spent += time.process_time() - since
    if not model.needs_fit:
        rows.append(row(0))
    else:

        def progress(history: Any, loss: float, step: int, steps: int) -> None:
            nonlocal spent, since
            if step == steps and len(history.epoch) > len(rows):
                spent += time.process_time() - since
                rows.append(row(len(history.epoch)))
                since = time.process_time()

        since = time.process_time()
        checkpoint = folder / f"{len(list(folder.iterdir()))}.npz"
        train.fit(task.trained(model, options.batch_size), task, options, train.Checkpoint(checkpoint), progress)
    min(rows, key=lambda r: r["validation"])["chosen"] = True
    yield from rows


def picture(rows: list[dict[str, Any]], path: Path) -> None:
    """Loss against CPU seconds, a line a kind."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for name in dict.fromkeys(row["kind"] for row in rows):
        own = [row for row in rows if row["kind"] == name]
        axes.plot(
            [r["cpu_seconds"] for r in own], [r["loss_carried"] for r in own], marker="o", markersize=4, label=name
        )
    for name, seconds, loss in PUBLISHED:
        if seconds is None:
            axes.axhline(loss, color="0.6", linestyle=":", linewidth=1)
            axes.annotate(name, (0.01, loss), xycoords=("axes fraction", "data"), va="bottom", color="0.4", fontsize=8)
        else:
            axes.plot(seconds, loss, marker="x", color="0.3", linestyle="none", label=name)
    axes.set(xscale="log", xlabel="CPU seconds of fitting", ylabel="nats a character, state carried")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, loc="upper left")
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the text, one epoch")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--kinds", help="rows with commas between (default: all)")
    parser.add_argument("--picture", type=Path, help="draw the curves into this PNG file")
    arguments = parser.parse_args()
    names = arguments.kinds.split(",") if arguments.kinds else list(KINDS)
    if unknown := [name for name in names if name not in KINDS]:
        parser.error(f"no row {', '.join(unknown)}; there are {', '.join(KINDS)}")

    from rich.console import Console
    from rich.table import Table

    from data.errors import DataError

    console, rows = Console(), []
    try:
        for row in measure(names, lambda said: console.print(f"  {said}", style="dim", markup=False), arguments.quick):
            rows.append(row)
            console.print(
                f"  {row['kind']} {row['epoch']}: {row['loss_carried']:.4f}, {row['cpu_seconds']:.0f} s of CPU"
            )
    except DataError as error:
        parser.exit(2, f"{error}\n")
    table = Table(title="Tiny Shakespeare, last tenth, nats a character" + (" (--quick)" if arguments.quick else ""))
    table.add_column("kind")
    for head in ("epoch", "CPU s", "carried", "in 64", "in 256", "validation", "parameters"):
        table.add_column(head, justify="right")
    for row in rows:
        losses = [row[key] for key in ("loss_carried", "loss_64", "loss_256", "validation")]
        texts = ["–" if loss is None else f"{loss:.4f}" for loss in losses]
        mark = " ←" if row["chosen"] else ""
        table.add_row(
            row["kind"] + mark, str(row["epoch"]), f"{row['cpu_seconds']:.0f}", *texts, f"{row['parameters']:,}"
        )
    console.print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2))
    if arguments.picture:
        picture(rows, arguments.picture)


if __name__ == "__main__":
    main()
