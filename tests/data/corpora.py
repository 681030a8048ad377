"""Small made texts for the tests of the data room."""

from __future__ import annotations

import numpy as np

from data.corpus import CorpusData
from data.corpus_options import CorpusOptions
from data.source import Source

NOWHERE = Source("made", None, "", False, "")
#: What texts may hold: accents, composed and not, other scripts, emoji of several code points, odd spaces and marks.
STRANGE = (
    "Don’t stop: l'été, naïve — “really”?  ##tags # ### x##y\n\n\t(3.14 %)\u00a0½ año\n"
    "Cafe\u0301 ﬁn · Привет, мир! Γειά σου; שלום עולם. مرحبا بالعالم\n"
    "今天天气很好，我们去公园吧。東京タワー ひらがな ｶﾀｶﾅ 안녕하세요\n"
    "👍🏽 👩‍👩‍👧 🇫🇷 ❤️ 'tis o'clock' ''quoted'' rock’n’roll \u200b\u2028end \u3000 \v\f\x1c ."
)


def text(words: int = 2000, *, seed: int = 0, names: int = 60) -> str:
    """Lines of made words, some of which have capitals, accents and marks."""
    rng = np.random.default_rng(seed)
    stems = [f"{a}{b}" for a in ("ba", "dé", "ki", "lo", "mu", "Ra", "so", "ty") for b in ("n", "rt", "st", "la", "ßo")]
    known = [stems[i] + stems[j].lower() for i, j in rng.integers(len(stems), size=(names, 2))]
    ends = rng.choice([" ", " ", " ", " ", ", ", ".\n", "! ", "\n\n"], words)
    return "".join(known[i] + end for i, end in zip(rng.integers(names, size=words), ends, strict=True))


def corpus(documents: list[str] | None = None, **options: object) -> CorpusData:
    """Data prepared from documents; from one of some 12,000 characters where none are given."""
    given = {"window": 32, **options}
    named = [(f"{number}.txt", d) for number, d in enumerate([text()] if documents is None else documents)]
    return CorpusData.prepare(named, NOWHERE, CorpusOptions(**given))
