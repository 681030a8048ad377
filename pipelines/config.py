"""Configurations: one YAML file a task, `--config FILE` over it, `--set path=value` over both.

A file need only say what it changes: mappings are merged key by key, except `model`, which is replaced whole, since
half of one row and half of another is nobody's intention. Whatever is left wrong is refused with its path, what was
given and what is accepted.
"""

from __future__ import annotations

import copy
import difflib
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pydantic
import yaml
from pydantic import Field

from seqlayers.errors import ConfigurationError

#: The tasks that have a configuration of their own; each is a file in pipelines/configs.
CONFIGS = resources.files("pipelines") / "configs"

#: Configurations beside the tasks' own, for `--config NAME`: harder work, or another question.
VARIANTS = CONFIGS / "variants"

#: What `--classical` takes → the baseline's name in the tables.
CLASSICAL = {"ets": "exponential smoothing", "arima": "ARIMA", "theta": "theta"}


class TrainOptions(pydantic.BaseModel, extra="forbid", strict=True):
    """How a model is fitted by gradients; a model solved in closed form needs none of it."""

    epochs: Annotated[int, Field(ge=1)] = 30
    batch_size: Annotated[int, Field(ge=1)] = 64
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    #: `adagrad` is for weights of which a step moves few, such as those of head `regions`; it needs a larger rate.
    optimizer: Literal["adamw", "adagrad"] = "adamw"
    schedule: Literal["constant", "cosine"] = "cosine"
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    #: Gradients whose joint norm is above this are scaled down to it; null leaves them alone.
    clip_norm: Annotated[float, Field(gt=0)] | None = 1.0
    #: Epochs without a better validation loss before training stops.
    patience: Annotated[int, Field(ge=1)] = 5
    #: XLA: `auto` measures a few training steps with and without it.
    jit: bool | Literal["auto"] = "auto"
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0

    @pydantic.model_validator(mode="after")
    def _together(self) -> Self:
        if self.optimizer == "adagrad" and self.jit is True:
            raise ValueError("optimizer adagrad takes sparse steps, which XLA cannot compile; set jit to auto or false")
        if self.optimizer == "adagrad" and self.weight_decay:
            raise ValueError("optimizer adagrad has no weight decay; leave weight_decay at 0")
        return self


class IntervalOptions(pydantic.BaseModel, extra="forbid", strict=True):
    """The bands around a forecast, calibrated on the validation part."""

    #: The shares of what comes that bands are to cover, none for no bands; a quantile head's own levels replace them.
    bands: list[Annotated[float, Field(ge=0.001, le=0.999)]] = [0.5, 0.8, 0.95]


class DecisionOptions(pydantic.BaseModel, extra="forbid", strict=True):
    """What a classifier says, given its probabilities."""

    #: Of two classes the second is said from this probability on; `auto`: where validation accuracy is highest.
    threshold: Annotated[float, Field(gt=0, lt=1)] | Literal["auto"] = 0.5


class GenerationOptions(pydantic.BaseModel, extra="forbid", strict=True):
    """What is written or composed for the report."""

    #: How many samples, where there are no prompts.
    samples: Annotated[int, Field(ge=0)] = 3
    #: What texts begin with; none: beginnings of lines of the test part.
    prompts: list[str] = []
    #: Tokens of a text, or frames of a piece.
    length: Annotated[int, Field(ge=1, le=100_000)] = 400
    temperature: Annotated[float, Field(gt=0)] = 0.8
    #: How many of the likeliest tokens may come; 0: all. Only of texts.
    top_k: Annotated[int, Field(ge=0)] = 0
    #: The fewest of the likeliest tokens that have this probability together may come. Only of texts.
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0


class ExportOptions(pydantic.BaseModel, extra="forbid", strict=True):
    """What leaves the run; each file is loaded in a fresh process and compared with the model."""

    #: `best` takes what the verdict recommends, a solved baseline included; `model` always the configured model.
    candidate: Literal["best", "model"] = "best"

    formats: list[Literal["saved_model", "litert_float32", "litert_int8"]] = [
        "saved_model",
        "litert_float32",
        "litert_int8",
    ]
    examples: Annotated[int, Field(ge=1)] = 2000


