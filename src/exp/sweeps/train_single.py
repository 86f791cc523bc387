"""One run in this process, outside of Hydra."""

from __future__ import annotations

from typing import Any

from exp.config.schema import Plan, unavailable
from exp.engine import Job, Result
from exp.runs import provenance
from exp.runs.checkpoint import Checkpoint
from exp.runs.console import progress_bar
from exp.runs.directory import RunDirectory
from exp.runs.execute import execute
from exp.runs.log import printed_log
from exp.runs.loggers.log_runs import logged
from exp.runs.writer import RunWriter
from exp.util.errors import ConfigError


def train(
    plan: Plan,
    job: Job,
    directory: RunDirectory,
    *,
    start: Checkpoint | None = None,
    extra: dict[str, Any] | None = None,
) -> Result:
    """Trains a job and completes its directory.

    Args:
        start: where it goes on.
        extra: what run.json is to say besides.
    """
    from exp.plotting import FigureWorker

    worker = FigureWorker() if plan["figures"].name != "none" else None
    try:
        with (
            logged(plan.loggers, directory.path),
            printed_log(directory) as log,
            progress_bar(job) as hooks,
        ):
            writer = RunWriter(
                job, directory, log=log, origin=provenance.origin(), worker=worker,
                start=start, extra=extra,
            )  # fmt: skip
            return execute(writer, hooks=hooks)
    finally:
        if worker is not None:
            worker.close()


def can_log(plan: Plan) -> None:
    """
    Raises:
        ConfigError: a logger of the plan is not installed here.
    """
    if faults := unavailable(plan.config):
        raise ConfigError(faults)
