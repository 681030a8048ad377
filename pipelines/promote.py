"""The registry: what beats the naive baseline is registered, and the best of what can be compared is the champion."""

from __future__ import annotations

import hashlib
import json
import tempfile
import warnings
from collections.abc import Mapping
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from pipelines.served_model import SETTINGS, served
from pipelines.store import explained
from pipelines.track import Tracker

#: What a registered model needs where it is loaded.
REQUIREMENTS = ("mlflow", "tensorflow", "numpy")
#: The code that answers for it, kept with each version.
SERVED_MODEL = Path(__file__).with_name("served_model.py")


def offer(tracker: Tracker, record: Mapping[str, Any], saved_model: Path) -> str:
    """Offer what a finished run exported to the registry; returns what became of it, as a sentence.

    What is offered is the candidate that the verdict chose, be it trained or solved. One without skill (its error is
    not below the best naive baseline's) is never registered. Any other becomes the next version of
    `seqlayers-{task}`, or of `seqlayers-{task}-sample` where the data are the built-in sample. It takes the alias
    `champion` when there is none, or when its skill is above the champion's on the same test; else the alias
    `challenger`. To offer a run twice changes nothing.

    Args:
        tracker: the run, still open.
        record: its record.
        saved_model: the exported SavedModel's folder.
    """
    chosen = record["chosen"]["name"]
    skill = next(row["skill"] for row in record["metrics"] if row["name"] == chosen)
    if skill is None:
        said = f"Not registered: the best naive baseline, {record['best_naive']}, has no error to be below"
        tracker.tags({"registered": "no", "why": said})
        return f"{said}."
    if not skill > 0:
        said = f"Not registered: its error is not below that of the best naive baseline, {record['best_naive']}"
        tracker.tags({"registered": "no", "why": said})
        return f"{said} (skill {skill:.3f})."
    name = f"seqlayers-{record['task']}" + ("-sample" if record["source"]["sample"] else "")
    with explained(tracker.uri):
        champion = _alias(tracker, name, "champion")
        facts = {"skill": repr(float(skill)), "test": test_of(record), "slots": chosen}
        version = _register(tracker, name, saved_model, facts)
        alias, why = _rank(version, skill, facts["test"], champion)
        tracker.client.set_registered_model_alias(name, alias, version)
    tracker.tags({"registered": f"{name} {version}", "why": why})
    what = "Registered" if record["chosen"]["role"] == "model" else f"The {chosen} is registered"
    return f"{what} as {name}, version {version}: {alias}, {why}."


def test_of(record: Mapping[str, Any]) -> str:
    """A hash of what a model is tested on; skills are compared where it is the same.

    It covers the data and their repairs, what is predicted, and what the test part is.
    """
    test = [part for part in record["splits"] if part["part"] == "test"]
    parts = [record["source"]["sha256"], record["repairs"], record["question"], test]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _rank(version: str, skill: float, test: str, champion: Any) -> tuple[str, str]:
    """The alias of a new version, and why."""
    if champion is None:
        return "champion", "the first of its name"
    if str(champion.version) == version:
        return "champion", "as before"
    if champion.tags.get("test") != test:
        return "challenger", (
            f"since the champion (version {champion.version}) was tested on other data, targets or horizon and the "
            f"two cannot be compared (`seqlayers ui` shows both and can move the alias)"
        )
    best = float(champion.tags["skill"])
    if skill > best:
        return "champion", f"its skill of {skill:.3f} is above version {champion.version}'s {best:.3f} on the same test"
    return (
        "challenger",
        f"its skill of {skill:.3f} is not above the champion's (version {champion.version}, {best:.3f})",
    )


def _alias(tracker: Tracker, name: str, alias: str) -> Any:
    """The version that holds an alias, or None."""
    found = tracker.client.search_registered_models(f"name = '{name}'")
    number = found[0].aliases.get(alias) if found else None
    return tracker.client.get_model_version(name, number) if number else None


def _register(tracker: Tracker, name: str, saved_model: Path, facts: Mapping[str, str]) -> str:
    """Log the SavedModel as a model of the run and make it a version of `name`, once a run; returns the version."""
    import mlflow
    from mlflow.entities import LoggedModelStatus
    from mlflow.exceptions import MlflowException

    client = tracker.client
    had = client.search_model_versions(f"name = '{name}' and run_id = '{tracker.run_id}'")
    if had:
        return str(had[0].version)
    model = client.create_logged_model(
        tracker.experiment_id, name, tracker.run_id, tags=dict(facts), model_type="seqlayers"
    )
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it would rather infer the signature than be given it
        place = str(Path(folder) / "model")
        mlflow.pyfunc.save_model(
            place,
            loader_module=SERVED_MODEL.stem,
            code_paths=[str(SERVED_MODEL)],
            data_path=str(saved_model),
            signature=signature_of(saved_model),
            pip_requirements=[f"{package}=={installed(package)}" for package in REQUIREMENTS],
        )
        client.log_model_artifacts(model.model_id, place)
    client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    made = client.create_model_version(
        name, model.artifact_location, tracker.run_id, tags=dict(facts), model_id=model.model_id
    )
    return str(made.version)


def signature_of(saved_model: Path) -> Any:
    """The SavedModel's signature that answers, as an MLflow one: names, types and shapes, -1 where any size goes.

    The settings of a generation are parameters, which may be left out.
    """
    import numpy as np
    import tensorflow as tf
    from mlflow.models import ModelSignature
    from mlflow.types import ParamSchema, ParamSpec, Schema, TensorSpec
    from tensorflow.core.protobuf import saved_model_pb2

    stored = saved_model_pb2.SavedModel.FromString((saved_model / "saved_model.pb").read_bytes())
    signatures = stored.meta_graphs[0].signature_def
    signature = signatures[served(signatures)]
    settings = {name: SETTINGS[name] for name in sorted(signature.inputs) if name in SETTINGS}
    inputs = {name: info for name, info in signature.inputs.items() if name not in SETTINGS}
    kinds = {int: "long", float: "double"}
    params = [ParamSpec(name, kinds[type(value)], value) for name, value in settings.items()]

    def schema(tensors: Mapping[str, Any]) -> Schema:
        return Schema(
            [
                TensorSpec(
                    np.dtype(tf.dtypes.as_dtype(info.dtype).as_numpy_dtype),
                    [d.size for d in info.tensor_shape.dim],
                    name,
                )
                for name, info in sorted(tensors.items())
            ]
        )

    return ModelSignature(
        inputs=schema(inputs), outputs=schema(signature.outputs), params=ParamSchema(params) if params else None
    )
