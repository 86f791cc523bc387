"""`exp.load`: a run or a sweep that is there already."""

from __future__ import annotations

from os import PathLike, fspath

from exp.api.run import Run
from exp.api.sweep import Sweep, opened
from exp.runs.manifest import is_sweep
from exp.util.folders import existing

Place = str | PathLike[str]


def load(directory: Place, *, trust: bool = False) -> Run | Sweep:
    """The run or the sweep in a directory.

    No code of whoever made it runs, and files are compared with their digests.

    Args:
        trust: the modules that its config names may be imported when its model is used.

    Raises:
        RunDirectoryError: there is neither.
        DamagedError: a file is corrupted.
    """
    path = existing(fspath(directory))
    return Sweep(path, trust=trust) if is_sweep(path) else opened(path, trust=trust)
