"""What stands under `data:` in a configuration that learns to write texts."""

from __future__ import annotations

from typing import Literal

import pydantic
from pydantic import Field

CorpusTokens = Literal["characters", "bytes", "words", "subwords"]
Batching = Literal["auto", "streams", "windows"]
#: Which files of a folder are texts.
FILES = ("*.txt", "*.text", "*.md", "*.rst")


class CorpusOptions(pydantic.BaseModel):
    """How texts become streams of tokens."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True)

    #: What an id stands for. Subwords are pieces of words, learnt from train.
    tokens: CorpusTokens = "characters"
    #: Ids at most, 0 (padding) and 1 (unknown) included; bytes always have 258.
    vocabulary: int = Field(default=10_000, ge=3)
    #: Occurrences in train that a token needs to have an id of its own; a piece of several letters needs 2 at least.
    fewest: int = Field(default=1, ge=1)
    #: The share of all characters, the first ones, that is held out for validation.
    validation: float = Field(default=0.03, gt=0, lt=1)
    #: The share of all characters, the last ones, that is held out for the test.
    test: float = Field(default=0.1, gt=0, lt=1)
    #: Steps of a chunk or window: how far back gradients reach.
    window: int = Field(default=128, ge=1)
    #: Chunks that go on where the ones before ended, or windows drawn anywhere; `auto` asks the model's kinds.
    batching: Batching = "auto"
    #: Which files of a folder are read, and of the folders in it.
    files: list[str] = Field(default=list(FILES), min_length=1)

    @pydantic.model_validator(mode="after")
    def _train_is_left(self) -> CorpusOptions:
        if self.validation + self.test >= 1:
            raise ValueError(
                f"validation {self.validation:g} and test {self.test:g} leave nothing to train on; together they are "
                "less than 1"
            )
        return self
