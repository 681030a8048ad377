"""Small made tables of texts for the tests of the data room."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from data.source import Source
from data.text_options import TextOptions
from data.texts import TextData

NOWHERE = Source("made", None, "", False, "")


def reviews(rows: int = 200, *, films: int = 20, seed: int = 0, longest: int = 40, **columns: object) -> pd.DataFrame:
    """Texts of 1 to `longest` words that end in a number of their own, two classes, a film each."""
    rng = np.random.default_rng(seed)
    found = []
    for row in range(rows):
        label = ("bad", "good")[int(rng.integers(2))]
        words = [f"{label}{rng.integers(9)}" if rng.random() < 0.3 else f"w{rng.integers(60)}" for _ in range(longest)]
        text = " ".join([*words[: rng.integers(longest)], f"n{row}"])
        found.append((text, label, f"film {rng.integers(films)}"))
    return pd.DataFrame(found, columns=["text", "label", "film"]).assign(**columns)


def prepared(frame: pd.DataFrame | None = None, **options: object) -> TextData:
    return TextData.prepare(reviews() if frame is None else frame, NOWHERE, TextOptions(**options))


def repairs(data: TextData) -> dict[str, int]:
    return {r.what: r.count for r in data.repairs}


def acl_imdb(folder: Path, *, reviews: int = 12) -> Path:
    """A folder laid out as Stanford's, with as many reviews in each of its four classes."""
    root = folder / "aclImdb"
    for half in ("train", "test"):
        for name, (first, rating) in {"neg": (0, 2), "pos": (100, 9)}.items():
            (root / half / name).mkdir(parents=True)
            for number in range(reviews):
                text = f"A {name} film in {half}, seen {number} times.<br /><br />Très {name}!"
                (root / half / name / f"{number}_{rating}.txt").write_text(text, encoding="utf-8")
            offset = first + (1000 if half == "test" else 0)
            titles = [f"http://www.imdb.com/title/tt{offset + n // 3:07d}/usercomments" for n in range(reviews)]
            (root / half / f"urls_{name}.txt").write_text("\n".join(titles) + "\n")
    (root / "train" / "unsup").mkdir()
    (root / "train" / "unsup" / "0_0.txt").write_text("no label")
    (root / "imdbEr.txt").write_text("0.1\n")
    (root / "README.txt").write_text("about")
    return root
