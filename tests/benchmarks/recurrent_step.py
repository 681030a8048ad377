"""What a training step of each encoder costs, and how that grows with the length of the sequence.

    python -m tests.benchmarks.recurrent_step [--quick] [--json FILE] [--kinds gru,gated_linear] [--lengths 64,512]

A step is forward, backward and an SGD update on sequences (32, length, 128), encoders of 128 units. Ours and the Keras
layer of the same name each count at their better setting of `jit_compile`; torch's layer stands beside them where torch
is installed. What is compared takes turns, round by round, and the best round counts, so that a busy machine slows all
alike. XLA's backward pass of a loop grows with the square of the length: once it takes half as long again as the plain
step at one length, it is not tried at longer ones. Freed memory stays with the process, as in a run of `seqlayers`
(`pipelines/allocator.py`; --give-back for what the C library does by itself).
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

BATCH, UNITS = 32, 128
LENGTHS = (64, 128, 256, 512, 1024, 2048, 4096)

#: Kind → what of its configuration is not its default.
KINDS: dict[str, dict[str, Any]] = {
    "simple_rnn": {"units": UNITS},
    "lstm": {"units": UNITS},
    "gru": {"units": UNITS},
    "bidirectional": {"layer": {"kind": "gru", "units": UNITS}},
    "min_gru": {"units": UNITS},
    "min_lstm": {"units": UNITS},
    "gated_linear": {"units": UNITS},
    "segment_gru": {"units": UNITS, "segment": 16},
    "convolution": {"units": UNITS},
    "temporal_convolution": {"units": UNITS},
    "attention": {"units": UNITS, "window": 64},
    "transformer": {"units": UNITS, "feed_forward": 2 * UNITS},
}

#: Kind → the longest it is tried at, where it makes a number for each pair of steps.
LONGEST = {"attention": 1024, "transformer": 1024}

Step = Callable[[], Any]


def of_keras(kind: str) -> Any:
    """The Keras layer of the same name, or None."""
    from keras import layers

    if kind == "bidirectional":
        return layers.Bidirectional(layers.GRU(UNITS, return_sequences=True))
    found = {"simple_rnn": layers.SimpleRNN, "lstm": layers.LSTM, "gru": layers.GRU}.get(kind)
    return found and found(UNITS, return_sequences=True)


def keras_step(layer: Any, length: int, jit: bool) -> Step:
    """One training step of a Keras layer."""
    import tensorflow as tf

    x = tf.random.stateless_normal((BATCH, length, UNITS), (0, 0))
    layer(x[:, :32])
    weights = [w.value for w in layer.trainable_weights]

    @tf.function(jit_compile=jit)
    def step(x: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(layer(x, training=True)))
        for weight, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
            weight.assign_sub(0.01 * gradient)
        return loss

    return lambda: step(x).numpy()


def torch_step(kind: str, length: int) -> Step | None:
    """One training step of torch's layer of the same name; None without torch, or without such a layer."""
    try:
        import torch
    except ImportError:
        return None
    names = {"simple_rnn": "RNN", "lstm": "LSTM", "gru": "GRU", "bidirectional": "GRU"}
    if kind not in names:
        return None
    layer = getattr(torch.nn, names[kind])(UNITS, UNITS, batch_first=True, bidirectional=kind == "bidirectional")
    optimizer, x = torch.optim.SGD(layer.parameters(), 0.01), torch.randn(BATCH, length, UNITS)

    def step() -> float:
        optimizer.zero_grad()
        loss = layer(x)[0].square().mean()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def best_of(steps: dict[str, Step], seconds: float) -> dict[str, float]:
    """Milliseconds of each step's best round; they take turns until the seconds are over, three rounds at least."""
    for step in steps.values():
        step()
    best, start, rounds = dict.fromkeys(steps, float("inf")), time.perf_counter(), 0
    while rounds < 3 or time.perf_counter() - start < seconds:
        for name, step in steps.items():
            began = time.perf_counter()
            step()
            best[name] = min(best[name], 1e3 * (time.perf_counter() - began))
        rounds += 1
    return best


