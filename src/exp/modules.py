"""Importing code that is not exp's: what goes wrong inside it is told in full."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from exp.errors import ExpError

Result = TypeVar("Result")
OURS = str(Path(__file__).resolve().parent)


class PluginError(ExpError):
    """A module of components cannot be imported: its own error, with its own frames."""


def imported(what: str, work: Callable[[], Result]) -> Result:
    """What `work`, an import, gives.

    Args:
        what: is imported, and who named it.

    Raises:
        PluginError: whatever the code of others raises, `sys.exit` included.
    """
    try:
        return work()
    except (Exception, SystemExit) as error:
        raise PluginError(f"{what} cannot be imported\n{own_traceback(error)}") from error


def own_traceback(error: BaseException) -> str:
    """The traceback of an error without the frames of exp and of Python's import system."""
    told = traceback.TracebackException.from_exception(error)
    told.stack[:] = [frame for frame in told.stack if not of_machinery(frame.filename)]
    return "".join(told.format()).rstrip()


def of_machinery(file: str) -> bool:
    inside = file.startswith("<frozen importlib") or file.endswith("importlib/__init__.py")
    return inside or file.startswith(f"{OURS}/") or "importlib/metadata/" in file
