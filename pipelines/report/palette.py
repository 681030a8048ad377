"""One colour and one line for each model, the same in every picture and table of a report."""

from __future__ import annotations

from typing import Any

#: Style classes for baselines other than the ridge, in the order in which they stand in the table.
OTHERS = ("first", "second", "third", "fourth")


def rival(record: dict[str, Any]) -> str | None:
    """The strong simple model that stands beside the trained one: the ridge, else whatever baseline was fitted."""
    baselines = [r for r in record.get("metrics") or [] if r.get("role") == "baseline"]
    fitted = [r["name"] for r in baselines if "ridge" in r["name"].lower()]
    return next(iter(fitted or [r["name"] for r in baselines if (r.get("seconds") or 0) > 0]), None)


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