def measure(kinds: Iterable[str], lengths: Iterable[int], seconds: float, tell: Callable[[dict], None]) -> list[dict]:
    """Rows of kind, length, ms, jit, keras_ms, keras_jit, torch_ms and growth: ms by that of half the length."""
    from seqlayers import slots

    rows = []
    for kind in kinds:
        jits, before = [False, True], None
        for length in sorted(n for n in lengths if n <= LONGEST.get(kind, n)):
            steps: dict[str, Step] = {}
            for jit in jits:
                layer = slots.build("encoder", {"kind": kind, **KINDS[kind]})
                steps[f"ours {jit}"] = keras_step(layer, length, jit)
                theirs = of_keras(kind)
                if theirs is not None:
                    steps[f"keras {jit}"] = keras_step(theirs, length, jit)
            torch = torch_step(kind, length)
            best = best_of(steps | ({"torch": torch} if torch else {}), seconds)
            ours, theirs = ({j: best[f"{of} {j}"] for j in jits if f"{of} {j}" in best} for of in ("ours", "keras"))
            if ours.get(True, 0.0) > 1.5 * ours[False]:
                jits = [False]
            row = {
                "kind": kind,
                "length": length,
                "ms": min(ours.values()),
                "jit": min(ours, key=ours.__getitem__),
                "keras_ms": min(theirs.values()) if theirs else None,
                "keras_jit": min(theirs, key=theirs.__getitem__) if theirs else None,
                "torch_ms": best.get("torch"),
                "growth": None if before is None else min(ours.values()) / before["ms"],
            }
            tell(row)
            rows.append(row)
            before = row
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="64 and 512 steps, three rounds")
    parser.add_argument("--kinds", default=",".join(KINDS), help="with commas between (default: all)")
    parser.add_argument("--lengths", help="with commas between (default: 64 to 4096)")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--give-back", action="store_true", help="leave the C library's allocator as it is")
    arguments = parser.parse_args()
    kinds = arguments.kinds.split(",")
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        parser.error(f"no kind {', '.join(unknown)}; there are {', '.join(KINDS)}")
    lengths = [int(n) for n in arguments.lengths.split(",")] if arguments.lengths else LENGTHS
    if arguments.quick and not arguments.lengths:
        lengths = (64, 512)

    from rich.console import Console
    from rich.table import Table

    from pipelines.allocator import keep_pages

    console = Console()
    console.width = max(console.width, 100)
    if not arguments.give_back and not keep_pages():
        console.print("Freed memory cannot be kept here: other than glibc.", style="dim")

    def tell(row: dict[str, Any]) -> None:
        console.print(f"  {row['kind']} {row['length']}: {row['ms']:.1f} ms", style="dim")

    rows = measure(kinds, lengths, 0.0 if arguments.quick else 2.0, tell)
    of = {(row["kind"], row["length"]): row for row in rows}
    cost = Table(title=f"Milliseconds a training step, batches of {BATCH} × {UNITS} units (x: compiled by XLA)")
    beside = Table(title="Beside the Keras layer of the same name: time of ours / theirs")
    for table in (cost, beside):
        table.add_column("kind", no_wrap=True)
        for length in sorted(lengths):
            table.add_column(str(length), justify="right", no_wrap=True)
    cost.add_column("last doubling", justify="right")
    for kind in kinds:
        found = [of[kind, length] for length in sorted(lengths) if (kind, length) in of]
        times = [f"{row['ms']:.1f}{' x' if row['jit'] else ''}" for row in found]
        doublings = [r["growth"] for r, p in zip(found[1:], found, strict=False) if r["length"] == 2 * p["length"]]
        blank = [""] * (len(lengths) - len(times))
        cost.add_row(kind, *times, *blank, f"{doublings[-1]:.1f} ×" if doublings else "")
        if found and found[0]["keras_ms"] is not None:
            beside.add_row(kind, *(f"{row['ms'] / row['keras_ms']:.2f}" for row in found))
    console.print(cost)
    console.print(beside)
    if any(row["torch_ms"] is None for row in rows if row["keras_ms"] is not None):
        console.print("torch is not installed: nothing of it beside.", style="dim")
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
