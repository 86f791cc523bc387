"""The files that hold what was recorded of a run for its pictures: frames.npz, norms.csv.

They are written with every checkpoint, so that a run that goes on has what was recorded before.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from exp.bounds import read
from exp.engine import Recording
from exp.errors import DamagedError
from exp.figures.frames import Frames
from exp.runs.directory import RunDirectory
from exp.runs.tables import metrics_text

SIZE = 256 << 20
"""Bytes of a file that is read."""


def content(directory: RunDirectory, recording: Recording) -> dict[Path, bytes | str]:
    """The files of a recording, by path.

    In a dict of files they stand before the checkpoint: a crash between the two then leaves more
    than the checkpoint needs, and not less.
    """
    files: dict[Path, bytes | str] = {}
    if recording.frames is not None:
        files[directory.frames] = recording.frames.to_bytes()
    if recording.norms is not None:
        files[directory.norms] = metrics_text(recording.norms)
    return files


def load(directory: RunDirectory, epoch: int) -> Recording:
    """What had been recorded before an epoch; of a file that is not there, nothing.

    Raises:
        DamagedError: a file is not what was written.
    """
    frames = norms = None
    if directory.frames.exists():
        try:
            frames = Frames.from_bytes(read(directory.frames, SIZE)).before(epoch)
        except (OSError, ValueError) as error:
            raise damaged(directory.frames, error) from error
    if directory.norms.exists():
        try:
            norms = table(read(directory.norms, SIZE), epoch)
        except (OSError, ValueError) as error:
            raise damaged(directory.norms, error) from error
    return Recording(frames, norms)


def damaged(path: Path, error: Exception) -> DamagedError:
    return DamagedError(f"{path} is not what was written: {error}. Without it the run goes on")


def table(data: bytes, epoch: int) -> dict[str, np.ndarray]:
    """The columns of a table that `metrics_text` wrote, up to an epoch.

    Raises:
        ValueError: it is none.
    """
    header, *lines = csv.reader(io.StringIO(data.decode(), newline=""))
    if not header or header[0] != "epoch" or any(len(line) != len(header) for line in lines):
        raise ValueError("expected a table of epochs")
    rows = [line for line in lines if int(line[0]) < epoch]
    columns = {name: [line[i] for line in rows] for i, name in enumerate(header)}
    epochs = np.array([int(text) for text in columns.pop("epoch")], np.int64)
    return {"epoch": epochs, **{k: np.array(v, np.float64) for k, v in columns.items()}}
