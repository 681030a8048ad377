"""MLflow, as a run uses it: one run, everything in batches, taken up again after an interruption."""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import json
import os
import re
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.store import TrackingError, connect, explained, file_of, shown, uri_of

if TYPE_CHECKING:
    from mlflow import MlflowClient

#: What MLflow takes in one request.
PARAMS_A_BATCH, METRICS_A_BATCH = 100, 1000
#: Longer values of parameters are cut and end in a hash of the whole, which the artefact configuration.yaml holds.
VALUE_LENGTH = 500


class Tracker:
    """One MLflow run; `run_id` names it."""

    def __init__(self, client: MlflowClient, uri: str, run_id: str, experiment_id: str):
        self.client, self.uri, self.run_id, self.experiment_id = client, uri, run_id, experiment_id
        self._seen: dict[str, set[int]] | None = None

    @classmethod
    def open(cls, home: Path, experiment: str, run_name: str, *, run_id: str | None = None) -> Tracker:
        """Start a run, or go on with one.

        Args:
            home: the folder of `mlflow.db` and `mlartifacts/`, unless $MLFLOW_TRACKING_URI names another store.
            experiment: the experiment's name; made where there is none.
            run_name: what MLflow's pages call the run.
            run_id: the run that an interruption left. One that the store does not know (it was deleted, or another
                store is tracked to now) is replaced by a new one, which carries its id in the tag `continues`.

        $MLFLOW_RUN_ID, which `mlflow run` sets, is joined before anything else.

        Raises:
            TrackingError: the store cannot be used.
        """
        uri = uri_of(home)
        client = connect(uri, create=True)
        with explained(uri):
            given = os.environ.get("MLFLOW_RUN_ID")
            for known in filter(None, (given, run_id)):
                if run := _find(client, known):
                    client.update_run(known, status="RUNNING", name=run_name)
                    return cls(client, uri, known, run.info.experiment_id)
                if known == given:
                    raise TrackingError(
                        f"$MLFLOW_RUN_ID names the run {given}, which is not in {shown(uri)}. Unset it."
                    )
            tags = {"mlflow.user": _user(), "mlflow.source.name": "seqlayers", "mlflow.source.type": "LOCAL"}
            tags |= {"continues": run_id} if run_id else {}
            experiment_id = _experiment(client, uri, experiment)
            new = client.create_run(experiment_id, tags=tags, run_name=run_name)
            return cls(client, uri, new.info.run_id, experiment_id)

    def params(self, settings: Mapping[str, Any]) -> None:
        """Log a configuration, flattened: `{"model": {"encoder": [{"units": 8}]}}` → `model.encoder.0.units`.

        MLflow never changes a parameter, so those that the run already has are left alone.
        """
        from mlflow.entities import Param

        with explained(self.uri):
            had = self.client.get_run(self.run_id).data.params
            fresh = [Param(name, value) for name, value in flatten(settings).items() if name not in had]
            for i in range(0, len(fresh), PARAMS_A_BATCH):
                self.client.log_batch(self.run_id, params=fresh[i : i + PARAMS_A_BATCH])

    def tags(self, tags: Mapping[str, Any]) -> None:
        from mlflow.entities import RunTag

        with explained(self.uri):
            self.client.log_batch(self.run_id, tags=[RunTag(name, str(value)[:5000]) for name, value in tags.items()])

    def metrics(self, values: Mapping[str, Any], prefix: str = "") -> None:
        """Final figures; what is not a number is passed over. `prefix="ridge/"` groups them on MLflow's pages."""
        numbers = {_name(prefix + k): float(v) for k, v in values.items() if isinstance(v, (int, float))}
        self.epochs([(0, numbers)])

    def epochs(self, rows: Iterable[tuple[int, Mapping[str, float]]]) -> None:
        """Log (step, {name: value}) rows in batches; steps that an interrupted run logged already are left out."""
        from mlflow.entities import Metric

        with explained(self.uri):
            seen, now = self._logged(), int(time.time() * 1000)
            fresh = [
                Metric(_name(name), float(value), now, step)
                for step, values in rows
                for name, value in values.items()
                if step not in seen.setdefault(_name(name), set())
            ]
            for i in range(0, len(fresh), METRICS_A_BATCH):
                self.client.log_batch(self.run_id, metrics=fresh[i : i + METRICS_A_BATCH])
            for metric in fresh:
                seen[metric.key].add(metric.step)

    def dataset(self, source: Mapping[str, Any]) -> None:
        """Name the data as the run's input, from a record's `source`: name, sha256, sample, note, rows."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        where = {"uri": source["name"], "sha256": source["sha256"]}
        profile = {"num_rows": source.get("rows"), "sample": source["sample"], "note": source.get("note", "")}
        entity = Dataset(
            name=str(source["name"])[:500],
            digest=source["sha256"][:32],
            source_type="code" if source["sample"] else "local",
            source=json.dumps(where),
            profile=json.dumps(profile),
        )
        context = InputTag("mlflow.data.context", "sample" if source["sample"] else "training")
        with explained(self.uri):
            self.client.log_inputs(self.run_id, [DatasetInput(entity, [context])])

    def artifact(self, path: Path, folder: str | None = None) -> None:
        """Keep a file, or a folder under its own name, among the run's artefacts (below `folder`)."""
        with explained(self.uri):
            if path.is_dir():
                self.client.log_artifacts(self.run_id, str(path), "/".join(filter(None, (folder, path.name))))
            else:
                self.client.log_artifact(self.run_id, str(path), folder)

    def finish(self, status: str = "FINISHED") -> None:
        """Close the run as FINISHED, FAILED or KILLED; a failure of the run is never hidden by one of its tracking."""
        with contextlib.suppress(*(() if status == "FINISHED" else (TrackingError,))), explained(self.uri):
            self.client.set_terminated(self.run_id, status)

    def _logged(self) -> dict[str, set[int]]:
        """The steps that each metric has."""
        if self._seen is None:
            keys = self.client.get_run(self.run_id).data.metrics
            self._seen = {k: {m.step for m in self.client.get_metric_history(self.run_id, k)} for k in keys}
        return self._seen


