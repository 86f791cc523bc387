"""MLflow: a run for each run, below a parent for their sweep, through its client."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from exp.registry.registry import register
from exp.runs.loggers.finished_run import EvaluatedEpoch, FinishedRun, FinishedSweep, StartedRun
from exp.runs.loggers.logger import Logger, Text
from exp.runs.record import RunRecord
from exp.util.errors import ExpError

DATABASE = "sqlite:///mlflow.db"
METRICS, PARAMS = 1000, 100
"""What MLflow takes at once."""
STATUSES = {"done": "FINISHED", "interrupted": "KILLED", "crashed": "KILLED"}
"""MLflow's own; all else has failed. The tag exp.status says it exactly."""
PLACE, IDENTITY, RECORD = "exp.place", "exp.identity", "exp.record"
"""Tags by which a run that is there already is found: digests of its path, of that and its start,
and of its run.json."""
LAST = "exp.last_epoch"
"""Tag: the last epoch whose metrics are there, in a run that has not ended."""
MODEL = "model"
"""The folder of the artifacts with the trained model."""
KIND = {"mlflow.experimentKind": "custom_model_development"}
"""So that MLflow's pages show training, and not what language models need."""
MANNERS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
"""Unless the environment says otherwise: nothing goes anywhere but to the server that was named,
and one that is not there is not waited for for minutes."""


