"""The words after a verb."""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
from pathlib import Path
from typing import Any, NoReturn

from exp.util.errors import ExpError, RunDirectoryError, nearest, offer, shown


class Parser(argparse.ArgumentParser):
    """Reports a wrong word as every other fault is reported."""

    def add_argument(self, *args: Any, **kwargs: Any) -> argparse.Action:
        """Any number of words may be none: argparse calls them required unless it has a default."""
        if kwargs.get("nargs") == "*":
            kwargs.setdefault("default", [])
        return super().add_argument(*args, **kwargs)

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
    hint = ""
    with contextlib.suppress(OSError, ValueError):
        path = Path(text).absolute()
        if path.is_dir():
            return path
        if path.is_file():
            where = shlex.quote(os.path.dirname(text) or ".")
            raise RunDirectoryError(f"{text!r} is a file, expected a directory such as {where}")
        hint = nearest(path.name, [each.name for each in path.parent.iterdir() if each.is_dir()])
    raise RunDirectoryError(f"there is no directory {shown(text)}{'.' if hint else ''}{hint}")


def in_order(one: str, other: str, usage: str) -> None:
    """Refuses a directory and another word that stand the wrong way round.

    Args:
        one: where a directory is expected.
        other: what follows it.
        usage: the command up to these words.

    Raises:
        ExpError: `one` is no directory, and `other` is one.
    """
    if not os.path.isdir(one) and os.path.isdir(other):
        raise ExpError(f"{usage}: the directory comes first.{offer(*usage.split(), other, one)}")
