"""What stands at the head of a forecast's page, and the unit that the rest of it is told in."""

from __future__ import annotations

from typing import Any

from pipelines.report import figures, numbers, palette, shipped


def values(record: dict[str, Any]) -> dict[str, Any]:
    """What the templates of forecasts are given beyond what every page is."""
    return {
        "tiles": tiles(record),
        "unit": figures.unit_of(record),
        "scaled": figures.scaled(record),
        "several": figures.several_targets(record),
    }


def tiles(record: dict[str, Any]) -> list[dict[str, str]]:
    """The few numbers to take away: the model's error, its rivals', and the skill of what is shipped."""
    told = palette.leading(record)
    if not told:
        return []
    model = told[0]
    key, unit = ("mase", "") if figures.scaled(record) else ("mae", figures.unit_of(record))
    what = "scaled error (MASE)" if key == "mase" else "mean absolute error"
    chosen = shipped.baseline(record)
    kinds = palette.styles(record)
    found = []
    texts = numbers.spreads([r.get(key) for r in told], [r.get(f"{key}_sd") for r in told])
    for row, text in zip(told, texts, strict=True):
        time = f"fitted in {numbers.duration(row['seconds'])}" if row.get("seconds") else "nothing to fit"
        naive = row["name"] == record.get("best_naive")
        name = "the model" if row is model else f"best naive: {row['name']}" if naive else row["name"]
        if row["name"] == chosen:
            name += f" ({shipped.fate(record)})"
        note, style = f"{what}, {time}", kinds[row["name"]]
        found.append({"style": style, "name": name, "value": text, "unit": unit, "note": note})
    ours = next((row for row in told if row["name"] == chosen), model)
    if ours.get("skill") is not None:
        known = numbers.is_number(ours["skill"])
        share = abs(ours["skill"]) if known else ours["skill"]
        which = "less" if known and ours["skill"] >= 0 else "more"
        note = f"{which} error than the best naive forecast" if known else "not a number: the errors are not finite"
        name = "skill" if ours is model else f"skill of the {ours['name']}"
        found.append({"style": "skill", "name": name, "value": numbers.percent(share), "unit": "", "note": note})
    return found
