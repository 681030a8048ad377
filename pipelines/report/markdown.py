"""What the model cards of all families share: text that Markdown takes as text, and the parts that are alike."""

from __future__ import annotations

from typing import Any

from pipelines.report import numbers, shipped, tables
from pipelines.report.palette import rival


def card(record: dict[str, Any], verdict: str, sections: dict[str, str]) -> str:
    """Title, what must be known first, the verdict, and each section below its head."""
    blocks = [
        f"# {plain(record.get('title'))}",
        notice(record),
        plain(verdict),
        *([f"**{plain(said)}**"] if (said := shipped.sentence(record)) else []),
        *(f"## {head}\n\n{text}" for head, text in sections.items()),
    ]
    return "\n\n".join(b.strip() for b in blocks if b.strip()) + "\n"


def notice(record: dict[str, Any]) -> str:
    if not source(record).get("sample"):
        return ""
    return (
        "> **SAMPLE.** Trained on the built-in sample: the numbers say that the run works, and nothing about the world."
    )


def model(record: dict[str, Any]) -> str:
    """What the files beside the card hold: the trained model, or a simple one beside which it was trained."""
    given, name = record.get("model") or {}, shipped.baseline(record)
    count = given.get("parameters")
    parameters = f" ({numbers.whole(count)} parameters)" if numbers.is_number(count) else ""
    tag = f"`{code(given.get('tag'))}`{parameters}"
    return f"Model: {f'the {plain(name)}, a simple model beside which {tag} was trained' if name else tag}."


def origin(record: dict[str, Any], holds: str) -> list[str]:
    """Lines of where the data come from and what they hold."""
    given = source(record)
    name = f"{plain(given.get('name'))}{' (SAMPLE)' if given.get('sample') else ''}"
    return [f"- Source: {name}, {holds}", f"- SHA-256: `{code(given.get('sha256'))}`"]


def losses(record: dict[str, Any], key: str, naive: str) -> list[str]:
    """Where what is exported is no better than something simpler.

    Args:
        record: of the run.
        key: of the error that candidates are compared by.
        naive: what is said where it has no skill.
    """
    rows = {row["name"]: row for row in record.get("metrics") or []}
    trained: dict[str, Any] = next((r for r in rows.values() if r.get("role") == "model"), {})
    ours = rows.get(shipped.baseline(record) or "", trained)
    found = []
    if numbers.is_number(ours.get("skill")) and ours["skill"] <= 0:
        found.append(f"{naive}: not to be used.")
    other = rows.get(rival(record) or "", {})
    both = [r.get(key) for r in (ours, other)]
    if ours is not other and all(map(numbers.is_number, both)) and both[1] <= both[0]:
        quicker = (other.get("seconds") or 0) < (ours.get("seconds") or 0)
        found.append(f"The {plain(other['name'])} is at least as good{', and quicker to fit' if quicker else ''}.")
    return found


def cleaned(record: dict[str, Any]) -> list[str]:
    """Lines of what was repaired and of the checks that passed."""
    total, listed = tables.repairs(record)
    lines = [f"- {plain(total)}", *(f"  - {plain(text)}" for text in listed)]
    passed = [plain(c["name"]) for c in record.get("checks") or [] if c.get("passed")]
    if passed:
        lines += [f"- {numbers.count(len(passed), 'leak check').capitalize()} passed:", *(f"  - {n}" for n in passed)]
    return lines


def metrics(table: tables.Table, first: str) -> str:
    """The candidates' table, the best of each column in bold."""
    heads = [first, *(f"{name} ({plain(unit)})" if unit else name for name, unit in table.heads)]
    lines = [row(heads), row(["---", *["---:"] * len(table.heads)])]
    for line in table.lines:
        name = f"**{plain(line.name)}** (model)" if line.style == "model" else plain(line.name)
        name += f" ({line.chosen})" if line.chosen else ""
        lines.append(row([name, *(f"**{c.text}**" if c.best else c.text for c in line.cells)]))
    return "\n".join(lines)


def exports(record: dict[str, Any], metric: str) -> str:
    """A line an export; `metric` heads the column of the task's own error."""
    rows = tables.exports(record)
    if not rows:
        return "None."
    lines = [["format", "status", "max error", metric, "size", "note"], ["---", "---", "---:", "---:", "---:", "---"]]
    lines += [[plain(r[k]) for k in ("format", "status", "error", "metric", "size", "note")] for r in rows]
    return "\n".join(map(row, lines))


def bullets(lines: list[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def again(record: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in (record.get("versions") or {}).items())
    facts = [f"seed {record.get('seed')}", f"commit {record.get('commit') or 'none'}", versions]
    command = " ".join(str(record.get("command") or "").splitlines())
    return (f"    {command}\n\n" if command else "") + plain("; ".join(filter(None, facts))) + "."


def source(record: dict[str, Any]) -> dict[str, Any]:
    return record.get("source") or {}


def row(cells: list[str]) -> str:
    return "| " + " | ".join(c.replace("\n", " ") for c in cells) + " |"


def plain(text: Any) -> str:
    """Text that Markdown and the HTML inside it take as text."""
    said = " ".join(str("" if text is None else text).split())
    for sign in ("\\", "`", "*", "_", "[", "]", "|", "#"):
        said = said.replace(sign, "\\" + sign)
    return said.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def code(text: Any) -> str:
    """Text between backticks."""
    return " ".join(str("" if text is None else text).split()).replace("`", "'")
