"""What an exported classifier says of texts: a SavedModel, or a LiteRT file and the tokenizer's NumPy form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from data.columns import Repair
from data.errors import DataError
from data.source import read_table
from data.text_columns import find_text, texts_of
from data.text_options import TextOptions
from data.transforms.text import TextTransform, padded
from pipelines.export import load
from pipelines.predict.output import write
from pipelines.tasks.calibration import Calibration

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
        notes: what was put right or cut in the texts.
        sample: whether the model was trained on the built-in sample.
    """

    table: pd.DataFrame
    model: Path
    output: Path | None
    notes: tuple[str, ...]
    sample: bool

    def _shown(self) -> pd.DataFrame:
        """All that stands nowhere else; of a table that is written the first."""
        return self.table if self.output is None else self.table.head(SHOWN)

    def lines(self) -> list[str]:
        """What the screen shows."""
        found = [
            f"{label} ({score:.1%})  {_short(text)}"
            for text, label, score in self._shown()[["text", "label", "score"]].itertuples(index=False)
        ]
        if more := len(self.table) - len(found):
            found.append(f"and {more:,} more")
        found += list(self.notes)
        if self.sample:
            found.append("The model was trained on the built-in SAMPLE, not on real texts")
        return found + ([f"Table  {self.output}"] if self.output else [])

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints."""
        rows = self._shown().drop(columns="text").to_dict("records")
        return {
            "model": str(self.model),
            "sample": self.sample,
            "rows": len(self.table),
            "labels": rows,
            "output": str(self.output) if self.output else None,
            "notes": list(self.notes),
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
    texts, notes = _read(given, TextOptions(**contract["options"]))
    probabilities = _probabilities(exported, texts, notes)
    classes = contract["classes"]
    best = Calibration(threshold=contract["threshold"]).decide(probabilities)
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
    return Labels(table, exported.path, output, tuple(notes), bool(contract.get("sample")))


def _read(given: Path | Sequence[str], options: TextOptions) -> tuple[list[str], list[str]]:
    """The texts, and what was put right in them."""
    import pandas as pd

    if not isinstance(given, Path):
        frame, column = pd.DataFrame({"text": list(given)}), "text"
    else:
        frame = read_table(given, texts=True)
        try:
            column = find_text(frame, options)
        except DataError as error:
            raise DataError(f"{given}: {error}") from None
    repairs: list[Repair] = []
    texts = list(texts_of(frame, column, repairs))
    return texts, [*frame.attrs.get("notes", []), *map(str, repairs)]


def _probabilities(exported: load.Exported, texts: list[str], notes: list[str]) -> np.ndarray:
    """(texts, classes), short texts together so that little is padded."""
    run, contract = exported.open(), exported.contract
    order = np.argsort([len(text) for text in texts], kind="stable")
    found = np.zeros((len(texts), len(contract["classes"])), "float32")
    length = contract["device_length"]
    transform = replace(TextTransform.from_json(contract["transform"]), longest=length)
    if exported.is_litert and (cut := sum(transform.length(text) > length for text in texts)):
        notes.append(f"{cut:,} of {len(texts):,} texts are longer than the {length} tokens that this file reads: cut")
    for i in range(0, len(texts), BATCH):
        rows = order[i : i + BATCH]
        some = [texts[row] for row in rows]
        if exported.is_litert:
            inputs = {"ids": padded(transform.ids_numpy(some), length)}
        else:
            inputs = {"text": np.array([text.encode() for text in some], object)}
        found[rows] = run(inputs)["probabilities"]
    return found


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= WIDTH else plain[: WIDTH - 1] + "…"
