"""The files that hold what was recorded of a run for its pictures: frames.npz, norms.csv.

They are written with every checkpoint, so that a run that goes on has what was recorded before.
"""

from __future__ import annotations

from pathlib import Path

from exp.engine import Recording
from exp.runs.directory import RunDirectory
from exp.runs.metrics_file import history_text


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
