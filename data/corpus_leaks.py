"""Checks that nothing of the held-out texts reaches the training of a model that writes. Run on every run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from data.leaks import Check
from data.splits import PARTS
from data.streams import TokenStreams
from data.transforms.tokens import TokenTransform

#: The parts as they follow one another in a text. Validation comes first: as the test does, it then has a border with
#: train, and train reaches up to the test, where authors go on in the same words.
ORDER = ("validation", "train", "test")

Texts = Mapping[str, Sequence[str]]


def parts_do_not_overlap(parts: Texts, documents: Sequence[str]) -> Check:
    """Validation, train and test, one after the other, are the documents: nothing stands twice, nothing is lost.

    Args:
        parts: part → its texts.
        documents: as they were read.
    """
    name = "train, validation and test do not overlap"
    sizes = {part: sum(map(len, parts[part])) for part in ORDER}
    same = "".join(text for part in ORDER for text in parts[part]) == "".join(documents)
    counts = ", ".join(f"{sizes[part]:,} in {part}" for part in ORDER)
    said = "are the texts from first to last" if same else f"are not the {sum(map(len, documents)):,} of the texts"
    return Check(name, same, f"One after the other, their characters ({counts}) {said}.")


def vocabulary_is_of_train(transform: TokenTransform, fit: Callable[[Texts], TokenTransform], parts: Texts) -> Check:
    """The transform is the same when it is fitted again with every held-out text changed.

    Args:
        transform: what the run uses.
        fit: the texts of all parts → the transform, as it was fitted.
        parts: part → its texts.
    """
    changed = {part: texts if part == "train" else ["∎ changed ∎ unchanged ∎"] for part, texts in parts.items()}
    same = fit(changed).to_json() == transform.to_json()
    detail = f"Fitted again on train, all other texts changed: its {transform.size:,} ids "
    return Check("the vocabulary is of train alone", same, detail + ("are the same." if same else "are not."))


def targets_are_one_step_on(data: TokenStreams) -> Check:
    """Every target is the id after the one that is read, in the same document of the same part; and so it is in the
    first batches that training and the test read.
    """
    name = "targets are what is read one step on, and none crosses a border"
    for part in PARTS:
        ids, targets = data.ids(part), data.targets(part)
        ends = np.cumsum(data.lengths(part)) - 1
        within = np.setdiff1d(np.arange(len(ids)), ends)
        wrong = int((targets[within] != ids[within + 1]).sum() + (targets[ends] >= 0).sum())
        if wrong:
            return Check(name, False, f"{wrong:,} of {len(ids):,} targets of {part} are something else.")
    batches = {
        "streams": next(iter(data.streams(1, seed=0))),
        "windows": next(iter(data.windows(4, seed=0))),
        "the test": next(iter(data.ordered("test", 4))),
    }
    for what, (read, target) in batches.items():
        past = np.asarray(read["past"] if isinstance(read, Mapping) else read)
        said, real = np.asarray(target)[:, :-1], np.asarray(target)[:, 1:] >= 0
        if (said[real] != past[:, 1:][real]).any():
            return Check(name, False, f"Targets of {what} are not what is read one step on.")
    return Check(name, True, ", ".join(f"{int((data.targets(p) >= 0).sum()):,} targets in {p}" for p in PARTS) + ".")


def passages(train: str, test: str, least: int) -> list[tuple[int, int]]:
    """Stretches of `test`, from where to where, of `least` characters or more that stand in `train` too.

    A stretch holds one of the blocks into which train is cut, half as long, whole; from there it is followed both ways.
    """
    size = least // 2
    blocks = {train[at : at + size]: at for at in reversed(range(0, len(train) - size + 1, size))}
    found: list[tuple[int, int]] = []
    at = 0
    while at + size <= len(test):
        there = blocks.get(test[at : at + size])
        if there is None:
            at += 1
            continue
        start, back, end, forth = at, there, at + size, there + size
        floor = found[-1][1] if found else 0
        while start > floor and back and test[start - 1] == train[back - 1]:
            start, back = start - 1, back - 1
        while end < len(test) and forth < len(train) and test[end] == train[forth]:
            end, forth = end + 1, forth + 1
        if end - start >= least:
            found.append((start, end))
            at = end
        else:
            at += 1
    return found
