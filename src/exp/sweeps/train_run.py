"""Trains one run in this process."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import run_job
from hydra.errors import HydraException
from hydra.types import HydraContext
from omegaconf import DictConfig, OmegaConf, read_write
from omegaconf.errors import OmegaConfBaseException

from exp.config import environment
from exp.config.compose import resolved, slug
from exp.config.hydra_errors import one_line as hydra_error
from exp.config.hydra_internal import Callbacks
from exp.config.interpolation import bounded
from exp.config.plan import Plan, plan, unavailable
from exp.config.settings import run_settings
from exp.engine import Hook, Job, Result, check_job
from exp.plotting import FigureWorker
from exp.runs import provenance, reuse
from exp.runs.checkpoint import Checkpoint
from exp.runs.directory import RunDirectory
from exp.runs.execute import execute
from exp.runs.live import watched
from exp.runs.log import printed_log
from exp.runs.loggers.log_runs import log
from exp.runs.loggers.log_training import logged_while_training
from exp.runs.writer import RunWriter
from exp.sweeps.draw_sweep import of_each_run
from exp.sweeps.hydra_setup import HydraApp
from exp.util.errors import (
    ConfigError,
    CustomCodeError,
    ExpError,
    Fault,
    RunDirectoryError,
    shown,
)
from exp.util.files import reason_of
from exp.util.terminal import one_line

Lines = Callable[[RunDirectory], AbstractContextManager[logging.Logger]]
"""Where the lines of a run go."""


@dataclass(frozen=True)
class Ran:
    """What became of the run of a command line.

    Attributes:
        path: its directory, or that of an earlier run of the same signature (run.reuse).
        result: None for an earlier run.
    """

    path: Path
    job: Job
    result: Result | None

    @property
    def exit_code(self) -> int:
        return 3 if self.result is not None and self.result.end_reason == "diverged" else 0


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
    worker = FigureWorker() if plan["figures"].name != "none" else None
    try:
        with (
            logged_while_training(plan.loggers, directory.path) as sending,
            printed_log(directory) as lines,
            watched(job) as hooks,
        ):
            writer = RunWriter(
                job, directory, log=lines, origin=provenance.origin(), worker=worker,
                start=start, extra=extra,
            )  # fmt: skip
            return execute(writer, hooks=[*hooks, *sending])
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


def train_composed(
    hydra: HydraApp,
    config: DictConfig,
    name: str,
    found: Plan,
    worker: FigureWorker | None,
    lines: Lines | None,
) -> Ran:
    """Trains a composed config, as Hydra runs a job: with its directory, callbacks and logging.

    Args:
        name: of the primary config.
        found: the plan of the config.
        worker: draws the figures.
        lines: where the lines of the run go; None: where Hydra's node has them go.
    """
    try:
        job = Job.of(found)
        check_job(job)
    except CustomCodeError as error:
        raise error.of(config.hydra.overrides.task) from error
    for line in hydra.config_loader.left_out:
        print(line, flush=True)
    if (finished := finished_before(job, config)) is not None:
        if found.loggers:
            log(found.loggers, [finished])
        return Ran(finished, job, None)
    HydraConfig.instance().set_config(config)
    callbacks, path = callbacks_and_path(config)
    directory = RunDirectory(path)
    directory.claim()
    # Hydra reads the directory once more from its config: the same one, whatever the clock says.
    with read_write(config.hydra):
        config.hydra.run.dir = str(path)
    callbacks.on_run_start(config=config, config_name=name)

    results: list[Result] = []
    errors: list[Exception] = []
    sending: list[Hook] = []

    def task(_: DictConfig) -> Result:
        hydras = nullcontext(logging.getLogger("exp"))
        with hydras if lines is None else lines(directory) as log, watched(job) as hooks:
            writer = RunWriter(job, directory, log=log, origin=provenance.origin(), worker=worker)
            try:
                results.append(execute(writer, hooks=[*hooks, *sending]))
                return results[0]
            except Exception as error:
                errors.append(error)  # Hydra would print it in its own way
                raise

    with logged_while_training(found.loggers, path) as more:
        sending += more
        try:
            done = run_job(
                task_function=task,
                config=config,
                job_dir_key="hydra.run.dir",
                job_subdir_key=None,
                hydra_context=HydraContext(config_loader=hydra.config_loader, callbacks=callbacks),
                configure_logging=lines is None,
            )
        except OSError as error:  # of the files that Hydra writes
            reason = reason_of(error)
            raise RunDirectoryError(f"cannot write in {directory.path}: {reason}") from error
        callbacks.on_run_end(config=config, config_name=name, job_return=done)
        for failed in errors:
            if isinstance(failed, CustomCodeError):
                raise failed.of(config.hydra.overrides.task) from failed
            raise failed
    return Ran(path, job, results[0])


def finished_before(job: Job, config: DictConfig) -> Path | None:
    """Reports a finished run of the same signature; returns it if it is to be used instead."""
    node = OmegaConf.select(config, "run")
    settings, _ = run_settings({} if node is None else OmegaConf.to_container(node, resolve=True))
    if settings.reuse is False:
        return None
    found = reuse.find(job.signature, provenance.conditions(job.device))
    if found is None:
        return None
    place = one_line(str(found))
    if settings.reuse is True:
        print(f"the same run has already finished, and run.reuse=true: {place}", flush=True)
        return found
    print(f"the same run has already finished: {place}", flush=True)
    return None


@bounded()
def callbacks_and_path(config: DictConfig) -> tuple[Callbacks, Path]:
    """The callbacks and the run directory that Hydra's node names.

    Raises:
        ConfigError: they cannot be made.
    """
    try:
        with environment.name_of_variable(config, slug):
            path = Path(str(config.hydra.run.dir))
        if "${" in str(path.absolute()):
            what = "contains ${, which Hydra would read as a reference: start from another folder"
            raise ConfigError([Fault("hydra.run.dir", f"{shown(str(path.absolute()))} {what}")])
        if "\0" in str(path):
            raise ConfigError([Fault("hydra.run.dir", f"no file is named {shown(str(path))}")])
        return Callbacks(config), path.absolute() if config.hydra.job.chdir else path
    except (HydraException, OmegaConfBaseException) as error:
        where = getattr(error, "full_key", None) or "hydra.callbacks"
        raise ConfigError([Fault(where, hydra_error(error))]) from None


def train_task(config: DictConfig, directory: RunDirectory) -> float | None:
    """Trains a run of a sweep in the directory that Hydra made for it.

    Returns:
        Its monitored loss after the last epoch, which searching sweepers minimize.
    """
    log = logging.getLogger("exp")
    try:
        job = Job.of(plan(of_each_run(resolved(config, []))), keep=False)
    except ExpError as error:
        log.error("The run failed: %s", error)
        record = {"status": "failed", "message": str(error), **provenance.origin()}
        directory.write_record(record)
        raise
    writer = RunWriter(job, directory, log=log, origin=provenance.origin())
    execute(writer)
    assert writer.summary is not None
    value: float | None = writer.summary["final"].get(job.plan.monitor)
    return value
