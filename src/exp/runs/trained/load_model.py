"""The model of a run that has ended."""

from __future__ import annotations

import os
from pathlib import Path

from exp.config.environment import values_unshown
from exp.config.plan import Plan
from exp.data.prepared import Prepared
from exp.engine import Job
from exp.engine.feature_mapping import is_fitted, mapping
from exp.engine.job import possible
from exp.engine.result import Predictor
from exp.engine.state import part
from exp.runs.checkpoint import Expected
from exp.runs.record import RunRecord
from exp.runs.stored_plan import job_of, matches, plan_of
from exp.runs.trained.preparation import Preparation
from exp.util.errors import DamagedError, RunDirectoryError
from exp.util.statuses import ENDED

REST = ("best.", "previous.", "optimizer.", "random.", "history")
"""How the names of tensors begin that are not the model's."""


def model(run: RunRecord, *, trust: bool, checkpoint: str = "final") -> tuple[Job, Predictor]:
    """The job of a finished run, with its rows, and its model.

    Args:
        trust: as for `plan_of`.
        checkpoint: of `CHECKPOINTS`.

    Raises:
        ExpError: it has not ended, or its data or its config are not what they were.
    """
    refuse_unfinished(run)
    folder = Path.cwd()
    try:
        job = job_of(run, plan_of(run, trust=trust), trust=trust)
    finally:
        os.chdir(folder)
    if not matches(run, job):
        raise RunDirectoryError(
            f"the model of {run.path} cannot be used: its data, its config or the version of exp "
            "have changed since"
        )
    return job, with_weights(run, job, checkpoint)


def model_without_rows(
    run: RunRecord, *, trust: bool, checkpoint: str = "final"
) -> tuple[Job, Predictor, Preparation]:
    """The same from what the run's directory says of its rows: they are not read, and their file
    may have changed or be gone. The data of the job have no rows.

    Raises:
        ExpError: it has not ended, or its config is not what it was.
    """
    if (content := run.preparation()) is None:  # a run of an earlier version
        job, predictor = model(run, trust=trust, checkpoint=checkpoint)
        return job, predictor, Preparation.of(job.data)
    refuse_unfinished(run)
    try:
        found = Preparation.parsed(content)
    except ValueError as error:
        raise DamagedError(f"{run.directory.preparation} is corrupted: {error}") from error
    folder = Path.cwd()
    try:
        plan = plan_of(run, trust=trust)
        rows = run.record["data"]
        signature = plan.identity(rows["fingerprint"] + rows["split"], run.config())
        if signature != run.record.get("signature"):
            raise RunDirectoryError(
                f"the model of {run.path} cannot be used: its config, its components or the "
                "version of exp have changed since"
            )
        custom = found.mapping is not None and found.mapping.values is None
        if custom and is_fitted(plan["features"]):  # its code fits it again
            return *model(run, trust=trust, checkpoint=checkpoint), found
        job = job_without_rows(plan, found)
    finally:
        os.chdir(folder)
    return job, with_weights(run, job, checkpoint), found


def job_without_rows(plan: Plan, preparation: Preparation) -> Job:
    """A job for a model that has learned."""
    custom = None
    if preparation.mapping is not None and preparation.mapping.values is None:
        custom = mapping(plan["features"], preparation.encoding.names, plan.seeds.init)
    return job_with(plan, preparation.prepared(custom))


def job_with(plan: Plan, prepared: Prepared) -> Job:
    """A job of rows that are there."""
    with values_unshown(plan.config):
        loss = possible(plan["loss"], prepared.class_sizes, prepared.data.classes)
        return Job(plan, prepared, loss, plan["device"].build())


def refuse_unfinished(run: RunRecord) -> None:
    """
    Raises:
        RunDirectoryError: the run has not ended.
    """
    if run.status not in ENDED:
        raise RunDirectoryError(f"{run.path} is {run.status}: there is no model yet")


def with_weights(run: RunRecord, job: Job, checkpoint: str) -> Predictor:
    """The model of a run with the weights of a checkpoint."""
    if checkpoint == "final":
        # Runs of earlier versions do not say it: their scores are of the last weights.
        checkpoint = run.valid_summary().get("weights", "last")
    predictor = Predictor(job, None)
    # The last one also holds what training needs to go on.
    prefix, rest = ("model.", REST) if checkpoint == "last" else ("", ())
    wanted = {prefix + name: tensor for name, tensor in predictor.model.state(0).items()}
    tensors, _ = run.checkpoint(checkpoint, Expected(wanted, free=rest))
    predictor.model.load(0, part(tensors, prefix))
    return predictor
