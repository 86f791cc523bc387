"""Command lines for tests: in a process of their own, as a user has them, or in this one."""

from __future__ import annotations

import contextlib
import csv
import io
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from exp.cli import completion
from exp.cli import main as cli
from exp.cli.group import group
from fork_server import AT_START, forked

SMALL = ("figures=none", "dataset.n_samples=40", "trainer.epochs=2")
"""A run that takes no time to speak of."""


@dataclass(frozen=True)
class Ended:
    """How a command line ended, and where it was given."""

    code: int
    out: str
    err: str
    where: Path

    @property
    def run(self) -> Path:
        """The one run directory below."""
        (found,) = runs(self.where)
        return found


def runs(where: Path) -> list[Path]:
    """Every run directory below a directory."""
    return sorted(path.parent for path in where.rglob("run.json"))


def read_csv(path: Path) -> dict[str, np.ndarray]:
    """The columns of a csv file as text, by name."""
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    columns = zip(*rows, strict=True)
    return {name: np.array(column) for name, column in zip(header, columns, strict=True)}


def process(
    where: Path, *words: str, environment: Mapping[str, str] | None = None, fresh: bool = False
) -> Ended:
    """`python -m exp WORDS` in a separate process.

    Args:
        environment: variables besides those of this process.
        fresh: whether Python must start anew; otherwise a process that has imported torch forks,
            unless a variable is read when Python or a library starts.
    """
    command = [sys.executable, "-m", "exp", *words]
    variables = {**os.environ, **(environment or {})}
    if fresh or any(name.startswith(AT_START) for name in environment or {}):
        done = subprocess.run(
            command, cwd=where, env=variables, capture_output=True, text=True, timeout=300
        )
    else:
        done = forked(command, where, variables)
    return Ended(done.returncode, done.stdout, done.stderr, where)


def inside(where: Path, *words: str) -> Ended:
    """The same in this process, which saves the seconds that torch takes to come."""
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(where),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        loggers_kept(),
    ):
        code = cli.guarded(lambda: cli.dispatch(list(words)))
    return Ended(code, out.getvalue(), err.getvalue(), where)


def completions(line: str) -> list[str]:
    """What can follow a line that is typed in a shell."""
    words, last = completion.whole_words(completion.after_command(line))
    shell = completion.SHELLS["bash"](group, {}, "exp", completion.VARIABLE)
    return [str(each.value) for each in shell.get_completions(words, last) if each.type == "plain"]


@contextlib.contextmanager
def loggers_kept() -> Iterator[None]:
    """Hydra gives the root logger other handlers: closes those, brings back what was there."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        for handler in root.handlers:
            if handler not in handlers:
                handler.close()
        root.handlers[:] = handlers
        root.setLevel(level)
