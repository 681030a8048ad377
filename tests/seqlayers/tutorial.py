"""The tutorial's code blocks: read from `seqlayers/README.md`, and run as a reader would, one after the other."""

from __future__ import annotations

import contextlib
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "seqlayers" / "README.md"
PICTURES = PAGE.parent / "pictures"

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PRINTED = re.compile(r"^#> (.*)$", re.MULTILINE)
NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]\d+)?")


@dataclass(frozen=True)
class Block:
    """A block of Python, and what stands in it as its output, behind `#>`."""

    section: str
    line: int
    code: str

    @property
    def printed(self) -> str:
        return "\n".join(PRINTED.findall(self.code))

    def __str__(self) -> str:
        return f"{self.section} (line {self.line})"


def blocks() -> list[Block]:
    """The page's blocks in their order, each with the heading that it stands under."""
    text, found = PAGE.read_text(encoding="utf-8"), []
    for match in BLOCK.finditer(text):
        before = BLOCK.sub("", text[: match.start()])
        heading = re.findall(r"^#+ (.*)$", before, re.MULTILINE)[-1]
        found.append(Block(heading, text.count("\n", 0, match.start(1)) + 1, match[1]))
    return found


def pictures(section: str) -> list[str]:
    """The files of the pictures that stand in a section."""
    part = PAGE.read_text(encoding="utf-8").partition(f"# {section}\n")[2].partition("\n## ")[0]
    return re.findall(r"^!\[[^\]]+\]\(pictures/([^)]+)\)$", part, re.MULTILINE)


def run(block: Block, names: dict[str, Any]) -> str:
    """What a block prints, run among the names that the blocks before it have left."""
    code = "\n" * (block.line - 1) + block.code  # so that a traceback has the page's line numbers
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(code, str(PAGE), "exec"), names)
    return out.getvalue()


def same(printed: str, expected: str) -> bool:
    """Whether the words are equal, and the numbers as far as they are stated.

    Numbers with a fraction may differ by one in their last digit, those with an exponent by a factor of ten, whole
    numbers, which are counts, not at all.
    """
    if NUMBER.sub("0", printed).split() != NUMBER.sub("0", expected).split():
        return False
    return all(map(_near, NUMBER.findall(printed), NUMBER.findall(expected)))


def _near(found: str, stated: str) -> bool:
    if "e" in stated:
        return 0.1 <= float(found) / float(stated) <= 10
    digits = len(stated.partition(".")[2])
    return abs(float(found) - float(stated)) <= (1.001 * 10.0**-digits if digits else 0)
