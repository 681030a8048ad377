"""`seqlayers slots`: the catalogue as a table, one kind at length, or JSON."""

from __future__ import annotations

import inspect
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from seqlayers import slots
from seqlayers.errors import ConfigurationError


def kinds(name: str | None) -> dict[str, dict[str, Any]]:
    """{slot: {kind: {about, arguments, …}}}, whole or only what is called `name` (a kind or a slot)."""
    found = {
        slot: {n: _describe(cls) for n, cls in of_slot.items() if name in (None, slot, n)}
        for slot, of_slot in slots.catalogue().items()
    }
    found = {slot: of_slot for slot, of_slot in found.items() if of_slot}
    if not found:
        known = sorted({n for of_slot in slots.catalogue().values() for n in of_slot})
        raise ConfigurationError(
            "slots", f"no slot or kind '{name}'.{slots.nearest(str(name), known)}", ", ".join(known)
        )
    return found


def _describe(cls: type[slots.Kind]) -> dict[str, Any]:
    doc = inspect.cleandoc(cls.__doc__ or "")
    return {
        "about": doc.split("\n\n")[0].replace("\n", " "),
        "documentation": doc,
        "class": f"{cls.__module__}.{cls.__name__}",
        "arguments": {
            a.name: {
                "type": a.type,
                "required": a.required,
                "default": a.default,
                "search": None if a.search is None else str(a.search),
                "set_by": "task" if a.from_task else "user",
            }
            for a in cls.arguments().values()
        },
    }


def show(console: Console, found: dict[str, dict[str, Any]], name: str | None) -> None:
    """Print the catalogue: a table of all, or each kind of that name with its documentation."""
    alone = name is not None and all(list(of_slot) == [name] for of_slot in found.values())
    for slot, of_slot in found.items():
        for kind, about in of_slot.items():
            if alone:
                console.print(f"[bold]{slot}: {kind}[/]   {about['class']}\n")
                console.print(about["documentation"] + "\n", markup=False)
        console.print(_table(slot, of_slot, alone))
        console.print()
    if not alone:
        console.print(
            "`seqlayers slots KIND` explains one. In a configuration: encoder: [{kind: lstm, units: 64}]", markup=False
        )


def _table(slot: str, of_slot: dict[str, Any], alone: bool) -> Table:
    """A line an argument; where there are several kinds, each stands above its own."""
    table = Table(title=None if alone else slot, title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("argument" if alone else "kind, argument", header_style="dim", no_wrap=True)
    for heading in ("accepted", "default", "searched over"):
        table.add_column(heading, header_style="dim", overflow="fold")
    for kind, about in of_slot.items():
        if not alone:
            table.add_row(f"[cyan]{kind}[/]")
        for name, a in about["arguments"].items():
            cells = (name if alone else f"  {name}", a["type"], _default(a), a["search"] or "")
            table.add_row(*(escape(cell) for cell in cells))
    return table


def _default(argument: dict[str, Any]) -> str:
    if argument["set_by"] == "task":
        return "by the task"
    if argument["required"]:
        return "required"
    return "none" if argument["default"] is None else str(argument["default"])
