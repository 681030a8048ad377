"""A batch-1 SavedModel → LiteRT files of builtin ops: `converter.py SAVED_MODEL float32=OUT.tflite int8=OUT.tflite`.

Runs as a script in a process of its own, because the converter can take its process down with it. It prints one line
of JSON: for each kind of number null when its file is written, or else the reason why it is not.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path


def convert(saved_model: str, numbers: str) -> bytes:
    """All signatures of a SavedModel in one file.

    `int8` keeps the weights in eight bits and computes in both (dynamic range); nothing is calibrated.
    """
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(saved_model)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if numbers == "int8":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return converter.convert()


def reason(error: Exception) -> str:
    """The converter's pages of graph, in one line."""
    text = str(error).strip()
    beyond = re.search(r"(?:TF Select|Custom) ops: (.+)", text)
    if beyond:
        return f"no LiteRT builtin for {beyond[1].strip()}"
    return f"{type(error).__name__}: {text.splitlines()[0][:300] if text else 'no message'}"


def main(source: str, *wanted: str) -> dict[str, str | None]:
    answer: dict[str, str | None] = {}
    for numbers, out in (w.split("=", 1) for w in wanted):
        try:
            Path(out).write_bytes(convert(source, numbers))
            answer[numbers] = None
        except Exception as error:
            answer[numbers] = reason(error)
    return answer


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
