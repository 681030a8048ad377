"""What stands under `data:` in a configuration that classifies texts."""

from __future__ import annotations

from typing import Literal

import pydantic
from pydantic import Field

Tokens = Literal["words", "subwords", "characters", "bytes"]
Keep = Literal["start", "end", "both"]


class TextOptions(pydantic.BaseModel):
    """How a table of texts becomes ids. A column that is None is found by its name; see `data.text_columns`."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True)

    #: The column of texts.
    text: str | None = None
    #: The column of classes: names or whole numbers.
    label: str | None = None
    #: The column of what must not stand on both sides of a border: the film, the author, the customer; `none` for none.
    group: str | None = None
    #: The column that says train, validation or test, where the table has one.
    split: str | None = None
    #: The share of train that is held out for validation, where no part of that name is given.
    validation: float = Field(default=0.1, gt=0, lt=1)
    #: The share of all that is held out for the test, where no part of that name is given.
    test: float = Field(default=0.2, gt=0, lt=1)
    #: Of what is drawn for validation and test.
    seed: int = Field(default=0, ge=0)
    #: What an id stands for. Subwords are pieces of words, learnt from train: a vocabulary of 8,000 goes far.
    tokens: Tokens = "words"
    #: Ids at most, 0 (padding) and 1 (unknown) included.
    vocabulary: int = Field(default=50000, ge=3)
    #: Occurrences in train that a token needs to have an id of its own.
    fewest: int = Field(default=2, ge=1)
    #: Whether upper case is read as lower case.
    lower: bool = True
    #: Tokens kept of a text.
    longest: int = Field(default=2000, ge=1)
    #: Which, of a text that is longer; `both`: one half from the start, the other from the end.
    keep: Keep = "both"
    #: Lengths that batches are padded to; what is longer than all of them goes to `longest`.
    buckets: list[int] = [64, 128, 192, 256, 384, 512, 1024]

    @pydantic.field_validator("buckets")
    @classmethod
    def _rising(cls, found: list[int]) -> list[int]:
        if any(b < 1 for b in found) or sorted(set(found)) != found:
            raise ValueError(f"buckets are lengths of 1 or more, each longer than the one before; {found} given")
        return found
