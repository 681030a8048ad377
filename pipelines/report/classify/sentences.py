"""What the figures of a classifier say, in sentences."""

from __future__ import annotations

from typing import Any

from pipelines.report import numbers, shipped
from pipelines.report.classify import shares
from pipelines.report.palette import shown_name

#: A temperature this near to 1 changes nothing.
NO_CHANGE = 0.02


def comparison(record: dict[str, Any]) -> list[str]:
    """A sentence for each baseline: how much more often the trained model is right, how sure that is, and on how many.

    Where the interval holds nought, no difference is claimed.
    """
    return [_compared(record, row) for row in record.get("comparison") or []]


def _compared(record: dict[str, Any], row: dict[str, Any]) -> str:
    name, difference, low, high = (row[k] for k in ("name", "difference", "low", "high"))
    if not all(map(numbers.is_number, (difference, low, high))):
        return f"Its difference to the {name} is not a finite number."
    span = f"{shares.signed(record, low)} to {shares.signed(record, high)}"
    if low > 0 or high < 0:
        said = f"It is right {shares.points(record, difference)} {'more' if low > 0 else 'less'} often than the {name}"
        said += f" (95{numbers.GAP}% interval {span})"
    else:
        said = f"It cannot be told from the {name}: {shares.signed(record, difference)} points"
        said += f" (95{numbers.GAP}% interval {span})"
    better, worse = (numbers.whole(row.get(k)) for k in ("better", "worse"))
    return f"{said}; {better} texts only the model gets right, {worse} only the {name}."


def without_shared(record: dict[str, Any]) -> str:
    """The accuracies on those texts of the test part that did not also stand in train; nothing where none did."""
    given = record.get("without_shared")
    if not given:
        return ""
    listed = numbers.listed(
        f"{shown_name(record, name)} {shares.share(record, value)}" for name, value in given["accuracy"].items()
    )
    rows = numbers.whole(given.get("rows"))
    return f"Accuracy on the {rows} texts of the test part that did not stand in train as well: {listed}."


def whose(record: dict[str, Any]) -> str:
    """Whose pictures follow, where what is shipped is not the trained model."""
    name = shipped.baseline(record)
    which = f"the {name}, which is {shipped.fate(record)}, not of the trained model"
    return f"Reliability, threshold, classes and mistakes below are of {which}." if name else ""


def calibration(record: dict[str, Any]) -> str:
    """How far confidence was from accuracy, what the temperature did, and how far it is now."""
    given, temperature = record.get("reliability") or {}, record.get("temperature")
    before, after = (given.get(k) for k in ("ece_before", "ece_after"))
    said = []
    if numbers.is_number(temperature):
        shown = numbers.fixed(temperature, 2)
        if abs(temperature - 1) < NO_CHANGE:
            said.append(f"The temperature fitted on the validation part is {shown}: its confidence was right already.")
        else:
            how = "too sure" if temperature > 1 else "not sure enough"
            said.append(f"It was {how}: logits are divided by {shown}, the temperature fitted on the validation part.")
    if numbers.is_number(before) and numbers.is_number(after):
        pair = f"{shares.share(record, before)} apart before it and {shares.share(record, after)} after it"
        said.append(f"On average confidence and accuracy are {pair} (ECE).")
    return " ".join(said)


def threshold(record: dict[str, Any]) -> str:
    """From which probability on a text is called which class, how that was chosen, and where accuracy is highest."""
    given, classes = record.get("threshold") or {}, (record.get("texts") or {}).get("classes") or []
    chosen, best = given.get("chosen"), given.get("best")
    if not numbers.is_number(chosen):
        return ""
    what = f"“{classes[-1]}”" if classes else "the second class"
    by = f" ({given['by']})" if given.get("by") else ""
    said = f"A text is called {what} from a probability of {numbers.fixed(chosen, 2)} on{by}."
    if not numbers.is_number(best):
        return said
    if numbers.fixed(best, 2) == numbers.fixed(chosen, 2):
        return f"{said} There the accuracy on the validation part is highest."
    return f"{said} The accuracy on the validation part is highest from {numbers.fixed(best, 2)} on."


def texts(record: dict[str, Any]) -> list[tuple[str, str]]:
    """What is told of the texts themselves, as (name, words)."""
    given = record.get("texts") or {}
    found = []
    if given.get("tokens"):
        known = numbers.is_number(given.get("vocabulary"))
        size = f"; a vocabulary of {numbers.whole(given['vocabulary'])}, learnt from train alone" if known else ""
        found.append(("tokens", f"{given['tokens']}{size}"))
    if numbers.is_number(given.get("median_length")):
        often = given.get("p95_length")
        more = f"; 95 of 100 texts have {numbers.whole(often)} or fewer" if numbers.is_number(often) else ""
        found.append(("length", f"{numbers.whole(given['median_length'])} tokens in the median{more}"))
    if numbers.is_number(given.get("cut")):
        share, longest = numbers.small_percent(given["cut"]), numbers.whole(given.get("longest"))
        cut = f"{share} of the texts are longer than {longest} tokens, and are cut"
        found.append(("cut", cut if given["cut"] else "no text"))
    if numbers.is_number(given.get("unknown")):
        found.append(
            (
                "unknown",
                f"{numbers.small_percent(given['unknown'])} of the test part’s tokens are not in the vocabulary",
            )
        )
    if numbers.is_number(given.get("padding")):
        found.append(
            (
                "padding",
                f"{numbers.small_percent(given['padding'])} of what is read in training, batches of like length",
            )
        )
    if numbers.is_number(given.get("duplicates")):
        verb = "is a copy" if given["duplicates"] == 1 else "are copies"
        found.append(("copies", f"{numbers.count(given['duplicates'], 'text')} of train {verb} of another"))
    further = record.get("unlabelled")
    if further:
        many = f"{numbers.count(further['texts'], 'further text')} from {further['name']}"
        how = f"each epoch draws a label for each of them, by what “{further['teacher']}” says of it"
        put_right = [f"{r['what']}: {r['count']:,}" for r in further["repairs"]]
        found.append(("without labels", "; ".join([many, how, *put_right])))
    return found
