"""MLflow, with its own variables: MLFLOW_TRACKING_URI, MLFLOW_EXPERIMENT_NAME and the
others.

Where they say nothing it writes what MLflow itself would: mlflow.db and mlruns/ in the
working directory, which `mlflow ui` shows.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from equipoise.runs.trackers.base import (
    PROJECT,
    Status,
    flat,
    keep_id,
    kept_id,
    register,
    require,
    without_usage_data,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient

MAX_BATCH = 100  # of numbers, or of settings, that MLflow takes at once
MAX_VALUE = 500  # characters of a setting, or of a text beside the name of a run
NOT_IN_NAMES = re.compile(r"[^\w\-. /]")
STATUS: Mapping[Status, str] = {"finished": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}


@register("mlflow")
class MLflowTracker:
    """Records a run of MLflow.

    Args:
        run: The run's directory, whose name it has.

    Raises:
        RequestError: MLflow is not installed.
    """

    def __init__(self, run: Path) -> None:
        require("mlflow", "MLflow", "mlflow")
        self.folder = run

    def start(self, step: int, config: Mapping[str, Any]) -> None:
        with without_usage_data("MLFLOW_DISABLE_TELEMETRY", "true"):
            from mlflow import MlflowClient

        self.client: MlflowClient = MlflowClient()
        self.run: str = _open_run(self.client, self.folder)
        self._set_params({name: str(value)[:MAX_VALUE] for name, value in flat(config).items()})

    def _set_params(self, params: Mapping[str, str]) -> None:
        """Set settings, which MLflow does not change: what another start set otherwise
        becomes a tag."""
        from mlflow.entities import Param, RunTag

        before = self.client.get_run(self.run).data.params
        new = [Param(_key(name), value) for name, value in params.items() if name not in before]
        changed = [
            RunTag(_key(name), value)
            for name, value in params.items()
            if before.get(name, value) != value
        ]
        for first in range(0, len(new), MAX_BATCH):
            self.client.log_batch(self.run, params=new[first : first + MAX_BATCH])
        self.client.log_batch(self.run, tags=changed)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [Metric(_key(name), value, now, step) for name, value in values.items()]
        for first in range(0, len(metrics), MAX_BATCH):
            self.client.log_batch(self.run, metrics=metrics[first : first + MAX_BATCH])

    def text(self, step: int, name: str, text: str) -> None:
        self.client.log_text(self.run, text, f"{name}/{step:09d}.txt")
        if "\n" not in text:
            self.client.set_tag(self.run, _key(name), text[:MAX_VALUE])

    def image(self, step: int, name: str, path: Path) -> None:
        from PIL import Image

        with Image.open(path) as image:
            self.client.log_image(self.run, image.convert("RGB"), key=name, step=step)

    def close(self, status: Status) -> None:
        self.client.set_terminated(self.run, STATUS[status])


def _open_run(client: MlflowClient, folder: Path) -> str:
    """The id of the directory's run, which goes on, or of a new one where this store
    has none of it."""
    from mlflow.exceptions import MlflowException

    if identifier := kept_id(folder, "mlflow"):
        try:
            found = client.get_run(identifier)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
        else:
            if found.info.lifecycle_stage == "active":
                client.update_run(identifier, status="RUNNING")
                return identifier
    made = client.create_run(_experiment(client), run_name=folder.resolve().name)
    return keep_id(folder, "mlflow", str(made.info.run_id))


def _experiment(client: MlflowClient) -> str:
    """The id of the experiment that MLflow's variables name, or of Equipoise's own."""
    from mlflow.exceptions import MlflowException

    if given := os.environ.get("MLFLOW_EXPERIMENT_ID"):
        return given
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or PROJECT
    if (found := client.get_experiment_by_name(name)) is not None:
        return str(found.experiment_id)
    try:
        return str(client.create_experiment(name))
    except MlflowException:  # another training has just created it
        found = client.get_experiment_by_name(name)
        if found is None:
            raise
        return str(found.experiment_id)


def _key(name: str) -> str:
    """A name as MLflow takes it: some characters replaced, a path without steps
    upwards."""
    parts = NOT_IN_NAMES.sub("_", name).split("/")
    return "/".join(part if part.strip(".") else "_" for part in parts)
