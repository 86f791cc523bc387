"""Options and arguments that several verbs have."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from exp.util.errors import ExpError, offer, unknown


class Choice(click.Choice[str]):
    """One of a few words; a wrong one is answered with the nearest."""

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        if value in self.choices:
            return str(value)
        what = (param.name or "value").replace("_", " ")
        place = f"{param.opts[0]}: " if isinstance(param, click.Option) else ""
        raise click.UsageError(place + unknown(what, value, list(self.choices)), ctx=ctx)


class Place(click.ParamType):  # type: ignore[type-arg]
    """A path that the shell completes; the verb itself looks whether it can be used.

    Args:
        kind: file or dir.
    """

    def __init__(self, kind: str) -> None:
        self.name = self.kind = kind

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return [CompletionItem(incomplete, type=self.kind)]


class OutputFile(Place):
    """A file that is written; whether it can be is checked before anything else is done. `-` is
    for options that print it."""

    def __init__(self) -> None:
        super().__init__("file")

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        if value != "-":
            can_be_written(value, param.opts[0])
        return str(value)


def can_be_written(path: str, option: str) -> None:
    """
    Raises:
        UsageError: a file cannot have this path.
    """
    if os.path.isdir(path):
        raise click.UsageError(f"{option}: {path} is a directory, expected a file")
    if not (folder := Path(path).parent).is_dir():
        raise click.UsageError(f"{option}: there is no directory {folder}")


trust_option = click.option(
    "--trust", is_flag=True,
    help="Trust whoever made the run: import its modules, use its loggers and its config files.",
)  # fmt: skip
DIRECTORY, FILE, OUTPUT = Place("dir"), Place("file"), OutputFile()


def refuse_swapped(one: str, other: str, usage: str) -> None:
    """Refuses a directory and another word that are in the wrong order.

    Args:
        one: where a directory is expected.
        other: what follows it.
        usage: the command up to these words.

    Raises:
        ExpError: `one` is no directory, and `other` is one.
    """
    if not os.path.isdir(one) and os.path.isdir(other):
        raise ExpError(
            f"{usage}: the directory comes first.{offer(*shlex.split(usage), other, one)}"
        )
