"""`exp.load`: a run or a sweep that is there already."""

from __future__ import annotations

from os import PathLike, fspath
from typing import TYPE_CHECKING

from exp.util.folders import existing

if TYPE_CHECKING:
    from exp.api.run import Run
    from exp.api.sweep import Sweep

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
    from exp.api.sweep import Sweep, opened
    from exp.runs.manifest import is_sweep

    path = existing(fspath(directory))
    return Sweep(path, trust=trust) if is_sweep(path) else opened(path, trust=trust)
