"""One run of a command line: its composed config is checked, then it gets a directory."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import run_job
from hydra.errors import HydraException
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig, OmegaConf, read_write
from omegaconf.errors import OmegaConfBaseException

from exp.config import environment
from exp.config.compose import compose, draws, resolved, slug
from exp.config.hydra_errors import one_line
from exp.config.hydra_internal import Callbacks
from exp.config.interpolation import bounded
from exp.sweeps.hydra_app import HydraApp, as_faults
from exp.util.errors import ConfigError, CustomCodeError, Fault, RunDirectoryError, shown
from exp.util.files import reason_of
from exp.util.terminal import one_line as on_one_line

if TYPE_CHECKING:
    from exp.engine import Job, Result
    from exp.runs.directory import RunDirectory

Lines = Callable[["RunDirectory"], AbstractContextManager[logging.Logger]]
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


@as_faults()
def single(
    hydra: HydraApp,
    args: argparse.Namespace,
    name: str,
    composed: tuple[DictConfig, list[Fault]] | None = None,
    *,
    lines: Lines | None = None,
) -> Ran:
    """One run.

    Args:
        composed: its config and what is wrong with it, where that is known.
        lines: where its lines go; None: where Hydra's node has them go.
    """
    loader = hydra.config_loader
    config, faults = composed or compose(loader, name, args.overrides, RunMode.RUN)
    faults = [*faults, *misplaced(args.overrides, RunMode.RUN)]
    faults += unshaped(config)
    if asks_for_sweep(config):
        faults.append(Fault("hydra.mode", "MULTIRUN is for sweeps: use exp.sweep"))
    with read_write(config.hydra):
        config.hydra.mode = RunMode.RUN
    HydraConfig.instance().cfg = config  # what `${hydra:...}` looks at
    worker = None
    if not faults and draws(config):
        from exp.plotting import FigureWorker

        # It imports matplotlib while this process imports torch and trains.
        worker = FigureWorker()
    try:
        return started(hydra, config, name, faults, worker, lines)
    finally:
        if worker is not None:
            worker.close()


def started(
    hydra: HydraApp,
    config: DictConfig,
    name: str,
    faults: list[Fault],
    worker: Any,
    lines: Lines | None,
) -> Ran:
    """Validates a composed config, loads its data, makes its directory and runs it."""
    from exp.config.schema import plan, unavailable

    plain = resolved(config, faults)
    found = plan(plain, [*faults, *unavailable(plain)])
    from exp.engine import Job, check_job
    from exp.runs import provenance
    from exp.runs.console import progress_bar
    from exp.runs.directory import RunDirectory
    from exp.runs.execute import execute
    from exp.runs.loggers.log_runs import log
    from exp.runs.writer import RunWriter

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

    def task(_: DictConfig) -> Result:
        hydras = nullcontext(logging.getLogger("exp"))
        with hydras if lines is None else lines(directory) as log, progress_bar(job) as hooks:
            writer = RunWriter(job, directory, log=log, origin=provenance.origin(), worker=worker)
            try:
                results.append(execute(writer, hooks=hooks))
                return results[0]
            except Exception as error:
                errors.append(error)  # Hydra would print it in its own way
                raise

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
    if found.loggers:
        log(found.loggers, [path])
    for failed in errors:
        if isinstance(failed, CustomCodeError):
            raise failed.of(config.hydra.overrides.task) from failed
        raise failed
    return Ran(path, job, results[0])


def finished_before(job: Any, config: DictConfig) -> Path | None:
    """Reports a finished run of the same signature; returns it if it is to be used instead."""
    from exp.config.settings import run_settings
    from exp.runs import provenance, reuse

    node = OmegaConf.select(config, "run")
    settings, _ = run_settings({} if node is None else OmegaConf.to_container(node, resolve=True))
    if settings.reuse is False:
        return None
    found = reuse.find(job.signature, provenance.conditions(job.device))
    if found is None:
        return None
    shown = on_one_line(str(found))
    if settings.reuse is True:
        print(f"the same run is finished already, and run.reuse=true: {shown}", flush=True)
        return found
    print(f"the same run is finished already: {shown}", flush=True)
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
            what = "holds ${, which Hydra would take for a reference: start from another folder"
            raise ConfigError([Fault("hydra.run.dir", f"{shown(str(path.absolute()))} {what}")])
        if "\0" in str(path):
            raise ConfigError([Fault("hydra.run.dir", f"no file is named {shown(str(path))}")])
        return Callbacks(config), path.absolute() if config.hydra.job.chdir else path
    except (HydraException, OmegaConfBaseException) as error:
        where = getattr(error, "full_key", None) or "hydra.callbacks"
        raise ConfigError([Fault(where, one_line(error))]) from None


def unshaped(config: DictConfig) -> list[Fault]:
    """Parts of the `hydra` node without which Hydra itself fails."""
    faults = []
    for key in ("callbacks", "job", "launcher", "run", "sweep", "sweeper"):
        missing = OmegaConf.is_missing(config.hydra, key)
        if missing or not OmegaConf.is_dict(config.hydra.get(key)):
            faults.append(Fault(f"hydra.{key}", "expected a mapping"))
    verbose = OmegaConf.select(config, "hydra.verbose")
    if not isinstance(verbose, (bool, str)) and not OmegaConf.is_list(verbose):
        wanted = "expected true, false, or names of loggers"
        faults.append(Fault("hydra.verbose", f"{wanted}, found {shown(verbose)}"))
    return faults


def misplaced(overrides: list[str], mode: RunMode) -> list[Fault]:
    """Overrides that mean nothing in one run, or nothing in a sweep."""
    faults = []
    for text in overrides:
        key = text.lstrip("+").partition("=")[0]
        if mode is RunMode.MULTIRUN and key == "hydra.run.dir":
            what = "names the directory of one run; that of a sweep (-m) is hydra.sweep.dir"
            faults.append(Fault(key, what))
        elif mode is RunMode.RUN and key.startswith(("hydra.sweep.", "sweep.")):
            what = "is for sweeps: with -m before it" if "=" in text else "is for sweeps"
            faults.append(Fault(key, what))
    return faults


def asks_for_sweep(config: DictConfig) -> bool:
    """Whether a config asks for what `-m` asks for on a command line."""
    return OmegaConf.select(config, "hydra.mode") is RunMode.MULTIRUN
