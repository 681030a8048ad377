"""Records of classifiers that make difficult pages."""

from __future__ import annotations

import math
from typing import Any

from pipelines.report.classify.page import ENTRIES
from tests.pipelines.report.promises import EVIL
from tests.pipelines.text_records import BAYES, TAG, TOPICS, record

NAN = math.nan


def evil() -> dict[str, Any]:
    """A record in which every text that comes from outside is markup."""
    made = record(tested=200, classes=(EVIL, "b"), title=EVIL, verdict=EVIL, command=EVIL)
    made["source"].update(name=EVIL, note=EVIL, sha256=EVIL)
    made["texts"]["tokens"] = made["threshold"]["by"] = made["splits"][0]["part"] = EVIL
    made["metrics"][0]["name"] = made["best_naive"] = made["comparison"][0]["name"] = EVIL
    made["without_shared"]["accuracy"][EVIL] = 0.5
    made["roc"][EVIL] = made["precision_recall"][EVIL] = made["roc"][BAYES]
    text = f"good {EVIL} \x00 \ud800 \u202e good"
    made["mistakes"][0] |= {"text": text, "words": [{"word": w, "weight": 1.0} for w in (EVIL, "good", ".*", "(")]}
    made["repairs"] = [{"what": EVIL, "count": 3, "column": EVIL}]
    made["exports"] = [{"format": EVIL, "status": "failed", "note": EVIL, "path": EVIL}]
    return made


def difficult() -> dict[str, dict[str, Any]]:
    """Records that may break a page of a classifier."""
    worst = record(tested=300)
    worst["metrics"][-1].update(dict.fromkeys(("accuracy", "accuracy_low", "accuracy_high", "error", "log_loss"), NAN))
    worst["metrics"][-1].update(f1=NAN, auc=NAN, ece=NAN, skill=NAN)
    worst["comparison"][1].update(difference=NAN, low=NAN, high=NAN)
    for bins in (worst["reliability"]["before"], worst["reliability"]["after"]):
        for entry in bins:
            entry["accuracy"] = NAN
    for point in worst["threshold"]["curve"]:
        point.update(accuracy=NAN, precision=NAN)
    worst["roc"][TAG] = {"points": [[0.0, NAN], [NAN, 1.0]], "area": NAN}
    long = record(tested=300)
    long["mistakes"][0]["text"] = "x" * 200_000
    long["mistakes"][1] |= {"text": "word good " * 100_000, "words": [{"word": "good", "weight": 1.0}]}
    names = tuple(f"class {i:02} with a name that is long" for i in range(77))
    single = record(tested=40)
    single["reliability"] |= {"before": [], "after": [{"confidence": 1.0, "accuracy": 1.0, "count": 40}]}
    single["mistakes"] = []
    return {
        "reviews": record(tested=2_000),
        "a sample": record(tested=240, sample=True, groups=False),
        "five classes": record(tested=2_000, classes=TOPICS, groups=False),
        "seventy-seven classes": record(tested=5_000, classes=names),
        "markup everywhere": evil(),
        "nothing finite": worst,
        "texts of 200,000 signs": long,
        "one bin and no mistake": single,
        "the baseline is exported": record(tested=400, chosen={"name": BAYES, "role": "baseline"}),
        "entries that are null": record(tested=100) | dict.fromkeys(ENTRIES),
        "nothing but a title": {"title": "Sentiment", "task": "sentiment", "family": "classify"},
    }
