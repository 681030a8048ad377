"""The page of a diagnosis: in a sentence, in pictures, in a table, and recurrences unrolled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines.report import numbers, reach, template, unrolled
from pipelines.report.figures import Figure, is_sample
from pipelines.report.tables import Cell, Line, Table
from pipelines.workspace import write_atomically

#: So many encoders are named in the verdict; of more it says how many they are.
NAMED = 5


def write_diagnosis(record: dict[str, Any], path: Path) -> None:
    """Write the report of a diagnosis to `path`, whole or not at all.

    Args:
        record: a diagnosis' record, as `diagnosis.json` holds it.
        path: the HTML file, replaced in one step; its folder must be there.
    """
    write_atomically(path, render(record))


def render(record: dict[str, Any]) -> str:
    """The whole page as HTML."""
    record = record | {"verdict": verdict(record)}
    trained = any(curve["trained"] for curve in record["curves"])
    return template.page(
        "diagnosis.html.jinja",
        record,
        kind="diagnosis",
        alarms=template.alarms(record),
        shipping="",
        initial=reach.curves(record, "initial"),
        trained=reach.curves(record, "trained") if trained else None,
        table=table(record),
        each=[reach.panel(record, i) for i in range(len(record["curves"]))],
        norms=[(title, reach.joint(record, phase)) for phase, title in reach.phases(record)],
        clipped=reach.clipped(record),
        cells=[
            (curve["name"], Figure(_unrolled(record, curve), "")) for curve in record["curves"] if curve.get("states")
        ],
        diverged=[(curve["name"], curve["diverged"]) for curve in record["curves"] if curve["diverged"]],
        clip_share=clip_share(record),
        gains=[(curve["name"], f"{curve['gain']:g}") for curve in record["curves"] if curve["gain"] != 1],
    )


def verdict(record: dict[str, Any]) -> str:
    """Which encoders let the gradient vanish, and which do not, in a sentence or two."""
    first = {curve["name"]: curve["initial"]["word"] for curve in record["curves"]}
    said = f"At initialisation the gradient {_words(first)}."
    then = {curve["name"]: curve["trained"]["word"] for curve in record["curves"] if curve["trained"]}
    changed = {name: word for name, word in then.items() if word != first[name]}
    if changed:
        said += f" After training it {_words(changed)}."
    elif then:
        said += " A short training does not change that."
    return said


def _words(by_name: dict[str, str]) -> str:
    """`vanishes in lstm and gru, explodes in simple_rnn`."""
    told = {"explodes": "explodes in", "vanishes": "vanishes in", "ends": "ends in", "reaches": "reaches far back in"}
    parts = []
    for word in dict.fromkeys(by_name.values()):
        names = [name for name, other in by_name.items() if other == word]
        which = numbers.listed(names) if len(names) <= NAMED else numbers.count(len(names), "encoder")
        parts.append(f"{told[word]} {which}")
    return "; it ".join(parts)


def clip_share(record: dict[str, Any]) -> str:
    """How many batches clipping acts on, encoder by encoder."""
    if record["clip_norm"] is None:
        return "train.clip_norm is null: nothing is clipped."
    said = []
    for curve in record["curves"]:
        factors = curve["initial"]["factors"]
        count = sum(f is None or f < 1 for f in factors)
        if count:
            least = min(reach.known(factors), default=0.0)
            share = numbers.scientific(least).replace(" ", numbers.GAP)
            said.append(f"{curve['name']}, in {count} of {len(factors)} batches, by a factor down to {share}")
    if not said:
        return f"At initialisation no batch has a joint norm above train.clip_norm, {record['clip_norm']:g}."
    return f"At initialisation clipping acts on {'; '.join(said)}."


def table(record: dict[str, Any]) -> Table:
    """A line an encoder: at initialisation, and after training, how far its gradient reaches."""
    phases = reach.phases(record)
    columns = (("1 % after", _fallen), ("beyond half", _beyond), ("a step", _a_step))
    heads = [(name, "at first" if phase == "initial" else "trained") for phase, _ in phases for name, _ in columns]
    lines = []
    for i, curve in enumerate(record["curves"]):
        cells = []
        for phase, _ in phases:
            for _, of in columns:
                cells.append(Cell(numbers.ABSENT if curve[phase] is None else of(curve[phase])))
        lines.append(Line(curve["name"], reach.style_of(i), cells))
    return Table(heads, lines)


def _fallen(found: dict[str, Any]) -> str:
    return numbers.ABSENT if found["fallen"] is None else f"{found['fallen']:,}"


def _beyond(found: dict[str, Any]) -> str:
    share = found["beyond_half"]
    if not numbers.is_number(share):
        return numbers.ABSENT
    return f"<{numbers.GAP}0.1{numbers.GAP}%" if 0 < share < 0.0005 else numbers.percent(share)


def _a_step(found: dict[str, Any]) -> str:
    return numbers.ABSENT if found["a_step"] is None else f"×{found['a_step']:.2f}"


def _unrolled(record: dict[str, Any], curve: dict[str, Any]) -> str:
    steps = len(curve["states"][0]) - 1
    norms = unrolled.Norms(curve["states"], curve["initial"]["median"][:steps])
    return unrolled.draw(curve["kind"], steps, norms, is_sample(record))
