"""What a person sees of a bench while it trains: a line that changes, or lines."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack

from rich.progress import Progress as Bar

from exp.cli.bench.training import Unit
from exp.sweeps.progress import ONLY, terminal_bar

EVERY = 10.0
"""Seconds between two lines where there is no terminal."""


class Progress:
    """The runs of a bench as they end.

    Args:
        missing: what is to do.
        total: of all units, those that are done before with them.
    """

    def __init__(self, missing: Sequence[Unit], total: int) -> None:
        self.todo = sum(unit.runs for unit in missing)
        self.before, self.done = total - len(missing), 0
        self.begun = self.printed = time.monotonic()
        self.bar: Bar | None = None
        self.open = ExitStack()

    def __enter__(self) -> Progress:
        if self.todo:
            there = f"; {self.before} results already exist" if self.before else ""
            print(f"{self.todo:,} runs to do{there}", flush=True)
            self.bar = terminal_bar(self.open, self.todo)
        return self

    def __exit__(self, *_: object) -> None:
        self.open.close()

    def add(self, unit: Unit, seconds: float) -> None:
        """Takes note of a unit that is done."""
        self.done += unit.runs
        last = f"{unit.dataset}, {unit.optimizer}: {seconds:.1f} s of CPU"
        if self.bar is not None:
            self.bar.update(ONLY, completed=self.done, text=last)
            return
        now = time.monotonic()
        if now - self.printed > EVERY or self.done == self.todo:
            self.printed = now
            left = (now - self.begun) / self.done * (self.todo - self.done)
            print(f"[{self.done:,}/{self.todo:,}] {last}, about {left:.0f} s left", flush=True)
