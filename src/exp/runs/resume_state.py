"""From what an interrupted run continues: its checkpoint, and what was recorded before it."""

from __future__ import annotations

import os

from exp.engine import Job, Recording
from exp.engine.state import fresh, try_out
from exp.runs.checkpoint import Checkpoint, Expected, load
from exp.runs.directory import RunDirectory
from exp.runs.record import RunRecord
from exp.util.errors import DamagedError, RunDirectoryError


def resume_point(directory: RunDirectory, job: Job) -> Checkpoint:
    """The checkpoint and the recording from which a run continues, tried with its job.

    Raises:
        DamagedError: they are not what this run has written, and what can be done without them.
        OSError: there is no checkpoint, or it cannot be read.
    """
    training, tensors = fresh(job)
    free = () if training.stack.optimizer.stackable else ("optimizer.",)
    wanted = {n: t for n, t in tensors.items() if not n.startswith(free)} if free else tensors
    rows = {"history": (len(training.stack.history.columns),)}
    place = directory.checkpoints / "last.safetensors"
    try:
        found = load(place, Expected(wanted, rows=rows, free=free))
        try:
            try_out(training, *found)
        except ValueError as error:
            raise DamagedError(f"{place} is corrupted: {error}") from error
    except DamagedError as error:
        raise DamagedError(
            f"{error}. Without that file, the run starts from the beginning"
        ) from error
    training.recorder.restore([recording_before(directory, found[1]["epoch"])])
    return found


def recording_before(directory: RunDirectory, epoch: int) -> Recording:
    """What had been recorded before an epoch; nothing of a file that is missing.

    Raises:
        DamagedError: a file is corrupted.
    """
    record = RunRecord(directory.path)
    frames = norms = None
    try:
        if os.path.lexists(directory.frames):
            frames = record.frames().before(epoch)
        if os.path.lexists(directory.norms):
            table = record.norms()
            early = table["epoch"] < epoch
            norms = {name: column[early] for name, column in table.items()}
    except RunDirectoryError as error:
        raise DamagedError(f"{error}. The run continues without this file") from error
    return Recording(frames, norms)