@register.logger("mlflow")
@dataclass(kw_only=True)
class MLflow(Logger):
    """Metrics, params, tags, figures and files in MLflow, with nested runs for a sweep.

    Attributes:
        uri: of the tracking server or database; null: MLFLOW_TRACKING_URI of the environment,
            else sqlite:///mlflow.db in the working directory, with mlartifacts/ beside it.
        experiment: made if it is not there.
        files: whether the files of the run's directory become artifacts; else only its figures.
        model: whether the trained model becomes an artifact that mlflow.pyfunc.load_model reads.
    """

    uri: Text | None = None
    experiment: Text = "exp"
    files: bool = True
    model: bool = True

    NEEDS = "mlflow"

    @property
    def address(self) -> str:
        return self.uri or os.environ.get("MLFLOW_TRACKING_URI") or DATABASE

    def begin(self, sweep: FinishedSweep | None) -> None:
        for name, value in MANNERS.items():
            os.environ.setdefault(name, value)
        from exp.runs.trained import mlflow_model  # mlflow, which is optional, and torch

        self.models: Any = mlflow_model
        self.entities: Any = self.models.mlflow.entities
        self.client: Any = self.models.mlflow.MlflowClient(tracking_uri=absolute(self.address))
        found = self.client.get_experiment_by_name(self.experiment)
        self.id: str = found.experiment_id if found else self._new_experiment()
        self.sweep, self.parent = sweep, self._parent(sweep) if sweep else None
        self.training: dict[Path, str] = {}

    def _new_experiment(self) -> str:
        # Beside a database of our own; a server knows better where its artifacts go.
        place = Path("mlartifacts").absolute().as_uri() if self.address == DATABASE else None
        made = self.client.create_experiment(self.experiment, artifact_location=place, tags=KIND)
        return str(made)

    def _parent(self, sweep: FinishedSweep) -> str:
        """The run of the sweep, which is the same when more of it is logged."""
        for found in self._at(sweep.path):
            self._set_running(found.info.run_id)
            return str(found.info.run_id)
        tags = {PLACE: digest(sweep.path), "exp.directory": str(sweep.path)}
        made = self.client.create_run(self.id, run_name=sweep.name, tags=tags)
        return str(made.info.run_id)

    def _at(self, path: Path) -> Sequence[Any]:
        """The runs that were logged of a directory."""
        found: Sequence[Any] = self.client.search_runs(
            [self.id], filter_string=f"tags.`{PLACE}` = '{digest(path)}'"
        )
        return found

    def start(self, run: StartedRun) -> int:
        found = self._unfinished(self._at(run.path), run) if run.resumed else None
        if found is None:
            self.training[run.path] = self._create(run)
            return -1
        self.training[run.path] = found.info.run_id
        self._set_running(found.info.run_id)
        return int(found.data.tags.get(LAST, -1))

    def _set_running(self, run_id: str) -> None:
        self.client.update_run(run_id, status="RUNNING")
        self.client.set_tag(run_id, "exp.status", "running")

    def _unfinished(self, earlier: Sequence[Any], run: StartedRun) -> Any:
        """The run in MLflow that was started for this run and has not been completed."""
        for each in earlier:
            tags = each.data.tags
            if RECORD not in tags and tags.get(IDENTITY) == run.identity:
                return each
        return None

    def _create(self, run: StartedRun) -> str:
        """A new run in MLflow, with its tags and params; returns its id."""
        tags = {f"exp.{name}": value for name, value in run.tags.items()}
        tags |= {PLACE: digest(run.path), IDENTITY: run.identity}
        if self.parent is not None:
            tags["mlflow.parentRunId"] = self.parent
        if "git_commit" in run.tags:
            tags["mlflow.source.git.commit"] = run.tags["git_commit"]
        start = round(run.started * 1000)
        made = self.client.create_run(self.id, start_time=start, run_name=run.name, tags=tags)
        run_id = str(made.info.run_id)
        params = iter([self.entities.Param(key, value) for key, value in run.params.items()])
        while some := list(islice(params, PARAMS)):
            self.client.log_batch(run_id, params=some)
        return run_id

    def epochs(self, run: StartedRun, rows: Sequence[EvaluatedEpoch]) -> None:
        self._log_epochs(self.training[run.path], rows)

    def _log_epochs(self, run_id: str, rows: Iterable[EvaluatedEpoch]) -> None:
        waiting: list[Any] = []
        last = None
        for row in rows:
            if last is not None and len(waiting) + len(row.values) > METRICS:
                self._send(run_id, waiting, last)
                waiting = []
            when, last = round(row.time * 1000), row.epoch
            waiting += [self.entities.Metric(n, x, when, last) for n, x in row.values.items()]
        if last is not None:
            self._send(run_id, waiting, last)

    def _send(self, run_id: str, metrics: Sequence[Any], last: int) -> None:
        tag = self.entities.RunTag(LAST, str(last))
        self.client.log_batch(run_id, metrics=metrics, tags=[tag])

    def log(self, run: FinishedRun) -> bool:
        earlier = self._at(run.path)
        if any(each.data.tags.get(RECORD) == run.digest for each in earlier):
            return False
        found = self._unfinished(earlier, run)
        self.training.pop(run.path, None)
        run_id = self._create(run) if found is None else found.info.run_id
        last = -1 if found is None else int(found.data.tags.get(LAST, -1))
        self._log_epochs(run_id, run.evaluated(after=last))
        # MLflow's page has a section for each name before a slash, in their order: final scores
        # have none, or else a dot for each of them would stand before all curves.
        dotted = {name.replace("/", "."): value for name, value in run.scores.items()}
        when = round(run.ended * 1000)
        scores = [self.entities.Metric(name, x, when, run.last) for name, x in dotted.items()]
        tags = {f"exp.{name}": value for name, value in run.tags.items()}
        self.client.log_batch(
            run_id, metrics=scores, tags=[self.entities.RunTag(*each) for each in tags.items()]
        )
        for name, path in self._files(run):
            self.client.log_artifact(run_id, str(path), os.path.dirname(name) or None)
        if self.model and run.status == "done":
            self._log_model(run_id, run)
        # Only now it counts as there: whatever else stood here of this directory goes.
        self.client.set_tag(run_id, RECORD, run.digest)
        self._end(run_id, run.status, run.ended)
        for each in earlier:
            if each.info.run_id != run_id:
                self.client.delete_run(each.info.run_id)
        return True

    def _log_model(self, run_id: str, run: FinishedRun) -> None:
        """Logs the model, or why there is none."""
        try:
            with tempfile.TemporaryDirectory() as place:
                folder, record = Path(place, MODEL), RunRecord.at(run.path)
                self.models.save_run(record, folder, trust=run.trusted)
                self.client.log_artifacts(run_id, str(folder), MODEL)
        except ExpError as error:
            self.client.set_tag(run_id, "exp.no_model", str(error))

    def stopped(self, run: FinishedRun | FinishedSweep) -> bool:
        if isinstance(run, FinishedSweep):
            if self.parent is not None:
                self._end(self.parent, "interrupted", time.time())
            return self.parent is not None
        self.training.pop(run.path, None)
        found = self._unfinished(self._at(run.path), run)
        if found is None:
            return False
        if found.info.status == "RUNNING":
            self._end(found.info.run_id, run.status, run.ended)
        return True

    def _files(self, run: FinishedRun) -> list[tuple[str, Path]]:
        return [
            (name, path)
            for name, path in run.files.items()
            if self.files or name.startswith("figures/")
        ]

    def end(self, *, well: bool) -> None:
        if self.parent is None:
            return
        assert self.sweep is not None
        for name, path in self.sweep.files.items():
            self.client.log_artifact(self.parent, str(path), os.path.dirname(name) or None)
        self._end(self.parent, "done" if well else "failed", None)

    def _end(self, run_id: str, status: str, when: float | None) -> None:
        end = None if when is None else round(when * 1000)
        self.client.set_tag(run_id, "exp.status", status)
        self.client.set_terminated(run_id, STATUSES.get(status, "FAILED"), end_time=end)

    @property
    def look(self) -> str:
        if self.address.startswith(("http://", "https://")):
            return self.address
        return f"mlflow ui --backend-store-uri {self.address}"


def absolute(uri: str) -> str:
    """A database of the working directory by its whole path: MLflow keeps it open by its address,
    also when the working directory is another."""
    kind, relative, path = uri.partition("sqlite:///")
    return f"{relative}{Path(path).absolute()}" if relative and not kind else uri


def digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:32]
