"""What an exported classifier says of texts: a SavedModel, or a LiteRT file and the tokenizer's NumPy form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from data.errors import DataError
from data.source import read_table
from data.text_columns import find_text, texts_of
from data.text_options import TextOptions
from data.transforms.text import TextTransform
from pipelines.export import load
from pipelines.predict.output import write

if TYPE_CHECKING:
    import pandas as pd

#: Texts a call, and answers that the screen shows.
BATCH, SHOWN = 64, 20
#: Characters of a text that the screen shows.
WIDTH = 60


@dataclass(frozen=True)
class Labels:
    """Classes of texts, and where they were written.

    Attributes:
        table: a line a text: `text`, `label`, `score`, and `p(class)` for each class.
        model: the exported file that gave them.
        output: the CSV, where one was asked for.
        sample: whether the model was trained on the built-in sample.
    """

    table: pd.DataFrame
    model: Path
    output: Path | None
    sample: bool

    def lines(self) -> list[str]:
        """What the screen shows."""
        found = [
            f"{label} ({score:.1%})  {_short(text)}"
            for text, label, score in self.table[["text", "label", "score"]].head(SHOWN).itertuples(index=False)
        ]
        if len(self.table) > SHOWN:
            found.append(f"and {len(self.table) - SHOWN:,} more")
        if self.sample:
            found.append("The model was trained on the built-in SAMPLE, not on real texts")
        return found + ([f"Table  {self.output}"] if self.output else [])

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints."""
        rows = self.table.head(SHOWN).drop(columns="text").to_dict("records")
        return {
            "model": str(self.model),
            "sample": self.sample,
            "rows": len(self.table),
            "labels": rows,
            "output": str(self.output) if self.output else None,
        }


def classify(model: Path, given: Path | Sequence[str], *, output: Path | None = None) -> Labels:
    """The classes of texts.

    Args:
        model: a run's folder, its exports folder, a SavedModel folder, or a .tflite file.
        given: the texts, or a file that has them in a column named as in training.
        output: where the table goes as CSV; None for nowhere.

    Raises:
        DataError: the model or the texts cannot be used.
        PredictError: the file cannot be written.
    """
    import pandas as pd

    exported = load.find(Path(model))
    contract = exported.contract
    texts = _read(given, TextOptions(**contract["options"])) if isinstance(given, Path) else list(given)
    if not texts:
        raise DataError(f"{given}: there is no text in it.")
    probabilities = _probabilities(exported, texts)
    classes, threshold = contract["classes"], contract["threshold"]
    best = probabilities.argmax(1) if threshold is None else (probabilities[:, 1] >= threshold).astype(int)
    table = pd.DataFrame(
        {
            "text": texts,
            "label": [classes[i] for i in best],
            "score": probabilities[np.arange(len(texts)), best],
            **{f"p({name})": probabilities[:, i] for i, name in enumerate(classes)},
        }
    )
    if output is not None:
        write(Path(output), lambda path: table.to_csv(path, index=False, float_format="%.6g"))
    return Labels(table, exported.path, output, bool(contract.get("sample")))


def _read(path: Path, options: TextOptions) -> list[str]:
    frame = read_table(path, texts=True)
    try:
        column = find_text(frame, options)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    return list(texts_of(frame, column, []))


def _probabilities(exported: load.Exported, texts: list[str]) -> np.ndarray:
    """(texts, classes), short texts together so that little is padded."""
    run, contract = exported.open(), exported.contract
    order = np.argsort([len(text) for text in texts], kind="stable")
    found = np.zeros((len(texts), len(contract["classes"])), "float32")
    transform = TextTransform.from_json(contract["transform"])
    for i in range(0, len(texts), BATCH):
        rows = order[i : i + BATCH]
        some = [texts[row] for row in rows]
        if exported.is_litert:
            inputs = {"ids": _padded(transform.ids_numpy(some), contract["device_length"])}
        else:
            inputs = {"text": np.array([text.encode("utf-8", "replace") for text in some], object)}
        found[rows] = run(inputs)["probabilities"]
    return found


def _padded(ids: list[np.ndarray], length: int) -> np.ndarray:
    padded = np.zeros((len(ids), length), "int32")
    for row, tokens in zip(padded, ids, strict=True):
        row[: min(length, len(tokens))] = tokens[:length]
    return padded


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= WIDTH else plain[: WIDTH - 1] + "…"
