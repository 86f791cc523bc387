"""The plain PyTorch script of a config, and of the run in a directory. Importing this imports
torch."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from exp.config.plan import Plan
from exp.engine import Job, check_job
from exp.runs.record import RunRecord
from exp.runs.stored_plan import job_of, plan_of
from exp.script.script import script
from exp.script.section import Recipe
from exp.util.errors import RunDirectoryError


def of_plan(plan: Plan, overrides: Sequence[str]) -> str:
    """The script of a config.

    Args:
        overrides: those that it was composed from, for the first line of the script.

    Raises:
        ExpError: the run cannot be trained, as for `Job.of`; or a part of it cannot be written as
            a plain script.
    """
    job = Job.of(plan)
    check_job(job)
    return of_job(job, overrides)


def of_run(run: RunRecord, *, trust: bool) -> str:
    """The script of a run.

    Args:
        trust: as for `plan_of`.

    Raises:
        RunDirectoryError: it is a fit, which has no config of a single network.
        ImpossibleError: a part of the run that cannot be written as a plain script.
    """
    if "fit" in run.record:
        raise RunDirectoryError(
            f"{run.path} is the ensemble of exp fit: exp code writes the script of a single network"
        )
    job = job_of(run, plan_of(run, trust=trust), trust=trust)
    try:
        overrides = run.overrides()
    except RunDirectoryError:
        overrides = []
    return of_job(job, overrides)


def of_job(job: Job, overrides: Sequence[str]) -> str:
    """The script of a job.

    Raises:
        ImpossibleError: a part of the job that cannot be written as a plain script.
    """
    recipe = Recipe(
        job.plan,
        job.data,
        job.loss,
        job.outputs,
        job.device,
        job.module(),
        job.unknown_step is not None,
    )
    return script(recipe, command=shlex.join(["exp", *overrides]))
