"""The table of what each kind can do, made from the cases that `check_kind` proves or sees refused.

python -m tests.seqlayers.capabilities        # writes seqlayers/KINDS.md, which a test holds against this
"""

from __future__ import annotations

from pathlib import Path

from seqlayers import slots
from seqlayers.example import Example
from tests.seqlayers.cases import CASES

PAGE = Path(__file__).resolve().parents[2] / "seqlayers" / "KINDS.md"

#: Heading → the capability in `refusals()`; causality is an attribute of its own.
COLUMNS = {
    "causal": "causal",
    "streams": "streams",
    "masks": "masks",
    "any length": "dynamic_time",
    "XLA": "xla",
    "half precision": "mixed_precision",
    "LiteRT": "litert",
    "int8": "int8",
    "JAX": "jax",
}

HEAD = """# What each kind can do

Made by `python -m tests.seqlayers.capabilities` from the cases in `tests/seqlayers/cases`: every ✓ is proven by
`check_kind` on every case of the kind, every refusal is seen to be raised, in the kind's name.

- **causal**: no output depends on a later input. **streams**: the whole, chunks from a state handed on and single steps
  are equal to 1e-5. **masks**: padding is as if it were not there. **any length**: one compiled graph for all lengths.
- **XLA**: a training step compiled by XLA gives the plain step's loss and weights. **half precision**: mixed float16
  and bfloat16 are finite and near float32. **LiteRT**: converts to builtin operations and equals Keras; steps too.
  **int8**: the same with weights in eight bits, near float32. **JAX**: the same numbers on that backend.
- `some`: with some options; the notes below say which.
- `·`: the column says nothing about the kind, such as the length about what has no time axis.
"""


def meaningless(example: Example, capability: str) -> bool:
    """Whether a capability says nothing of a kind: heads on pooled features have no time axis to speak of."""
    head = slots.get("head", example.configuration["kind"]) if example.slot == "head" else None
    if head is not None and head.takes == "ids" and not head.per_step:
        return capability == "causal"
    return head is not None and not head.per_step and capability in ("causal", "streams", "masks", "dynamic_time")


def table() -> str:
    """The whole page."""
    examples: dict[tuple[str, str], list[tuple[str, Example]]] = {}
    for name, example in CASES.items():
        of = example.position if example.position else example.configuration
        slot = "position" if example.position else example.slot
        examples.setdefault((slot, of["kind"]), []).append((name, example))
    lines, notes = [HEAD], []
    for slot, kinds in slots.catalogue().items():
        lines += [f"\n## {slot}\n", f"| kind | {' | '.join(COLUMNS)} |", "|---|" + "---|" * len(COLUMNS)]
        notes = []
        for kind in kinds:
            cells = []
            for heading, capability in COLUMNS.items():
                can, reasons = 0, {}
                cases = examples[slot, kind]
                if all(meaningless(e, capability) for _, e in cases):
                    cells.append("·")
                    continue
                for _, example in cases:
                    layer = example.layer()
                    if capability == "causal":
                        can += layer.causal
                    elif capability in layer.refusals():
                        reasons[layer.refusals()[capability]] = None
                    else:
                        can += 1
                cells.append("✓" if can == len(cases) else "some" if can else "no")
                notes += [f"- `{kind}`, {heading}: {reason}" for reason in reasons]
            lines.append(f"| `{kind}` | {' | '.join(cells)} |")
        if notes:
            lines += ["", *notes]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(table(), encoding="utf-8")
    print(f"Written: {PAGE}")
