"""One run in this process, outside of Hydra."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from exp.config.schema import Plan, unavailable
from exp.engine import Job, Result
from exp.runs import provenance
from exp.runs.checkpoint import Checkpoint
from exp.runs.console import bar
from exp.runs.directory import RunDirectory
from exp.runs.execute import execute
from exp.runs.log import DATED, LogFile
from exp.runs.loggers.log_runs import logged
from exp.runs.writer import Execution
from exp.util.errors import ConfigError


def train(
    plan: Plan,
    job: Job,
    directory: RunDirectory,
    *,
    start: Checkpoint | None = None,
    more: dict[str, Any] | None = None,
) -> Result:
    """Trains a job and completes its directory.

    Args:
        start: where it goes on.
        more: what run.json is to say besides.
    """
    from exp.plotting import FigureWorker

    worker = FigureWorker() if plan["figures"].name != "none" else None
    try:
        with logged(plan.loggers, directory.path), told(directory) as log, bar(job) as advance:
            execution = Execution(
                job, directory, log=log, origin=provenance.origin(), worker=worker,
                start=start, more=more,
            )  # fmt: skip
            return execute(execution, on_row=lambda training: advance(training.epoch))
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


@contextmanager
def told(directory: RunDirectory) -> Iterator[logging.Logger]:
    """A logger that prints, and adds to the run's log."""
    log = logging.Logger("exp", logging.INFO)
    console = logging.StreamHandler(sys.stdout)
    file = LogFile(directory.log, encoding="utf-8")
    file.setFormatter(logging.Formatter(DATED))
    for handler in (console, file):
        log.addHandler(handler)
    try:
        yield log
    finally:
        file.close()
