"""`exp.load`: loads an existing run or sweep."""

from __future__ import annotations

from os import PathLike, fspath

from exp.api.run import Run
from exp.api.sweep import Sweep, opened
from exp.runs.manifest import is_sweep
from exp.util.folders import existing

Place = str | PathLike[str]


def load(directory: Place, *, trust: bool = False) -> Run | Sweep:
    """The run or the sweep in a directory.

    The files are compared with their digests. No code of the person who made the run is executed.

    Args:
        trust: whether the modules named in its config may be imported when its model is used.

    Raises:
        RunDirectoryError: the directory contains neither.
        DamagedError: a file is corrupted.
    """
    path = existing(fspath(directory))
    return Sweep(path, trust=trust) if is_sweep(path) else opened(path, trust=trust)
