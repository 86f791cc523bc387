"""Where a trained model is: in the directory of a run, or in a model file. Importing this imports
no torch."""

from __future__ import annotations

from pathlib import Path

from exp.runs.record import RunRecord
from exp.util.folders import existing

Source = RunRecord | Path
"""A run, or the path of a model file."""


def source_of(text: str) -> Source:
    """What a command line names; the files of a run are compared with their digests.

    Raises:
        RunDirectoryError: there is neither a run nor a file.
        DamagedError: a file of the run is corrupted.
    """
    path = existing(text, file=True)
    if path.is_file():
        return path
    run = RunRecord.at(path)
    run.check()
    return run
