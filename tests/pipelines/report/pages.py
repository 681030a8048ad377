"""Pages as a reader's programme sees them, and the records that make difficult ones."""

from __future__ import annotations

import html.parser
import math
import re
from typing import Any

from pipelines.report.page import render
from tests.pipelines.records import TAG, record
from tests.pipelines.report.backtests import backtest

NAN = math.nan
ODD = 'T <b>&amp; 100% "näh" 温度 \' (°C)'
VOID = {"meta", "br", "wbr", "path", "rect", "circle", "link", "img", "hr"}


class Page(html.parser.HTMLParser):
    """The page as a reader's programme sees it: tags in pairs, attributes, and the text alone."""

    def __init__(self, source: str):
        super().__init__(convert_charrefs=True)
        self.source, self.open, self.tags, self.words = source, [], [], []
        self.feed(source)
        self.close()
        assert not self.open, f"left open: {self.open}"
        self.text = re.sub(r"\s+", " ", "".join(self.words))

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]

    def section(self, name: str) -> str:
        """The source of one section."""
        found = re.search(rf'<section id="{name}".*?</section>', self.source, re.S)
        assert found, f"no section {name}"
        return found[0]


def page(**changes: Any) -> Page:
    return Page(render(record(**changes)))


def words(source: str) -> str:
    return Page(f"<div>{source}</div>").text


def difficult() -> dict[str, dict[str, Any]]:
    """Records that have broken reports before they were ever written."""
    worst = record(targets=(ODD + "x" * 150,), status="failed")
    worst["metrics"][-1].update(mae=NAN, rmse=NAN, mase=NAN, skill=NAN, pinball=NAN, coverage_80=NAN)
    worst["windows"][0].update(forecast=[NAN] * 24, ridge=[NAN] * 24)
    worst["by_step"]["mae"][TAG] = [NAN] * 24
    worst["windows"][0]["quantiles"] = {level: [NAN] * 24 for level in worst["windows"][0]["quantiles"]}
    worst["intervals"]["coverage"]["0.8"] = worst["intervals"]["width"]["0.8"] = [NAN] * 24
    worst["curves"].update(loss=[NAN] * 14, validation_loss=[NAN] * 14, best_epoch=-1)
    no_dates = record()
    for window in no_dates["windows"]:
        window["times"] = [f"week {i}" for i in range(len(window["times"]))]
    crowd = record(targets=("a (m)", "b (m)"))
    for i in range(9):
        crowd["metrics"].insert(0, crowd["metrics"][0] | {"name": f"a simple forecast {i} of a very long name"})
        rows = [{"target": t, "name": f"simple_{i}" * 4, "role": "baseline", "mae": 2.5} for t in ("a (m)", "b (m)")]
        crowd["per_target"] = rows + crowd["per_target"]
        crowd["by_step"]["mae"][f"a simple forecast {i} of a very long name"] = [2.0 + i / 10] * 24
    levels = record()
    for window in levels["windows"]:
        made = window["forecast"]
        window["quantiles"] = {f"{q / 20:g}": [y + q / 10 - 1 for y in made] for q in range(1, 20)} | {"0.999": made}
    levels["intervals"] |= {"uncalibrated": levels["intervals"]["coverage"], "windows": 12}
    empty_part = record()
    empty_part["splits"][1].update(start=None, end=None, rows=0, windows=0)
    return {
        "one step, no ridge": record(horizon=1, ridge=False),
        "no past": record(windows=[w | {"past": [], "past_times": []} for w in record()["windows"]]),
        "twenty-one targets": record(targets=tuple(f"target {i} (m/s)" for i in range(21)), horizon=96),
        "a long horizon": record(horizon=720, look_back=720),
        "branches and quantiles": record(branches=True, sample=False),
        "one epoch": record(epochs=1),
        "nothing finite": worst,
        "steps instead of times": no_dates,
        "many baselines of long names": crowd,
        "an empty part": empty_part,
        "twenty levels, one without a partner": levels,
        "no bands": record(bands=False),
        "the ridge is exported": record(chosen={"name": "ridge", "role": "baseline"}),
        "nothing but a title": {"title": "Forecast", "task": "forecast"},
    }


def difficult_backtests() -> dict[str, dict[str, Any]]:
    """The same of backtests."""
    worst = backtest(count=3, targets=(ODD + "x" * 150,), status="failed")
    for row in (worst["summary"][-1], worst["folds"][1]["metrics"][-1]):
        row.update(mae=NAN, rmse=NAN, mase=NAN, skill=NAN, pinball=NAN)
    worst["folds"][1]["by_step"]["mae"][TAG] = [NAN] * 24
    worst["folds"][2]["intervals"]["coverage"]["0.95"] = [NAN] * 24
    bare = backtest(count=2, bands=False, embargo="0")
    for fold in bare["folds"]:
        fold.update(splits=[], checks=[], by_step=None, seconds=None)
    return {
        "five folds": backtest(),
        "twelve sliding folds": backtest(count=12, window="sliding", embargo="144", sample=False),
        "twenty-one targets": backtest(targets=tuple(f"target {i} (m/s)" for i in range(21)), horizon=96),
        "one step": backtest(horizon=1, ridge=False),
        "nothing finite": worst,
        "folds without dates": bare,
    }
