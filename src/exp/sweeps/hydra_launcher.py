"""Implements Hydra's launcher interface for `hydra/launcher=stacked`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.utils import JobReturn, JobStatus, configure_log, run_job, setup_globals
from omegaconf import DictConfig, OmegaConf, open_dict

from exp.config.compose import draws
from exp.config.interpolation import bounded
from exp.config.settings import sweep_settings
from exp.sweeps.applicable import Applicable
from exp.sweeps.chunks import seconds_of
from exp.sweeps.composer import Composer
from exp.sweeps.dispatch import train_planned
from exp.sweeps.hydra_task import swept
from exp.sweeps.planner import Planned, Planner
from exp.sweeps.train_stack import Outcome
from exp.sweeps.workers import Workers
from exp.util.errors import ExpError, Fault

if TYPE_CHECKING:
    from hydra.plugins.launcher import Launcher
    from hydra.types import HydraContext

    from exp.sweeps.grid import Words
    from hydra_plugins.exp_sweeps.grid_sweeper import GridSweeper
    from hydra_plugins.exp_sweeps.stacked_launcher import StackedLauncher

Numbered = Sequence[tuple[int, list[str]]]


def plain_reason(launcher: StackedLauncher) -> str | None:
    """Why the runs of a launcher go one by one, as any Hydra task does; None: they are stacked."""
    hydra = launcher.config.hydra
    if launcher.task_function is not swept:
        return "the task function does not belong to exp"
    if hydra.job.chdir:
        return "hydra.job.chdir=true: each run has another working directory"
    if hydra.job.env_set:
        return "hydra.job.env_set: each run has another environment"
    return None


def launch(launcher: StackedLauncher, jobs: Numbered) -> list[JobReturn]:
    """Does the jobs that another sweeper has thought of.

    Returns:
        For each job, in order, its monitored loss or the error that it ended with.
    """
    if plain_reason(launcher) is not None:
        return [one_by_one(launcher, number, words) for number, words in jobs]
    settings, faults = sweep_settings(plain_node(launcher.config, "sweep"))
    for key, value in (("until", settings.until), ("shard", settings.shard)):
        if value is not None:
            faults.append(Fault(f"sweep.{key}", "is for hydra/sweeper=grid"))
    workers = Workers(settings, len(jobs), draws=draws(launcher.config))
    composer = Composer(launcher.hydra_context.config_loader, launcher.config)
    root = Path(str(launcher.config.hydra.sweep.dir))
    returns: dict[int, JobReturn] = {}
    planner = Planner(repeats=True)  # a search may well ask for the same run twice
    fit = Applicable(composer, [tuple(words) for _, words in jobs])
    runs = [(number, fit(tuple(words))) for number, words in jobs]
    found = planner.plan(composer, runs, faults)
    for line in (*fit.messages(), *composer.left_out_lines()):
        print(line, flush=True)
    for number, words, reason in found.skipped:
        returns[number] = returned(list(words), ExpError(reason))
    given = dict(jobs)
    workers.decide(seconds_of(found.planned, found))

    def watch(run: Planned, outcome: Outcome | None) -> None:
        if outcome is not None:
            returns[run.number] = job_return(given[run.number], outcome)

    try:
        train_planned(found, found.planned, root, workers, settings, watch=watch)
    finally:
        workers.close()
    left = ExpError("not started, because of sweep.fail_fast")
    return [returns.get(number) or returned(given[number], left) for number in given]


def job_return(words: list[str], outcome: Outcome) -> JobReturn:
    """An outcome as Hydra's sweepers and callbacks know it."""
    if outcome.status == "failed":
        return returned(words, ExpError(outcome.message or "failed"))
    return returned(words, outcome.value)


def returned(words: list[str], value: Any) -> JobReturn:
    failed = isinstance(value, Exception)
    status = JobStatus.FAILED if failed else JobStatus.COMPLETED
    return JobReturn(overrides=words, _return_value=value, status=status, task_name="exp")


class Callbacks:
    """Calls Hydra's callbacks for runs that Hydra does not start itself.

    Args:
        context: with the callbacks.
        master: the config of the sweep.
    """

    def __init__(self, context: HydraContext, master: DictConfig) -> None:
        self.context, self.master = context, master

    def __call__(self, run: Planned, outcome: Outcome | None) -> None:
        config = self.context.config_loader.load_sweep_config(self.master, list(run.words))
        with open_dict(config):
            config.hydra.job.id, config.hydra.job.num = str(run.number), run.number
        if outcome is None:
            self.context.callbacks.on_job_start(config=config, task_function=swept)
        else:
            done = job_return(list(run.words), outcome)
            self.context.callbacks.on_job_end(config=config, job_return=done)


def one_by_one(launcher: StackedLauncher, number: int, words: list[str]) -> JobReturn:
    """One job, as Hydra's launcher does it."""
    setup_globals()
    config, context = launcher.config, launcher.hydra_context
    configure_log(config.hydra.hydra_logging, config.hydra.verbose)
    Path(str(config.hydra.sweep.dir)).mkdir(parents=True, exist_ok=True)
    job = context.config_loader.load_sweep_config(config, list(words))
    with open_dict(job):
        job.hydra.job.id, job.hydra.job.num = str(number), number
    done = run_job(
        task_function=launcher.task_function,
        config=job,
        job_dir_key="hydra.sweep.dir",
        job_subdir_key="hydra.sweep.subdir",
        hydra_context=context,
    )
    configure_log(config.hydra.hydra_logging, config.hydra.verbose)
    return done


def run_other_task(
    sweeper: GridSweeper, launcher: Launcher, runs: Sequence[Words]
) -> list[Sequence[JobReturn]]:
    """A sweep over a task that is not exp's: as Hydra's own sweeper does it."""
    assert sweeper.config is not None
    place = Path(str(sweeper.config.hydra.sweep.dir))
    place.mkdir(parents=True, exist_ok=True)
    OmegaConf.save(sweeper.config, place / "multirun.yaml")
    jobs = [list(run) for run in runs]
    sweeper.validate_batch_is_legal(jobs)
    returns = launcher.launch(jobs, initial_job_idx=0)
    for each in returns:
        _ = each.return_value  # raises what the job has raised
    return [returns]


@bounded()
def plain_node(config: DictConfig, key: str) -> Any:
    """A top-level node of a config as plain values; empty where there is none."""
    node = OmegaConf.select(config, key)
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node or {}
