"""The words after a verb."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path
from typing import Any, NoReturn

from exp.errors import ExpError, RunDirectoryError, nearest


class Parser(argparse.ArgumentParser):
    """Tells a wrong word as every other fault is told."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        found, rest = self.parse_known_args(args, namespace)
        if rest:
            hint = nearest(rest[0].partition("=")[0], self._option_string_actions)
            self.error(f"unrecognized arguments: {' '.join(rest)}{'.' if hint else ''}{hint}")
        return found

    def error(self, message: str) -> NoReturn:
        stop = "" if message.endswith("?") else "."
        raise ExpError(f"{self.prog}: {message}{stop} See {self.prog} --help")


def place(text: str) -> Path:
    """An absolute path of a directory that is there.

    Raises:
        RunDirectoryError: it is not.
    """
    with contextlib.suppress(OSError, ValueError):
        if (path := Path(text).absolute()).is_dir():
            return path
    raise RunDirectoryError(f"there is no directory {text!r}")
