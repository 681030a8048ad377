"""What the figures of a classify run say: which candidate earned its time, in a sentence."""

from __future__ import annotations

from typing import Any, Literal

from pipelines.task import Verdict


def verdict(
    rows: list[dict[str, Any]], comparison: list[dict[str, Any]], candidate: Literal["best", "model"] = "best"
) -> Verdict:
    """What earned its time: the trained model, or the solved baseline that is as good; and what is to be shipped.

    The trained model is chosen where its accuracy is above the best baseline's by more than chance explains: where
    the 95 % interval of their difference, text by text, lies above nought.

    Args:
        rows: of the metrics table, the majority class first and the model last.
        comparison: the model beside each baseline.
        candidate: `model` ships the trained model whatever is better.
    """
    majority, model = rows[0], rows[-1]
    rival = max(rows[1:-1], key=lambda row: row["accuracy"], default=None)
    found = {pair["name"]: pair for pair in comparison}
    if not model["accuracy"] > majority["accuracy"]:
        said = f"The model ({_share(model)}) is no better than always saying the commonest class ({_share(majority)})"
        if rival is None or not rival["accuracy"] > majority["accuracy"]:
            return Verdict(f"{said}. It must not be used.", model["name"])
        return _shipped(f"{said}: use the {rival['name']}, with {_share(rival)}.", model, rival, candidate)
    if rival is None:
        said = f"The model is right in {_share(model)} of the texts, {_beside(found, majority)}."
        return Verdict(said, model["name"])
    times = f"{_seconds(model)} of training against {_seconds(rival)} for the {rival['name']}"
    pair = found[rival["name"]]
    if pair["low"] > 0:
        said = f"The trained model earns its time: right in {_share(model)} of the texts, {_beside(found, rival)}"
        return Verdict(f"{said}, for {times}.", model["name"])
    if pair["high"] < 0:
        said = f"Use the {rival['name']}: the trained model, right in {_share(model)}, is {_beside(found, rival)}"
        return _shipped(f"{said}, for {times}.", model, rival, candidate)
    said = (
        f"The trained model ({_share(model)}) and the {rival['name']} ({_share(rival)}) cannot be told apart: it is "
        f"{_beside(found, rival)}; {times} earned nothing, and the {rival['name']} is to be preferred."
    )
    return _shipped(said, model, rival, candidate)


def _shipped(said: str, model: dict[str, Any], rival: dict[str, Any], candidate: str) -> Verdict:
    if candidate == "model":
        return Verdict(f"{said} The trained model is kept all the same, as export.candidate asks.", model["name"])
    return Verdict(said, rival["name"])


def _beside(found: dict[str, dict[str, Any]], other: dict[str, Any]) -> str:
    """`0.41 points above the NB n-grams (95 % interval 0.12 to 0.70)`."""
    pair = found[other["name"]]
    where = f"{abs(100 * pair['difference']):.2f} points {'above' if pair['difference'] > 0 else 'below'}"
    where = where if pair["difference"] else "right exactly as often as"
    span = f"{100 * pair['low']:+.2f} to {100 * pair['high']:+.2f}"
    return f"{where} the {other['name']} (95 % interval {span})"


def _share(row: dict[str, Any]) -> str:
    return f"{row['accuracy']:.2%}"


def _seconds(row: dict[str, Any]) -> str:
    return f"{row['seconds']:.{0 if row['seconds'] >= 10 else 1}f} s"
