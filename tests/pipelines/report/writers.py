"""Records of generators that make difficult pages."""

from __future__ import annotations

import math
from typing import Any

from pipelines.report.generate.page import ENTRIES
from tests.pipelines.generate_records import NGRAM, TAG, UNIGRAM, chorale, music, text
from tests.pipelines.report.promises import EVIL

NAN = math.nan


def evil() -> dict[str, Any]:
    """A record in which every text that comes from outside is markup."""
    made = text(title=EVIL, verdict=EVIL, command=EVIL)
    made["source"].update(name=EVIL, note=EVIL, sha256=EVIL)
    made["corpus"].update(tokens=EVIL, batching=EVIL)
    made["splits"][0]["part"] = made["metrics"][0]["name"] = made["best_naive"] = made["comparison"][0]["name"] = EVIL
    made["by_position"]["curves"][EVIL] = made["by_position"]["curves"][NGRAM]
    made["samples"] = [{"prompt": EVIL, "text": f"{EVIL} \x00 \ud800 \u202e", "settings": {EVIL: EVIL}}]
    made["exports"] = [{"format": EVIL, "status": "failed", "note": EVIL, "path": EVIL}]
    return made


def evil_music() -> dict[str, Any]:
    """The same of music: names of pieces, and of the files beside the page."""
    made = music()
    made["samples"][0].update(name=EVIL, midi="javascript:alert(1)", wav="//example.org/a.wav")
    made["samples"][1].update(name="\ud800", midi=f"{EVIL}.mid")
    return made


def difficult() -> dict[str, dict[str, Any]]:
    """Records that may break a page of a generator."""
    worst = text(status="failed")
    lost = ("loss", "loss_64", "loss_256", "perplexity", "bits", "top_1", "top_5", "error", "skill")
    worst["metrics"][-1].update(dict.fromkeys(lost, NAN))
    worst["comparison"][1].update(difference=NAN, low=NAN, high=NAN)
    worst["by_position"]["curves"][TAG] = [NAN] * 9
    worst["curves"].update(loss=[NAN] * 12, validation_loss=[NAN] * 12, best_epoch=-1)
    long = text()
    long["samples"] = [{"prompt": "x" * 5_000, "text": "word " * 100_000, "settings": {}}] * 9
    odd = music()
    odd["samples"] = [
        chorale("very long", 400),
        chorale("empty", 0) | {"facts": None},
        chorale("one note", 0) | {"notes": [[127, 0, 1, 0]], "tempo": 0},
        chorale("all pitches", 0) | {"notes": [[p, p, 3, p % 7] for p in range(128)], "frames_a_quarter": 12},
    ]
    odd["voice_leading"]["test"] |= {"frames": 0}
    lone = text(by_position={"positions": [1], "curves": {TAG: [3.1], UNIGRAM: [3.3]}}, samples=[])
    lone["metrics"] = lone["metrics"][-1:]
    return {
        "a text": text(),
        "music": music(),
        "a sample of each": text(sample=True),
        "words": text(unit="word"),
        "events": music(representation="tokens", unit="event", corpus={"tokens": "events", "vocabulary": 211}),
        "markup everywhere": evil(),
        "markup in music": evil_music(),
        "nothing finite": worst,
        "long texts": long,
        "odd pieces": odd,
        "one candidate, one place": lone,
        "the counts are exported": text(chosen={"name": NGRAM, "role": "baseline"}),
        "entries that are null": text() | dict.fromkeys(ENTRIES),
        "nothing but a title": {"title": "Text", "task": "text", "family": "generate"},
    }
