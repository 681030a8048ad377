"""An exported generator as a stream: a state, and steps from it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.export import load
from pipelines.export.runner import STATE, Arrays
from pipelines.predict.output import PredictError


class Stream:
    """`initial_state` and `step` of an exported file; of a LiteRT file one row after the other.

    Raises:
        PredictError: the model is no generator, or cannot go step by step.
    """

    def __init__(self, model: Path):
        exported = load.find(Path(model))
        self.path, self.contract = exported.path, exported.contract
        family = self.contract.get("family")
        if family != "generate":
            use = {"forecast": "seqlayers predict --input", "classify": "seqlayers predict --text"}.get(str(family))
            raise PredictError(
                f"{exported.path} does not generate (its family is {family!r})." + (f" Use {use}." if use else "")
            )
        if reason := self.contract["no_stream"]:
            raise PredictError(f"{exported.path} cannot go step by step, and so cannot generate: {reason}")
        self._exported, self.is_litert = exported, exported.is_litert

    @cached_property
    def _signature(self) -> Any:
        return self._exported.signatures()

    @cached_property
    def _step(self) -> Any:
        return self._signature("step")

    def start(self, rows: int, given: np.ndarray | None = None) -> Arrays:
        """The state of each row before its first step.

        Args:
            rows: how many.
            given: the voice that is given, int32 (time, pitches), of a model that harmonises; the same for all rows.
        """
        if given is not None:
            found = self._signature("initial_state")({"given": given[None]})
            return {name: np.repeat(x, rows, axis=0) for name, x in found.items()}
        if self.is_litert:
            return {name: np.repeat(x, rows, axis=0) for name, x in self._signature("initial_state")({}).items()}
        return self._signature("initial_state")({"rows": np.zeros(rows, "int32")})

    def step(self, inputs: dict[str, Any], state: Any) -> tuple[Arrays, Arrays]:
        """One step of every row: what is read and the state → what comes out, and the state after it."""
        found = self._step({name: np.asarray(x) for name, x in {**inputs, **state}.items()})
        after = {name: x for name, x in found.items() if name.startswith(STATE)}
        return {name: x for name, x in found.items() if name not in after}, after

    def token(self, ids: Any, state: Any) -> tuple[Any, Any]:
        """A step of a model of tokens, as `seqlayers.generation` takes it: ids (batch,) → logits and state."""
        outputs, after = self.step({"token": ids}, state)
        return outputs["logits"], after
