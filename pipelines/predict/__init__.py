"""`seqlayers predict`: what an exported model says of recent readings, of texts, or of what comes after them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from data import durations
from data.errors import DataError
from data.source import read_table
from pipelines.export import load
from pipelines.predict.output import PredictError, write
from pipelines.predict.picture import draw
from pipelines.predict.recent import Recent, read_recent

if TYPE_CHECKING:
    import pandas as pd

#: How much of the past a picture shows, in horizons.
PAST_SHOWN = 3


@dataclass(frozen=True)
class Prediction:
    """A forecast, and where it was written.

    Attributes:
        table: a line a time: `time`, a column a target, and `target q0.1`, … for quantiles; the series' id stands
            first for a panel.
        model: the exported file that made it.
        output, picture: the CSV and the PNG, where they were asked for.
        notes: what was put right in the readings.
        sample: whether the model was trained on the built-in sample.
    """

    table: pd.DataFrame
    model: Path
    output: Path | None
    picture: Path | None
    notes: tuple[str, ...]
    sample: bool

    def lines(self) -> list[str]:
        """What the screen shows."""
        times = self.table["time"]
        each = f" for each of {len(times) // times.nunique()} series" if len(times) > times.nunique() else ""
        found = [f"{times.nunique():,} steps from {times.iloc[0]} to {times.iloc[-1]}{each}, by {self.model.name}"]
        found += list(self.notes)
        if self.sample:
            found.append("The model was trained on the built-in SAMPLE, not on real readings")
        found += [f"{what}  {path}" for what, path in (("Table", self.output), ("Picture", self.picture)) if path]
        return found

    def to_json(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "model": str(self.model),
            "sample": self.sample,
            "rows": len(self.table),
            "start": self.table["time"].iloc[0],
            "end": self.table["time"].iloc[-1],
            "output": str(self.output) if self.output else None,
            "picture": str(self.picture) if self.picture else None,
            "notes": list(self.notes),
        }


def answer(
    model: Path,
    *,
    input: Path | None,
    texts: Sequence[str] | None = None,
    output: Path | None = None,
    picture: Path | None = None,
) -> Any:
    """What `seqlayers predict` was asked: a `Prediction`, `pipelines.predict.texts.Labels` by a classifier, or
    `pipelines.predict.words.NextWords` by a model of a language.

    Raises:
        PredictError: the options do not suit the model.
    """
    family = load.find(Path(model)).contract.get("family")
    if family == "classify":
        from pipelines.predict.texts import classify

        if picture is not None:
            raise PredictError("--picture: a classifier's answers have none.")
        if bool(texts) == (input is not None):
            raise PredictError("A classifier takes --text (repeatable), or --input with a file of texts.")
        if input is None:
            return classify(model, texts or (), output=output)
        return classify(model, input, output=output or Path("labels.csv"))
    if family == "generate":
        from pipelines.predict.words import next_words

        for name, value in (("--input", input), ("--picture", picture)):
            if value is not None:
                raise PredictError(f"{name}: a model that generates takes --text, and gives the next word.")
        if not texts:
            raise PredictError("--text is missing: a text whose next word is asked for. Or use seqlayers generate.")
        return next_words(model, texts, output=output)
    if texts:
        raise PredictError("--text: this model forecasts. Give it --input with recent readings.")
    if input is None:
        raise PredictError("--input is missing: a file of recent readings.")
    table = output or Path("forecast.csv")
    return predict(model, input, output=table, picture=picture or table.with_suffix(".png"))


def predict(model: Path, input: Path, *, output: Path | None = None, picture: Path | None = None) -> Prediction:
    """Forecast what follows the readings in `input`.

    Args:
        model: a run's folder, its exports folder, a SavedModel folder, or a .tflite file.
        input: a table with the columns that the model was trained on, at least as many rows as it looks back.
            Columns that are known ahead need their rows over the horizon too, with the targets left empty.
        output: where the forecast goes as CSV; None for nowhere.
        picture: where its picture goes as PNG; None for nowhere.

    Raises:
        DataError: the model or the readings cannot be used.
        PredictError: the model is no forecaster, or a file cannot be written.
    """
    exported = load.find(Path(model))
    contract = exported.contract
    if contract.get("family") != "forecast":
        raise PredictError(f"{exported.path} is no forecaster (its family is {contract.get('family')!r}).")
    try:
        recent = read_recent(read_table(Path(input)), contract)
    except DataError as error:
        raise DataError(f"{input}: {error}" if str(input) not in str(error) else str(error)) from None
    outputs = exported.open()(recent.inputs)
    table = _table(recent, outputs, contract)
    if output is not None:
        write(Path(output), lambda path: table.to_csv(path, index=False, float_format="%.7g"))
    if picture is not None:
        panels = _panels(recent, outputs, contract)
        title = f"{contract['task']}: the next {durations.text(contract['horizon'] * contract['step_seconds'])}"
        write(Path(picture), lambda path: draw(path, panels, contract["quantiles"], title))
    sample = bool(contract.get("sample"))
    return Prediction(table, exported.path, output, picture, recent.notes, sample)


def _table(recent: Recent, outputs: Mapping[str, np.ndarray], contract: Mapping[str, Any]) -> pd.DataFrame:
    import pandas as pd

    blocks = []
    for i, name in enumerate(recent.names):
        block: dict[str, Any] = {}
        if contract["options"].get("id") is not None:
            block[contract["options"]["id"]] = name
        block["time"] = np.char.replace(recent.forecast_times[i].astype("datetime64[s]").astype(str), "T", " ")
        for t, target in enumerate(contract["targets"]):
            block[target] = outputs["forecast"][i, :, t]
            for q, level in enumerate(contract["quantiles"]):
                block[f"{target} q{level:g}"] = outputs["quantiles"][i, :, t, q]
        blocks.append(pd.DataFrame(block))
    return pd.concat(blocks, ignore_index=True)


def _panels(recent: Recent, outputs: Mapping[str, np.ndarray], contract: Mapping[str, Any]) -> list[tuple]:
    """A panel a series and target: see `pipelines.predict.picture.draw`."""
    shown = slice(-min(contract["look_back"], max(PAST_SHOWN * contract["horizon"], 12)), None)
    panels = []
    for i, name in enumerate(recent.names):
        for t, target in enumerate(contract["targets"]):
            label = target if contract["options"].get("id") is None else f"{name}: {target}"
            bands = outputs["quantiles"][i, :, t] if contract["quantiles"] else None
            past_times, past = recent.inputs["times"][i, shown], recent.inputs["readings"][i, shown, t]
            panels.append((label, past_times, past, recent.forecast_times[i], outputs["forecast"][i, :, t], bands))
    return panels