def flatten(settings: Any, prefix: str = "") -> dict[str, str]:
    """Nested settings → dotted names and texts; a list of plain values stays one parameter."""
    if isinstance(settings, Mapping) and settings:
        items: Iterable[tuple[Any, Any]] = settings.items()
    elif isinstance(settings, (list, tuple)) and any(isinstance(v, (Mapping, list, tuple)) for v in settings):
        items = enumerate(settings)
    else:
        return {_name(prefix): _short(settings if isinstance(settings, str) else json.dumps(settings, default=str))}
    found: dict[str, str] = {}
    for key, value in items:
        found |= flatten(value, f"{prefix}.{key}" if prefix else str(key))
    return found


def _short(text: str) -> str:
    if len(text) <= VALUE_LENGTH:
        return text
    return f"{text[: VALUE_LENGTH - 24]}… sha256:{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _name(text: str) -> str:
    """A name as MLflow takes it."""
    return re.sub(r"[^\w\-. :/]", "_", text)[:250]


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return "unknown"


def _find(client: MlflowClient, run_id: str) -> Any:
    """The run, or None where the store has no such run that is not deleted."""
    from mlflow.exceptions import MlflowException

    try:
        run = client.get_run(run_id)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        return None
    return run if run.info.lifecycle_stage == "active" else None


def _experiment(client: MlflowClient, uri: str, name: str) -> str:
    """The experiment's id; it is made where there is none, with its artefacts beside a local store."""
    from mlflow.exceptions import MlflowException

    if not (found := client.get_experiment_by_name(name)):
        file = file_of(uri)
        place = (file.parent / "mlartifacts" / name).as_uri() if file else None
        try:
            return client.create_experiment(name, artifact_location=place)
        except MlflowException:  # made by another run in this very moment
            if not (found := client.get_experiment_by_name(name)):
                raise
    if found.lifecycle_stage != "active":
        raise TrackingError(
            f"The experiment '{name}' in {shown(uri)} was deleted. Bring it back with "
            f"`MLFLOW_TRACKING_URI='{uri}' mlflow experiments restore -x {found.experiment_id}`."
        )
    return found.experiment_id
