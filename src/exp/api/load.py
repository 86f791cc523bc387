"""`exp.load`: loads an existing run, sweep or model file."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path

from exp.api.model import Model, loaded
from exp.api.run import Run
from exp.api.sweep import Sweep, opened
from exp.runs.manifest import is_sweep
from exp.util.folders import existing

Place = str | PathLike[str]


def load(place: Place, *, trust: bool = False) -> Run | Sweep | Model:
    """The run or the sweep in a directory, or the model in a file of
    `exp export RUN --to safetensors`.

    The files are compared with their digests. No code of the person who made the run is executed.

    Args:
        trust: whether the modules named in its config may be imported when its model is used.

    Raises:
        RunDirectoryError: the directory contains neither.
        ExpError: the model in the file cannot be used.
        DamagedError: a file is corrupted.
    """
    file = Path(fspath(place)).absolute()
    if file.is_file():
        return Model(file, loaded(file, trust=trust))
    path = existing(fspath(place))
    return Sweep(path, trust=trust) if is_sweep(path) else opened(path, trust=trust)
