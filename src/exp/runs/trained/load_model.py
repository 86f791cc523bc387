"""The model of a run that has ended."""

from __future__ import annotations

import os
from pathlib import Path

from exp.engine import Job
from exp.engine.result import Predictor
from exp.engine.state import part
from exp.runs.checkpoint import Expected
from exp.runs.record import RunRecord
from exp.runs.stored_plan import job_of, matches, plan_of
from exp.util.errors import RunDirectoryError
from exp.util.statuses import ENDED

REST = ("best.", "previous.", "optimizer.", "random.", "history")
"""How the names of tensors begin that are not the model's."""


def model(run: RunRecord, *, trust: bool, checkpoint: str = "final") -> tuple[Job, Predictor]:
    """The job of a finished run, and its model.

    Args:
        trust: as for `plan_of`.
        checkpoint: of `CHECKPOINTS`.

    Raises:
        ExpError: it has not ended, or its data or its config are not what they were.
    """
    path = run.directory.path
    if run.status not in ENDED:
        raise RunDirectoryError(f"{path} is {run.status}: there is no model yet")
    folder = Path.cwd()
    try:
        job = job_of(run, plan_of(run, trust=trust), trust=trust)
    finally:
        os.chdir(folder)
    if not matches(run, job):
        raise RunDirectoryError(
            f"the model of {path} cannot be used: its data, its config or the version of exp have "
            "changed since"
        )
    if checkpoint == "final":
        # Runs of earlier versions do not say it: their scores are of the last weights.
        checkpoint = run.valid_summary().get("weights", "last")
    predictor = Predictor(job, None)
    # The last one also holds what training needs to go on.
    prefix, rest = ("model.", REST) if checkpoint == "last" else ("", ())
    wanted = {prefix + name: tensor for name, tensor in predictor.model.state(0).items()}
    tensors, _ = run.checkpoint(checkpoint, Expected(wanted, free=rest))
    predictor.model.load(0, part(tensors, prefix))
    return job, predictor
