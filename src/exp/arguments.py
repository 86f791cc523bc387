"""The words after a verb."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path
from typing import NoReturn

from exp.errors import ExpError, RunDirectoryError


class Parser(argparse.ArgumentParser):
    """Tells a wrong word as every other fault is told."""

    def error(self, message: str) -> NoReturn:
        raise ExpError(f"{self.prog}: {message}. See {self.prog} --help")


def place(text: str) -> Path:
    """An absolute path of a directory that is there.

    Raises:
        RunDirectoryError: it is not.
    """
    with contextlib.suppress(OSError, ValueError):
        if (path := Path(text).absolute()).is_dir():
            return path
    raise RunDirectoryError(f"there is no directory {text!r}")
