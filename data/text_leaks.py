"""Checks that no held-out text, and no label, reaches the training of a classifier of texts. Run on every run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np

from data.leaks import Check
from data.splits import PARTS
from data.transforms.text import TextTransform
from data.transforms.vocabulary import UNKNOWN

#: Texts of a class that must all say its name in one place before that is no chance.
TELLING = 5

Ids = Callable[[list[str]], list[np.ndarray]]


def nothing_on_two_sides(what: str, values: np.ndarray, parts: np.ndarray) -> Check:
    """No text, or no group, stands in two parts.

    Args:
        what: `text` or `group`.
        values: (rows,) equal where the text, or the group, is.
        parts: (rows,) train, validation or test.
    """
    name = f"no {what} on both sides of a border"
    of = {part: set(values[parts == part]) for part in PARTS}
    for one, other in combinations(PARTS, 2):
        if shared := of[one] & of[other]:
            return Check(name, False, f"{len(shared)} {what}s stand in {one} and in {other}.")
    counts = ", ".join(f"{len(of[part]):,} in {part}" for part in PARTS)
    return Check(name, True, f"Different {what}s: {counts}.")


def vocabulary_is_of_train(
    transform: TextTransform, fit: Callable[[np.ndarray], TextTransform], texts: np.ndarray, parts: np.ndarray
) -> Check:
    """The transform is the same when it is fitted again with every held-out text changed.

    Args:
        transform: what the run uses.
        fit: (rows,) texts of all parts → the transform, as it was fitted.
        texts: (rows,) of all parts.
        parts: (rows,) train, validation or test.
    """
    train = parts == "train"
    changed = texts.copy()
    changed[~train] = "changed unchanged"
    same = fit(changed).to_json() == transform.to_json()
    detail = f"Fitted again on the {int(train.sum()):,} train texts, all others changed: its {transform.size:,} ids "
    return Check("the vocabulary is of train alone", same, detail + ("are the same." if same else "are not."))


def label_is_not_read(ids: Sequence[np.ndarray], labels: np.ndarray, names: dict[str, np.ndarray]) -> Check:
    """No class has its own name in one and the same place of all its texts, counted from their start or their end,
    where fewer than half of the other classes' texts have it too.

    So a column of labels taken for the texts is found, and a mark such as `__label__spam` that was left in them.

    Args:
        ids: of train's texts.
        labels: (texts,) numbers of the classes.
        names: the classes' names in order, with the ids of each.
    """
    name = "the label does not stand in the text"
    for number, (said, wanted) in enumerate(names.items()):
        own = np.flatnonzero(labels == number)
        if len(own) < TELLING or UNKNOWN in wanted:
            continue
        start, end = _places(ids[own[0]], wanted)
        for row in own[1:]:
            if not start and not end:
                break
            again = _places(ids[row], wanted)
            start, end = start & again[0], end & again[1]
        if (start or end) and _tell(
            start, end, [ids[row] for row in np.flatnonzero(labels != number).tolist()], wanted
        ):
            return Check(name, False, f"All {len(own):,} texts of class '{said}' say '{said}' in the same place.")
    return Check(name, True, f"None of {len(names)} classes can be told by its name.")


def _tell(start: set[int], end: set[int], others: list[np.ndarray], wanted: np.ndarray) -> bool:
    """Whether one of the places tells a class: most texts of the others have other words there."""
    found = [_places(ids, wanted) for ids in others]
    said = [sum(p in s for s, _ in found) for p in start] + [sum(p in e for _, e in found) for p in end]
    return min(said) < len(others) / 2


def _places(ids: np.ndarray, wanted: np.ndarray) -> tuple[set[int], set[int]]:
    """Where ids stand among others, counted from the start and from the end."""
    if len(wanted) > len(ids):
        return set(), set()
    found = np.flatnonzero((np.lib.stride_tricks.sliding_window_view(ids, len(wanted)) == wanted).all(axis=1))
    return set(found.tolist()), set((len(ids) - found).tolist())


def ids_ignore_the_batch(ids: Ids, alone: Ids, texts: Sequence[str], *, seed: int = 0, count: int = 8) -> Check:
    """Texts have the same ids in a batch as each by itself, and as without the graph.

    Args:
        ids: the graph form, texts → ids.
        alone: the NumPy form.
        texts: to draw from.
        seed, count: which are tried.
    """
    name = "a text's ids do not depend on the others of its batch"
    some = [texts[i] for i in np.random.default_rng(seed).choice(len(texts), min(count, len(texts)), replace=False)]
    given = [*some, "", *some[::-1]]
    for text, found in zip(given, ids(given), strict=True):
        for other in (ids([text])[0], alone([text])[0]):
            if not np.array_equal(found, other):
                return Check(name, False, f"The ids of '{text[:60]}' change with the texts beside it.")
    return Check(name, True, f"{len(given)} texts have the same ids together and alone.")
