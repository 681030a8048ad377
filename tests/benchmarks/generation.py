"""Tokens a second by the streaming step, beside reading the whole context anew for each token.

    python -m tests.benchmarks.generation [--quick] [--json FILE] [--kinds gru,transformer]

Both begin after a prompt of 256 tokens and draw 256 more, of one text, in compiled functions, from models as they
start: the stream through `initial_state` and `step`, the other by a call on all tokens so far, kept at 256 at most.
The median of rounds that alternate. --quick draws 32.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

VOCABULARY, UNITS, CONTEXT = 67, 256, 256
#: Row → encoders.
KINDS: dict[str, list[dict[str, Any]]] = {
    "simple_rnn": [{"kind": "simple_rnn", "units": UNITS}],
    "lstm": [{"kind": "lstm", "units": UNITS}],
    "gru": [{"kind": "gru", "units": UNITS}],
    "min_gru": [{"kind": "min_gru", "units": UNITS}],
    "min_lstm": [{"kind": "min_lstm", "units": UNITS}],
    "gated_linear": [{"kind": "gated_linear", "units": UNITS}],
    "temporal_convolution": [{"kind": "temporal_convolution", "units": UNITS}],
    "attention": [{"kind": "attention", "units": UNITS, "window": CONTEXT}] * 2,
    "transformer": [{"kind": "transformer", "units": UNITS, "feed_forward": 4 * UNITS, "window": CONTEXT}] * 2,
}


def measure(name: str, tokens: int, rounds: int) -> dict[str, Any]:
    """One row."""
    import keras
    import numpy as np
    import tensorflow as tf

    from seqlayers.generation import TokenChoice, generate, read
    from seqlayers.model import SequenceModel
    from seqlayers.sampling import Sampling

    keras.utils.set_random_seed(0)
    attends = name in ("attention", "transformer")
    model = SequenceModel(
        embedding={"kind": "token", "vocabulary": VOCABULARY, "units": UNITS},
        **({"position": {"kind": "rotary"}} if attends else {}),
        encoder=KINDS[name],
        head={"kind": "tokens", "vocabulary": VOCABULARY},
    )
    prompt = tf.constant(np.random.default_rng(0).integers(2, VOCABULARY, (1, CONTEXT)), tf.int32)
    model(prompt)
    choice = TokenChoice(model.head, Sampling(), [0])

    @tf.function(autograph=False)
    def begin() -> Any:
        output, state, _ = read(model.step, model.initial_state(1), prompt)
        return output, state

    @tf.function(autograph=False)
    def stream(output: Any, state: Any) -> Any:
        return generate(model.step, output, state, tokens, choice)

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([1, CONTEXT], tf.int32), tf.TensorSpec([], tf.int32)])
    def again(ids: Any, t: Any) -> Any:
        token = choice(model(ids, training=False)[:, -1], t)
        return tf.concat([ids[:, 1:], token[:, None]], 1)

    output, state = begin()

    def streaming() -> float:
        start = time.perf_counter()
        stream(output, state).numpy()
        return tokens / (time.perf_counter() - start)

    def recomputing() -> float:
        ids, start = prompt, time.perf_counter()
        for t in range(tokens):
            ids = again(ids, tf.constant(t))
        ids.numpy()
        return tokens / (time.perf_counter() - start)

    streaming(), recomputing()
    found = [(streaming(), recomputing()) for _ in range(rounds)]
    fast, slow = (float(np.median(column)) for column in zip(*found, strict=True))
    return {
        "kind": name,
        "tokens": tokens,
        "stream_tokens_per_second": fast,
        "recompute_tokens_per_second": slow,
        "ratio": fast / slow,
    }


def rows_of(names: list[str], quick: bool) -> Iterator[dict[str, Any]]:
    for name in names:
        yield measure(name, 32 if quick else 256, 1 if quick else 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="32 tokens, one round")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--kinds", help="rows with commas between (default: all)")
    arguments = parser.parse_args()
    names = arguments.kinds.split(",") if arguments.kinds else list(KINDS)
    if unknown := [name for name in names if name not in KINDS]:
        parser.error(f"no row {', '.join(unknown)}; there are {', '.join(KINDS)}")

    from rich.console import Console
    from rich.table import Table

    console, rows = Console(), []
    for row in rows_of(names, arguments.quick):
        rows.append(row)
        console.print(f"  {row['kind']}: {row['ratio']:.0f} times", style="dim")
    table = Table(title=f"Tokens a second after {CONTEXT} tokens, one text")
    table.add_column("kind")
    for head in ("stream", "recompute", "ratio"):
        table.add_column(head, justify="right")
    for row in rows:
        fast, slow = (f"{row[f'{way}_tokens_per_second']:,.0f}" for way in ("stream", "recompute"))
        table.add_row(row["kind"], fast, slow, f"{row['ratio']:.1f}")
    console.print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
