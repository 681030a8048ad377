"""What stands under `data:` in a configuration that generates music."""

from __future__ import annotations

from typing import Literal

import pydantic
from pydantic import Field

#: MIDI numbers its pitches from 0; 60 is middle C.
MIDI_PITCHES = 128


class MusicOptions(pydantic.BaseModel):
    """How pieces become frames of notes on a grid, or tokens of events."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True)

    #: `frames`: which pitches sound at each step of a grid; `events`: tokens of note-on, note-off and time.
    representation: Literal["frames", "events"] = "frames"
    #: Frames of a quarter note. The published frame losses of the JSB chorales have one.
    frames_a_quarter: int = Field(default=1, ge=1, le=96)
    #: The lowest MIDI pitch that is kept.
    lowest: int = Field(default=21, ge=0, lt=MIDI_PITCHES)
    #: Pitches from there up: 88 are a piano's.
    pitches: int = Field(default=88, ge=1, le=MIDI_PITCHES)
    #: Pieces of train are also shifted by up to so many semitones either way, where all their notes stay inside.
    transpose: int = Field(default=5, ge=0, le=11)
    #: What is given and what is to be found: `soprano` harmonises the top voice.
    given: Literal["none", "soprano"] = "none"
    #: Frames, or tokens, of a chunk or window.
    window: int = Field(default=64, ge=1)
    #: `streams` carry the state along whole pieces, `windows` are random stretches; `auto`: as the model's kinds can.
    batching: Literal["auto", "streams", "windows"] = "auto"
    #: The share of pieces that is held out for validation, where the source names no such part.
    validation: float = Field(default=0.1, gt=0, lt=1)
    #: The share of pieces that is held out for the test, where the source names no such part.
    test: float = Field(default=0.2, gt=0, lt=1)
    #: Of what is drawn for validation and test.
    seed: int = Field(default=0, ge=0)
    #: Events: steps of a quarter note on their grid.
    steps_a_quarter: int = Field(default=4, ge=1, le=96)
    #: Events: the longest time that one token can pass, in steps of the grid; longer times take several tokens.
    shift_steps: int = Field(default=32, ge=1)

    @pydantic.model_validator(mode="after")
    def _fit_together(self) -> MusicOptions:
        if self.lowest + self.pitches > MIDI_PITCHES:
            raise ValueError(
                f"lowest {self.lowest} and {self.pitches} pitches reach beyond MIDI's last, {MIDI_PITCHES - 1}; "
                f"at most {MIDI_PITCHES - self.lowest} pitches fit"
            )
        if self.validation + self.test >= 1:
            raise ValueError(
                f"validation {self.validation:g} and test {self.test:g} leave nothing to train on; together they are "
                "less than 1"
            )
        if self.representation == "events" and self.given != "none":
            raise ValueError(f"given: {self.given} needs representation: frames; events are given nothing")
        return self

    @property
    def grid(self) -> int:
        """Steps of a quarter note, of frames or of events."""
        return self.frames_a_quarter if self.representation == "frames" else self.steps_a_quarter
