"""What a run ships where that is not the trained model, and how it is told."""

from __future__ import annotations

from typing import Any


def baseline(record: dict[str, Any]) -> str | None:
    """The name of what the run has chosen, where that is not the trained model."""
    chosen = record.get("chosen") or {}
    return chosen["name"] if chosen.get("role") == "baseline" else None


def fate(record: dict[str, Any]) -> str:
    """What became of the chosen candidate: `exported`, or `chosen` where no file of it was proven."""
    return "exported" if _proven(record) else "chosen"


def sentence(record: dict[str, Any]) -> str:
    """Whose the files are, and whether the registry was offered them; nothing where they are the trained model's."""
    name, proven = baseline(record), _proven(record)
    if name is None:
        return ""
    if not proven:
        return f"Chosen is the {name}, not the trained model; nothing was exported."
    failed = any(row.get("status") == "failed" for row in record["exports"])
    offered = ", and offered to the registry," if "saved_model" in proven and not failed else ""
    return f"Exported{offered} is the {name}, not the trained model."


def _proven(record: dict[str, Any]) -> set[str]:
    return {row["format"] for row in record.get("exports") or [] if row.get("status") == "proven"}
