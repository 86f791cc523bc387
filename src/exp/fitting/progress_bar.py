"""How far a fit has come: a bar on a terminal or in a notebook, lines elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack

from rich.console import Console
from rich.progress import Progress, ProgressColumn, Task, TextColumn
from rich.progress_bar import ProgressBar
from rich.table import Table

from exp.util import command_line, notebook
from exp.util.terminal import raw, streams

EVERY = 10.0
"""Seconds between two lines, at least."""


class TimeBar(ProgressColumn):
    """How much of the time is used, which goes on between two updates."""

    def render(self, task: Task) -> Table:
        total = task.total or 1.0
        done = min(task.elapsed or 0.0, total)
        shown = Table.grid(padding=(0, 1))
        bar = ProgressBar(total, done, width=40)
        shown.add_row(bar, f"{done:.0f} of {total:.0f} s")
        return shown


class FitProgress:
    """Shows how much of the time is used, and the best score so far.

    Args:
        budget: seconds.
        lines: whether lines are printed where there is no terminal.
    """

    def __init__(self, budget: float, *, lines: bool) -> None:
        self.budget, self.lines = budget, lines
        self.bar: Progress | None = None
        self.cell: notebook.Bar | None = None
        self.open = ExitStack()
        self.begun = self.last = time.monotonic()

    def __enter__(self) -> FitProgress:
        if not command_line.progress:
            return self
        if (output := notebook.output()) is not None:
            self.cell = notebook.Bar(output, self.budget, "s")
            self.cell.update(0, "no network yet")
        elif sys.stderr.isatty():
            columns = (TimeBar(), TextColumn("{task.fields[text]}"))
            console = Console(file=raw(sys.stderr))
            self.bar = Progress(*columns, console=console, transient=True, redirect_stdout=True)
            self.open.enter_context(self.bar)
            self.open.enter_context(streams())
            self.bar.add_task("fit", total=self.budget, text="no network yet")
        return self

    def __exit__(self, *_: object) -> None:
        self.open.close()

    def show(self, text: str) -> None:
        """Shows how far it has come.

        Args:
            text: what has been done, and the best score.
        """
        now = time.monotonic()
        if self.cell is not None:
            self.cell.update(min(now - self.begun, self.budget), text)
        elif self.bar is not None:
            self.bar.update(self.bar.task_ids[0], text=text)
        elif self.lines and now - self.last >= EVERY:
            self.last = now
            print(f"[{now - self.begun:.0f} of {self.budget:.0f} s] {text}", flush=True)
