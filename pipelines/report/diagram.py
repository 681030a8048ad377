"""The model as a row of slots: what the page draws as boxes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pipelines.report import numbers

#: How branches come together, by the sign that joins them in a model's tag.
_JOINS = {" ~ ": "blended", " + ": "summed", " & ": "averaged"}


@dataclass
class Box:
    """One slot with the kind in it; `times` counts equal ones in a row."""

    slot: str
    kind: str
    settings: list[str] = field(default_factory=list)
    times: int = 1


@dataclass
class Diagram:
    """What comes in, the boxes before the branches, the branches, their join, the boxes after, what goes out."""

    enters: str
    before: list[Box]
    branches: list[list[Box]]
    join: str
    after: list[Box]
    leaves: str


def diagram(record: dict[str, Any]) -> Diagram | None:
    model = record.get("model") or {}
    table = model.get("slots_table") or []
    if not table:
        return None
    rows = list(dict.fromkeys(r["branch"] for r in table if r.get("branch") is not None))
    shared = [r for r in table if r.get("branch") is None]
    enters, leaves = _ends(record)
    if len(rows) < 2:
        return Diagram(enters, [], [_boxes(table)], "", [], leaves)
    branches = [_boxes(r for r in table if r.get("branch") == row) for row in rows]
    before = _boxes(r for r in shared if r["slot"] == "normalise")
    after = _boxes(r for r in shared if r["slot"] != "normalise")
    tag = model.get("tag") or ""
    join = "concatenated" if after else next((said for sign, said in _JOINS.items() if sign in tag), "joined")
    return Diagram(enters, before, branches, join, after, leaves)


def _ends(record: dict[str, Any]) -> tuple[str, str]:
    """What comes in and what goes out, in a few words."""
    series, texts = record.get("series") or {}, record.get("texts")
    if texts:
        return "the tokens of a text", f"one of {numbers.count(len(texts.get('classes') or []), 'class', 'classes')}"
    if record.get("family") == "generate":
        unit, given = record.get("unit") or "token", (record.get("pieces") or {}).get("given")
        if given not in (None, "none"):
            return f"the {given}", "the notes of the other voices"
        return f"the {unit}s so far", f"the next {unit}"
    columns, targets = series.get("columns") or [], series.get("targets") or []
    look_back, horizon = (numbers.span(series.get(k, k)) for k in ("look_back", "horizon"))
    enters = f"{look_back} of {numbers.count(len(columns), 'column')}" if columns else "input"
    goal = numbers.shorten(targets[0], 40) if len(targets) == 1 else numbers.count(len(targets), "target")
    leaves = f"{horizon} of {goal}" if targets else "output"
    return enters, leaves


def _boxes(rows: Iterable[dict[str, Any]]) -> list[Box]:
    found: list[Box] = []
    for row in rows:
        if row["kind"] == "none":
            continue
        box = Box(row["slot"], row["kind"], settings(row.get("settings")))
        if found and (found[-1].slot, found[-1].kind, found[-1].settings) == (box.slot, box.kind, box.settings):
            found[-1].times += 1
        else:
            found.append(box)
    return found


def settings(given: Any) -> list[str]:
    """`units 64`, `no bias`, `layer gru (units 32)`: what is set, in words; what is left at nothing is left out."""
    if not isinstance(given, dict):
        return [numbers.shorten(str(given), 60)] if given else []
    return [_setting(name.replace("_", " "), value) for name, value in given.items() if value is not None]


def _setting(name: str, value: Any) -> str:
    if value is True:
        return name
    if value is False:
        return f"no {name}"
    if isinstance(value, dict):
        inner = ", ".join(settings({k: v for k, v in value.items() if k != "kind"}))
        kind = f"{value['kind']} " if "kind" in value else ""
        return f"{name} {kind}({inner})" if inner else f"{name} {kind}".strip()
    if isinstance(value, (list, tuple)):
        shown = ", ".join(str(v) for v in value[:8]) + (", …" if len(value) > 8 else "")
        return f"{name} {shown}" if value else f"no {name}"
    if isinstance(value, float):
        return f"{name} {value:g}"
    return numbers.shorten(f"{name} {value}", 60)
