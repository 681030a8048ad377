"""The error that a wrong configuration is refused with; importable without Keras, which takes seconds."""

from __future__ import annotations


class ConfigurationError(ValueError):
    """A configuration that cannot be built: says where, what was given and what is accepted."""

    def __init__(self, path: str, problem: str, accepted: str = ""):
        self.path, self.problem, self.accepted = path, problem, accepted
        super().__init__(f"{path}: {problem}" + (f" Accepted: {accepted}." if accepted else ""))
