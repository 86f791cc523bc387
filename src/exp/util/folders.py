"""Folders that a command line names."""

from __future__ import annotations

import contextlib
import os
import shlex
from pathlib import Path

from exp.util.errors import RunDirectoryError, nearest, shown
from exp.util.latest import followed


def existing(text: str, *, file: bool = False) -> Path:
    """An absolute path of a directory that exists; that of the run or sweep for `latest`.

    Args:
        file: whether it may be a file instead.

    Raises:
        RunDirectoryError: it does not.
    """
    hint = ""
    with contextlib.suppress(OSError, ValueError):
        path = followed(Path(text).absolute())
        if path.is_dir() or (file and path.is_file()):
            return path
        if path.is_file():
            where = shlex.quote(os.path.dirname(text) or ".")
            raise RunDirectoryError(f"{text!r} is a file, expected a directory such as {where}")
        hint = nearest(path.name, [each.name for each in path.parent.iterdir() if each.is_dir()])
    raise RunDirectoryError(f"there is no directory {shown(text)}{'.' if hint else ''}{hint}")
