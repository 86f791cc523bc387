"""The files that hold what was recorded of a run for its pictures: frames.npz, norms.csv.

They are written with every checkpoint, so that a run that goes on has what was recorded before.
"""

from __future__ import annotations

import os
from pathlib import Path

from exp.engine import Recording
from exp.runs.directory import RunDirectory
from exp.runs.metrics_file import history_text
from exp.runs.record import RunRecord
from exp.util.errors import DamagedError, RunDirectoryError


def content(directory: RunDirectory, recording: Recording) -> dict[Path, bytes | str]:
    """The files of a recording, by path.

    In a dict of files they stand before the checkpoint: a crash between the two then leaves more
    than the checkpoint needs, and not less.
    """
    files: dict[Path, bytes | str] = {}
    if recording.frames is not None:
        files[directory.frames] = recording.frames.to_bytes()
    if recording.norms is not None:
        files[directory.norms] = history_text(recording.norms)
    return files


def load(directory: RunDirectory, epoch: int) -> Recording:
    """What had been recorded before an epoch; of a file that is not there, nothing.

    Raises:
        DamagedError: a file is not what was written.
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
        raise DamagedError(f"{error}. Without it the run goes on") from error
    return Recording(frames, norms)
