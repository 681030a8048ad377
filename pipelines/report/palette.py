"""One colour and one line for each model, the same in every picture and table of a report."""

from __future__ import annotations

from typing import Any

#: Style classes for baselines other than the ridge, in the order in which they stand in the table.
OTHERS = ("first", "second", "third", "fourth")


def rival(record: dict[str, Any]) -> str | None:
    """The fitted baseline with the lowest MASE, else the best naive one."""
    rows = [r for r in record.get("metrics") or [] if r.get("role") == "baseline" and (r.get("seconds") or 0) > 0]
    known = [r for r in rows if isinstance(r.get("mase"), (int, float)) and r["mase"] == r["mase"]]
    return min(known, key=lambda r: r["mase"])["name"] if known else record.get("best_naive")


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
