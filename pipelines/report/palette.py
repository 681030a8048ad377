"""One colour and one line for each model, the same in every picture and table of a report."""

from __future__ import annotations

from typing import Any

from pipelines.report import shipped
from pipelines.report.numbers import is_number

#: Style classes for baselines other than the ridge, in the order in which they stand in the table.
OTHERS = ("first", "second", "third", "fourth")

#: The errors, of which the first that a row has says which baseline is the strongest.
ERRORS = ("mase", "error")


def rival(record: dict[str, Any]) -> str | None:
    """The fitted baseline with the lowest MASE or share of errors, else the best naive one."""
    rows = [r for r in record.get("metrics") or [] if r.get("role") == "baseline" and (r.get("seconds") or 0) > 0]
    known = [(_error(r), r["name"]) for r in rows if is_number(_error(r))]
    return min(known, key=lambda pair: pair[0])[1] if known else record.get("best_naive")


def _error(row: dict[str, Any]) -> Any:
    return next((row[key] for key in ERRORS if row.get(key) is not None), None)


def leading(record: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows that a page's head tells: the model's, that of what is shipped in its place or its rival's, the naive's.

    Nothing where there is no model.
    """
    rows = {r["name"]: r for r in record.get("metrics") or []}
    names = [n for n, r in rows.items() if r.get("role") == "model"][:1]
    if names:
        names += [shipped.baseline(record) or rival(record), record.get("best_naive")]
    return [rows[n] for n in dict.fromkeys(names) if n in rows]


def styles(record: dict[str, Any]) -> dict[str, str]:
    """Name → style class: `model`, `ridge`, and for the others first, second, third, fourth, first …"""
    found: dict[str, str] = {}
    solved, others = rival(record), 0
    for row in record.get("metrics") or []:
        if row.get("role") == "model":
            found[row["name"]] = "model"
        elif row["name"] == solved:
            found[row["name"]] = "ridge"
        else:
            found[row["name"]] = OTHERS[others % len(OTHERS)]
            others += 1
    return found


def shown_name(record: dict[str, Any], name: str) -> str:
    """What a line is labelled with: the model's own tag is long, and the tables give it."""
    return "model" if styles(record).get(name) == "model" else name
