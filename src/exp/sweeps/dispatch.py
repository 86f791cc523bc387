"""Gives the runs of a sweep to workers, as stacks, and watches how they end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from exp.config import plugins
from exp.config.settings import SweepSettings
from exp.runs import provenance
from exp.runs.signals import CODES
from exp.sweeps.chunks import chunks
from exp.sweeps.composer import hydra_files
from exp.sweeps.planner import Planned, Runs
from exp.sweeps.progress import Progress
from exp.sweeps.retries import retries_of
from exp.sweeps.train_stack import Order, Outcome, RunOrder
from exp.sweeps.workers import Workers
from exp.util.errors import Interrupted

Watch = Callable[[Planned, Outcome | None], None]


def train_planned(
    found: Runs,
    runs: Sequence[Planned],
    root: Path,
    workers: Workers,
    settings: SweepSettings,
    *,
    watch: Watch | None = None,
    before: int = 0,
    total: int | None = None,
) -> None:
    """Trains runs in the directory of their sweep.

    Args:
        found: what is known of the stacks.
        runs: those to do.
        root: the directory of the sweep.
        watch: called for each run before it starts (None), and with its outcome.
        before: runs that the same sweep has done before these, as its progress tells.
        total: runs of the whole sweep, where these are not all.
    """
    where, origin = root.absolute(), provenance.origin()
    planned = {run.number: run for run in runs}
    halt = Halt(workers)
    progress = Progress(before + len(runs) if total is None else total, before)

    def orders() -> Iterator[Order]:
        for piece in chunks(runs, found, workers=workers.count, most=settings.chunk):
            if halt.why is not None:
                return
            for run in piece:
                if watch is not None:
                    watch(run, None)
            yield Order(
                tuple(ordered(run, where, run.number in found.going_on) for run in piece),
                origin,
                os.getpid(),
                os.getcwd(),
                tuple(plugins.loaded),
            )

    def retry(order: Order, why: str) -> tuple[list[Outcome], list[Order]]:
        if halt.why is not None:
            return [], []
        ended, more = retries_of(order, why)
        if more:
            count = sum(len(each.runs) for each in more)
            what = f"{count} runs" if count > 1 else f"run {more[0].runs[0].number}"
            parts = f", in {len(more)} stacks" if len(more) > 1 else ""
            progress.say(f"{what} tried again{parts}: {why}")
        return ended, more

    with progress, halt:
        for number, info in found.stacks.items():
            alone = [str(run.number) for run in runs if info.alone and run.stack == number]
            if alone:
                some = ", ".join(alone[:5]) + (", ..." if len(alone) > 5 else "")
                progress.say(f"trained one by one (run {some}): {info.alone}")
        going = lambda: halt.why is None  # noqa: E731
        for ended, seconds in workers.map(orders(), retry=retry, going=going, sweep=where):
            piece = [planned[outcome.number] for outcome in ended]
            progress.add(piece, ended, seconds)
            for run, outcome in zip(piece, ended, strict=True):
                if watch is not None:
                    watch(run, outcome)
            halt.look(ended, fail_fast=settings.fail_fast)
        left = before + len(runs) - progress.done
        if halt.why == FAIL_FAST and left:
            progress.say(f"{halt.why}: {left} runs were not started")


FAIL_FAST = "sweep.fail_fast"


class Halt:
    """Whether nothing more is to be started, and why.

    While it is entered, the first signal to end lets the workers save what they train and come to
    an end; it is raised when they have. A second one ends them at once.

    Args:
        workers: that are asked to stop.
    """

    def __init__(self, workers: Workers) -> None:
        self.workers = workers
        self.why: str | None = None
        self.code: int | None = None
        self.before: dict[int, Any] = {}

    def __enter__(self) -> Halt:
        if threading.current_thread() is threading.main_thread():
            for number in CODES:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self.before[number] = signal.signal(number, self.take)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)
        if kind is None and self.code is not None:
            raise Interrupted(self.code)

    def take(self, number: int, _: object) -> None:
        if self.code is not None:
            raise Interrupted(self.code)
        self.code, self.why = CODES[signal.Signals(number)], "interrupted"
        self.workers.stop()

    def look(self, ended: Sequence[Outcome], *, fail_fast: bool) -> None:
        """Takes note of runs that have ended."""
        statuses = {outcome.status for outcome in ended}
        if "interrupted" in statuses:
            self.why = "interrupted"
            self.code = self.code or CODES[signal.SIGINT]
        elif fail_fast and statuses != {"done"}:
            self.why = FAIL_FAST


def ordered(run: Planned, root: Path, goes_on: bool) -> RunOrder:
    place = str(root / run.subdir)
    files = hydra_files(
        dict(run.written), run.hydra, run.words,
        number=run.number, dirname=run.dirname, output=place,
    )  # fmt: skip
    return RunOrder(run.number, place, run.config, files, goes_on)
