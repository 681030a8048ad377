"""What `seqlayers generate` is asked for, checked against what the model can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.predict.output import PredictError

if TYPE_CHECKING:
    from seqlayers.sampling import Sampling

#: Tokens that are generated where nothing else is said, and of frames of notes quarter notes.
LENGTH, QUARTERS = 400, 64
#: Continuations or samples at once at most.
MOST = 1000

#: Options that only some models have a use for, as they stand on the command line.
OF_TEXTS = ("prompt", "stop")
OF_TOKENS = ("top_k", "top_p", "min_p", "repetition_penalty", "beam")
OF_MUSIC = ("opening", "given")
#: Options of a draw, which a search for the likeliest has no use for.
OF_DRAWS = ("temperature", "top_k", "top_p", "min_p", "repetition_penalty", "greedy")


@dataclass(frozen=True)
class Order:
    """The options; None (and False) where nothing was said."""

    prompt: str | None = None
    length: int | None = None
    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None
    greedy: bool = False
    beam: int | None = None
    seed: int = 0
    samples: int | None = None
    stop: str | None = None
    opening: Path | None = None
    given: Path | None = None
    output: Path | None = None

    def said(self, name: str) -> bool:
        return getattr(self, name) not in (None, False)

    def refuse(self, names: tuple[str, ...], reason: str) -> None:
        for name in names:
            if self.said(name):
                raise PredictError(f"{option(name)}: {reason}")

    def check(self, contract: Mapping[str, Any]) -> None:
        """Refuse what does not suit the model, by the option's name.

        Raises:
            PredictError: an option that the model has no use for, or a number out of range.
            ConfigurationError: a setting of the draw out of range.
        """
        if contract["representation"] == "notes":
            self.refuse(OF_TEXTS, "this model composes frames of notes. Continue a piece with --opening FILE.mid.")
            self.refuse(OF_TOKENS, "this model draws note by note; --temperature and --greedy are what it has.")
            if (contract["given"] != "none") != (self.given is not None):
                raise PredictError(
                    "--given: this model composes on its own. Continue a piece with --opening FILE.mid."
                    if self.given is not None
                    else "--given is missing: this model harmonises the top line of a MIDI file."
                )
            if self.given is not None:
                self.refuse(("opening", "length"), "the voice that is given says where the piece begins and ends.")
        elif contract["unit"] == "event":
            self.refuse(OF_TEXTS, "this model composes music. Continue a piece with --opening FILE.mid.")
            self.refuse(("given",), "this model composes on its own. Continue a piece with --opening FILE.mid.")
        else:
            self.refuse(OF_MUSIC, "this model writes text. Continue one with --prompt TEXT.")
        if self.greedy:
            self.refuse(("temperature", *OF_TOKENS), "--greedy takes the likeliest each time, and draws nothing.")
        if self.beam is not None:
            self.refuse(OF_DRAWS, "--beam searches for the likeliest, and draws nothing.")
        for name, least, most in (("length", 1, contract["longest"]), ("samples", 1, MOST), ("beam", 1, MOST)):
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise PredictError(f"{option(name)}: {value:,} given. Accepted: {least} to {most:,}.")
        if not -(2**31) <= self.seed <= 2**31 - 1 - self.rows:
            raise PredictError(f"--seed: {self.seed} given. Accepted: whole numbers of 32 bits.")
        if self.stop == "":
            raise PredictError("--stop: nothing given. Accepted: a text at which to stop.")
        self.sampling.check()

    @property
    def rows(self) -> int:
        return self.samples or 1

    @property
    def sampling(self) -> Sampling:
        from seqlayers.sampling import Sampling

        if self.greedy:
            return Sampling(top_k=1)
        settings = {name: getattr(self, name) for name in OF_DRAWS if name != "greedy"}
        return Sampling(**{name: value for name, value in settings.items() if value is not None})

    @property
    def seeds(self) -> list[int]:
        """A seed a sample, one after the other."""
        return [self.seed + row for row in range(self.rows)]

    def steps(self, contract: Mapping[str, Any]) -> int:
        if self.length is not None or contract["representation"] == "tokens":
            return self.length or LENGTH
        return QUARTERS * contract["frames_a_quarter"]

    def fit(self, contract: Mapping[str, Any], before: int, steps: int, what: str) -> None:
        """Refuse what the model's context does not hold.

        Raises:
            PredictError: what comes before is too long, or it and what is asked for together.
        """
        context, unit = contract["context"], contract["unit"]
        if context is None or before + steps <= context:
            return
        if before >= context:
            raise PredictError(
                f"The {what} has {before:,} {unit}s, and this model can hold {context:,} with what it adds. Give its "
                f"last {context // 2:,} {unit}s or fewer."
            )
        raise PredictError(
            f"--length: {steps:,} given after {before:,} {unit}s of {what}, and this model can hold {context:,} in "
            f"all. Accepted: up to {context - before:,}."
        )


def option(name: str) -> str:
    return "--" + name.replace("_", "-")
