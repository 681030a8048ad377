"""Reviews made by code, so that a classifier of texts can be tried without a download."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from data.source import Source

ROWS, FILMS = 1200, 80
CLASSES = ("negative", "positive")
#: The share of reviews that say the opposite of their label, as some do everywhere.
NOISE = 0.03


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.replace("\n", " ").split(",")]


GOOD = _list("""brilliant, moving, funny, gripping, clever, charming, superb, touching, fresh, convincing, elegant,
memorable, tense, warm, splendid, subtle, original, lively, beautiful, honest, inspired, delightful""")
BAD = _list("""dull, awful, clumsy, boring, predictable, shallow, wooden, tedious, lame, pointless, noisy, stale,
confused, flat, silly, sloppy, forgettable, cheap, lifeless, annoying, bland, painful""")
ASPECTS = _list("""plot, acting, script, music, dialogue, ending, camera, cast, story, pacing, humour, soundtrack,
direction, editing, opening, costume, finale, romance""")
FIRST = _list("Anna, Boris, Clémence, Dario, Esther, Felipe, Greta, Hugo, Inès, João, Kira, Lars, Mona, Olga, Søren")
LAST = _list("Abel, Brandt, Castillo, Duval, Eriksen, Fontaine, Grimm, Hartog, Ilves, Køhler, Lund, Moretti, Novák")
ROLES = _list("""a detective, a retired teacher, a smuggler, a young nurse, a failed poet, a king, a pilot, a thief,
a widow""")
DEEDS = _list("""looks for a lost brother, must save the village, falls in love with a stranger, hides a secret,
crosses the desert on foot, is accused of murder, opens a bakery, returns home after the war""")
TITLES = _list("The Last Harbour, Winter Letters, Paper Moonlight, A Quiet Storm, Nine Doors, The Glass River")
TOWNS = _list("Malmö, Kraków, Bilbao, Perth")
DEGREES = ("", "really ", "very ", "quite ", "so ", "rather ", "absolutely ")
MARKS = (".", ".", ".", "!", "...")
GAPS = (" ", " ", " ", " ", "<br /><br />")

#: What is said for a judgement, with how often: {a} agrees with it, {o} is the opposite.
CLAIMS = (
    (9, "The {x} is {d}{a}{m}"),
    (8, "I found the {x} {d}{a}{m}"),
    (5, "{n} is {d}{a} in this one{m}"),
    (4, "The {x} is not {o}{m}"),
    (3, "Nobody can call the {x} {o}{m}"),
    (2, "It is never {o}, and the {x} isn't {o} either{m}"),
    (3, "I expected the {x} to be {o}, but it turned out {a}{m}"),
    (3, "Friends told me that the {x} was {o}; they were wrong{m}"),
    (4, "The trailer looked {o}. The film is {a}{m}"),
    (2, "The {x} may be {o}, but the {y} is {d}{a} and that is what counts{m}"),
)
#: What is said now and then against one's own judgement.
CONCESSIONS = ("Granted, the {x} is {o}.", "The {x} was {d}{o}, I admit.", "Only {n} is {o}.")
NEUTRAL = (
    "{n} plays {r} who {w}.",
    "The film is set in the north and lasts two hours.",
    "I saw it on a Sunday with my sister.",
    "It was shot in {c} by the people who made {t}.",
    "In the second half {n} {w}.",
    "There is some {x}, some {y}, and a dog.",
)
VERDICTS = (
    _list(
        "Avoid it., Two hours I won't get back., Not worth the ticket!, I can't recommend it. 👎, 2/10, I left early."
    ),
    _list(
        "Go and see it., I'd watch it again., Well worth the ticket!, I can only recommend it. 👍, 9/10, I stayed on."
    ),
)
SARCASM = (
    "Oh, {a}: another film in which {r} {w}. Just what the world needed.",
    "A {a} cure for insomnia.",
    "If you like watching paint dry, you'll find this {a}.",
)
#: The share of negative reviews with a sarcastic sentence.
SARCASTIC = 0.15


def sample() -> tuple[pd.DataFrame, Source]:
    """1,200 short reviews of films that do not exist: columns `text`, `label` and `film`.

    Half are positive. What is praised or blamed is often said by denying the opposite ("not dull"), so that a pair of
    words says more than a word by itself. Concessions, sarcasm and labels that are wrong keep any classifier
    from being perfect. Some have HTML breaks, accents and emoji. Reviews of one film share actors and leanings.
    """
    rng = np.random.default_rng(2011)
    rows = [_review(rng, film) for film in _films(rng) for _ in range(ROWS // FILMS)]
    frame = pd.DataFrame(rows, columns=["text", "label", "film"])
    digest = hashlib.sha256("\n".join(map("\t".join, rows)).encode()).hexdigest()
    return frame, Source("sample", None, digest, True, "made by code, not written: reviews of films that do not exist")


def _films(rng: np.random.Generator) -> list[tuple[str, list[str], float]]:
    """Title, actors, and the share of its reviews that are positive."""
    return [
        (
            f"{TITLES[number % len(TITLES)]} {number // len(TITLES) + 1}",
            [f"{rng.choice(FIRST)} {rng.choice(LAST)}" for _ in range(3)],
            float(rng.uniform(0.2, 0.8)),
        )
        for number in range(FILMS)
    ]


def _review(rng: np.random.Generator, film: tuple[str, list[str], float]) -> tuple[str, str, str]:
    title, actors, liked = film
    label = int(rng.random() < liked)
    mood = 1 - label if rng.random() < NOISE else label
    agrees, opposite = (GOOD, BAD) if mood else (BAD, GOOD)

    def one(of: Sequence[str]) -> str:
        return of[int(rng.integers(len(of)))]

    def fill(template: str, agrees: Sequence[str] = agrees) -> str:
        x, y = rng.permutation(len(ASPECTS))[:2]
        return template.format(
            x=ASPECTS[x],
            y=ASPECTS[y],
            a=one(agrees),
            o=one(opposite),
            d=one(DEGREES),
            m=one(MARKS),
            n=one(actors),
            r=one(ROLES),
            w=one(DEEDS),
            c=one(TOWNS),
            t=one(TITLES),
        )

    weights = np.array([weight for weight, _ in CLAIMS], float)
    said = [fill(CLAIMS[i][1]) for i in rng.choice(len(CLAIMS), rng.integers(2, 5), p=weights / weights.sum())]
    said += [fill(NEUTRAL[i]) for i in rng.permutation(len(NEUTRAL))[: rng.integers(0, 4)]]
    said += [fill(one(CONCESSIONS)) for _ in range(rng.integers(0, 2))]
    if not mood and rng.random() < SARCASTIC:
        said.append(fill(one(SARCASM), GOOD))
    said = [said[i] for i in rng.permutation(len(said))]
    if rng.random() < 0.2:
        said.append(one(VERDICTS[mood]))
    gaps = [one(GAPS) for _ in said]
    text = "".join(s + g for s, g in zip(said, gaps, strict=True)).removesuffix("<br /><br />").strip()
    return text, CLASSES[label], title
