"""What the figures of candidates say that were compared example by example: which earned its time, in sentences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pipelines.task import Evaluation, Verdict


@dataclass(frozen=True)
class Measure:
    """The figure by which candidates are compared, and how it is told.

    Attributes:
        key: of the rows.
        sign: 1 where more is better, −1 where less is.
        share: a row's figure, such as `right in 91.88% of the texts`.
        gap: a difference without its sign, such as `0.41 points`.
        end: an end of the difference's interval, with its sign, such as `+0.12`.
        naive: what the naive baseline does, such as `always saying the commonest class`.
        pairs: of the evaluation's details, the comparison of the model with each baseline by this figure.
    """

    key: str
    sign: Literal[1, -1]
    share: Callable[[float], str]
    gap: Callable[[float], str]
    end: Callable[[float], str]
    naive: str
    pairs: str = "comparison"

    @classmethod
    def of_loss(cls, key: str, share: Callable[[float], str], naive: str, pairs: str = "comparison") -> Measure:
        """A loss, of which four digits are told."""
        return cls(key, -1, share, "{:.4f}".format, "{:+z.4f}".format, naive, pairs)

    def better(self, one: dict[str, Any], other: dict[str, Any]) -> bool:
        return bool(self.sign * (one[self.key] - other[self.key]) > 0)

    def of(self, row: dict[str, Any]) -> str:
        return self.share(row[self.key])

    def beside(self, pair: dict[str, Any]) -> str:
        """`0.41 points above the n-grams (95 % interval +0.12 to +0.70)`."""
        difference = pair["difference"]
        where = f"{self.gap(abs(difference))} {'above' if difference > 0 else 'below'}" if difference else "level with"
        return f"{where} the {pair['name']} (95 % interval {self.end(pair['low'])} to {self.end(pair['high'])})"

    def compared(self, part: Evaluation, name: str) -> dict[str, Any]:
        """The model beside the baseline of this name."""
        return next(pair for pair in part.details[self.pairs] if pair["name"] == name)

    def leads(self, pair: dict[str, Any]) -> Literal["model", "baseline"] | None:
        """Who is better by more than chance explains: on whose side the whole interval lies."""
        low, high = sorted((self.sign * pair["low"], self.sign * pair["high"]))
        return "model" if low > 0 else "baseline" if high < 0 else None


def verdict(
    test: Evaluation,
    validation: Evaluation,
    measure: Measure,
    candidate: Literal["best", "model"] = "best",
    closer: Measure | None = None,
) -> Verdict:
    """What the test part says of the trained model, and what is to be shipped, which the validation part says.

    The trained model is shipped where, on validation, it is better than the best solved baseline by more than chance
    explains; else that baseline, since it is the simpler one. Where by the measure chance explains either's lead, the
    closer measure is asked, if there is one.

    Args:
        test, validation: with the naive baseline's row first, the model's last, and in their details the `comparison`
            of the model with each baseline: differences, model less baseline, with their intervals.
        measure: what is compared.
        closer: what tells apart two that are alike by the measure, such as the log loss of two that are right equally
            often.
        candidate: `model` ships the trained model whatever is better.
    """
    naive, *solved, model = validation.rows
    best = max(solved, key=lambda row: measure.sign * row[measure.key], default=None)
    tested = {row["name"]: row for row in test.rows}
    ours, commonest = tested[model["name"]], tested[naive["name"]]
    if not measure.better(model, naive):
        said = f"The model ({measure.of(ours)}) is no better than {measure.naive} ({measure.of(commonest)})"
        if best is None or not measure.better(best, naive):
            return Verdict(f"{said}. It must not be used.", model["name"])
        return _shipped(f"{said}: use the {best['name']}, {measure.of(tested[best['name']])}.", model, best, candidate)
    if best is None:
        said = f"The model is {measure.of(ours)}, {measure.beside(measure.compared(test, naive['name']))}."
        return Verdict(said, model["name"])
    there, here = (measure.compared(part, best["name"]) for part in (test, validation))
    said = (
        f"On the test part the trained model is {measure.of(ours)}, {measure.beside(there)}, for {_seconds(ours)} of "
        f"training against {_seconds(tested[best['name']])}. On validation, which decides, it is {measure.beside(here)}"
    )
    leader = measure.leads(here)
    if leader is None and closer is not None:
        nearer = closer.compared(validation, best["name"])
        leader = closer.leads(nearer)
        if leader is not None:
            said += f", which does not tell the two apart. It is {closer.of(model)}, {closer.beside(nearer)}"
    if leader == "model":
        return Verdict(f"{said}: it earns its time.", model["name"])
    if leader == "baseline":
        return _shipped(f"{said}: use the {best['name']}.", model, best, candidate)
    said += f": the two cannot be told apart, and the {best['name']} is to be preferred, which is simpler."
    return _shipped(said, model, best, candidate)


def _shipped(said: str, model: dict[str, Any], rival: dict[str, Any], candidate: str) -> Verdict:
    if candidate == "model":
        return Verdict(f"{said} The trained model is kept all the same, as export.candidate asks.", model["name"])
    return Verdict(said, rival["name"])


def _seconds(row: dict[str, Any]) -> str:
    return f"{row['seconds']:.{0 if row['seconds'] >= 10 else 1}f} s"