class Configuration(pydantic.BaseModel, extra="forbid"):
    """One run, whole: what stands in a task's YAML file once everything is merged."""

    task: str
    title: str = ""
    source: str | None = None
    #: A file of texts without labels, of the same domain as the source; None for none.
    unlabelled: str | None = None
    data: dict[str, Any] = {}
    model: dict[str, Any]
    #: The simple models that stand first in every table: name → options of the task's own; null takes one out.
    baselines: dict[str, Any] = {}
    train: TrainOptions = TrainOptions()
    intervals: IntervalOptions = IntervalOptions()
    decision: DecisionOptions = DecisionOptions()
    generation: GenerationOptions = GenerationOptions()
    export: ExportOptions = ExportOptions()

    @pydantic.field_validator("baselines")
    @classmethod
    def _wanted(cls, found: dict[str, Any]) -> dict[str, Any]:
        return {name: options for name, options in found.items() if options is not None}

    def to_yaml(self) -> str:
        return yaml.safe_dump(self.model_dump(), sort_keys=False, allow_unicode=True, width=110)

    def digest(self) -> str:
        """A hash of every setting: two runs with the same one differ in their data at most."""
        text = json.dumps(self.model_dump(), sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def task_names() -> list[str]:
    return sorted(p.name.removesuffix(".yaml") for p in CONFIGS.iterdir() if p.name.endswith(".yaml"))


def variant_names() -> list[str]:
    return sorted(p.name.removesuffix(".yaml") for p in VARIANTS.iterdir() if p.name.endswith(".yaml"))


def load(task: str | None, file: Path | None = None, settings: Iterable[str] = ()) -> Configuration:
    """The configuration of a run: the task's own file, `file` over it, `path=value` settings over both."""
    given = _read(file) if file else {}
    task = task or given.get("task")
    if not task:
        raise ConfigurationError("task", "no task named on the command line or in the file.", ", ".join(task_names()))
    if given.get("task", task) != task:
        raise ConfigurationError("task", f"{file} is for '{given['task']}', the command line says '{task}'.")
    if task not in task_names():
        close = difflib.get_close_matches(task, task_names(), 1)
        hint = f" Did you mean '{close[0]}'?" if close else ""
        raise ConfigurationError("task", f"no task '{task}'.{hint}", ", ".join(task_names()))
    merged = _merge(parse((CONFIGS / f"{task}.yaml").read_text(encoding="utf-8"), f"{task}.yaml"), given)
    for setting in settings:
        _set(merged, setting)
    return check(Configuration, merged)


def classical(names: str | None) -> list[str]:
    """Settings that add the classical baselines of `--classical`, such as `ets,arima`."""
    found = []
    for name in filter(None, (names or "").replace(" ", "").split(",")):
        if name not in CLASSICAL:
            raise ConfigurationError("--classical", f"{name!r} given.", ", ".join(CLASSICAL))
        found.append(f"baselines.{CLASSICAL[name]}={{classical: auto_{name}}}")
    return found


def parse(text: str, name: str) -> dict[str, Any]:
    """YAML text → mapping, with `1e-3` read as the number it is."""
    try:
        found = yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise ConfigurationError(name, f"not readable as YAML: {error}") from None
    if not isinstance(found, dict):
        raise ConfigurationError(name, f"a {type(found).__name__} given.", "a mapping of settings")
    return found


def check(model: type[pydantic.BaseModel], values: Mapping[str, Any], path: str = "") -> Any:
    """Validate with pydantic; the first error is put as path, what was given, what is accepted."""
    try:
        return model.model_validate(values)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        names = _path(first["loc"])
        where = ".".join([*([path] if path else []), *names])
        if first["type"] == "extra_forbidden":
            known = _fields_at(model, first["loc"][:-1])
            close = difflib.get_close_matches(names[-1], known, 1)
            hint = f" Did you mean '{close[0]}'?" if close else ""
            raise ConfigurationError(where, f"no such setting.{hint}", ", ".join(known)) from None
        if first["type"] == "missing":
            raise ConfigurationError(where, "missing.") from None
        alternatives = [e for e in error.errors() if _path(e["loc"])[: len(names)] == names]
        told = " or ".join(dict.fromkeys(e["msg"].removeprefix("Value error, ") for e in alternatives))
        raise ConfigurationError(where, f"{first['input']!r} given: {told[:1].lower()}{told[1:]}.") from None


def _path(loc: tuple[int | str, ...]) -> list[str]:
    """Where an error stands, without the names pydantic gives to the alternatives of a union."""
    return [str(part) for part in loc if isinstance(part, int) or not re.search(r"^(int|str|bool|float)$|\[", part)]


def _fields_at(model: Any, loc: tuple[int | str, ...]) -> list[str]:
    for part in loc:
        field = getattr(model, "model_fields", {}).get(part)
        if field is not None and isinstance(field.annotation, type):
            model = field.annotation
    return list(getattr(model, "model_fields", {}))


def is_variant(file: Path) -> bool:
    """Whether `--config` names one of the variants that come along, and no file."""
    return not file.exists() and str(file) in variant_names()


def _read(file: Path) -> dict[str, Any]:
    if is_variant(file):
        return parse((VARIANTS / f"{file}.yaml").read_text(encoding="utf-8"), f"{file}.yaml")
    if not file.exists():
        raise ConfigurationError(
            "--config", f"there is no file {file}.", f"a YAML file, or {', '.join(variant_names())}"
        )
    if file.is_dir():
        raise ConfigurationError("--config", f"{file} is a folder.", "a YAML file")
    try:
        return parse(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError("--config", f"{file} cannot be read: {error}") from None


def _merge(base: Any, over: Any) -> Any:
    if not isinstance(base, dict) or not isinstance(over, dict):
        return copy.deepcopy(over)
    merged = copy.deepcopy(base)
    for key, value in over.items():
        merged[key] = copy.deepcopy(value) if key == "model" else _merge(base.get(key), value)
    return merged


def _set(tree: dict[str, Any], setting: str) -> None:
    path, sign, text = setting.partition("=")
    if not sign or not path:
        raise ConfigurationError("--set", f"{setting!r} given.", "path=value, such as train.epochs=5")
    try:
        value = yaml.load(text, _Loader)
    except yaml.YAMLError:
        value = text
    *parents, last = path.split(".")
    node: Any = tree
    for depth, part in enumerate(parents):
        here = ".".join(parents[: depth + 1])
        if isinstance(node, dict):
            node = node.setdefault(part, {})
            if node is None:
                raise ConfigurationError(
                    path, f"'{here}' is empty, so nothing can be set inside it.", f"--set {here}=…"
                )
        elif isinstance(node, list):
            node = node[_index(node, part, path)]
        else:
            raise ConfigurationError(path, f"'{'.'.join(parents[:depth])}' is {node!r}, not a mapping.")
    if isinstance(node, list):
        index = _index(node, last, path, appending=True)
        node[index : index + 1] = [value]
    elif isinstance(node, dict):
        node[last] = value
    else:
        raise ConfigurationError(path, f"'{'.'.join(parents)}' is {node!r}, not a mapping.")


def _index(node: list[Any], part: str, path: str, appending: bool = False) -> int:
    limit = len(node) + appending
    if not part.isdigit() or int(part) >= limit:
        raise ConfigurationError(
            path, f"no item '{part}' in a list of {len(node)}.", f"0 to {limit - 1}" if limit else ""
        )
    return int(part)


class _Loader(yaml.SafeLoader):
    """SafeLoader that knows 1e-3 for a float, as YAML 1.2 does, and takes no `yes` or `12:30` for anything else."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, expression)
        for tag, expression in resolvers
        if not tag.endswith((":float", ":int", ":bool", ":timestamp"))
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]+$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^(?:[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan)$"),
    list("-+0123456789."),
)
