"""Trains some runs as one stack and completes their directories: the work of a worker process."""

from __future__ import annotations

import os

# As `exp.cli.main` does: a worker on another machine has not come through there.
os.environ.setdefault("MKL_CBWR", "AUTO")

import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exp.config import plugins
from exp.config.plan import plan
from exp.engine import Job
from exp.runs import signals
from exp.runs.checkpoint import Checkpoint
from exp.runs.directory import RunDirectory
from exp.runs.execute import execute_stack
from exp.runs.log import close_log, run_log
from exp.runs.resume_state import resume_point
from exp.runs.writer import RunWriter
from exp.sweeps.draw_sweep import of_each_run
from exp.util.errors import DamagedError, ExpError, Interrupted


@dataclass(frozen=True, slots=True)
class RunOrder:
    """One run to do: plain values, so that it can travel.

    Attributes:
        number: of the run in its sweep.
        directory: an absolute path.
        config: resolved.
        hydra: name -> content of the files of its .hydra folder.
        goes_on: whether its directory may hold something of this very run to go on from.
    """

    number: int
    directory: str
    config: dict[str, Any]
    hydra: dict[str, str]
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """Runs to do together.

    Attributes:
        origin: what all runs of the sweep say of where they come from.
        parent: the process that gave the order.
        folder: its working directory.
        plugins: modules of components that its command line has named.
        retry: whether a worker process has died with these runs before.
    """

    runs: tuple[RunOrder, ...]
    origin: dict[str, Any]
    parent: int
    folder: str
    plugins: tuple[str, ...] = ()
    retry: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Attributes:
        status: done, diverged, failed or interrupted.
        message: why it failed.
        value: its monitored loss at the end; None where it failed.
    """

    number: int
    directory: str
    status: str
    message: str | None = None
    value: float | None = None


def ready(*, draws: bool) -> None:
    """Prepares a worker process: it ends its work when its parent asks for that, and it has
    imported what it needs.

    Args:
        draws: whether it will draw figures, for which matplotlib takes a while to import.
    """
    signals.ignore_repeats = True
    signal.signal(signal.SIGTERM, lambda *_: _stopping.set())
    if draws:
        import exp.plotting.draw  # noqa: F401


_stopping = threading.Event()
"""Whether this process was asked to end its work."""


def work(order: Order) -> list[Outcome]:
    """Does the runs of an order; whatever happens to one is in its outcome and its directory."""
    if _stopping.is_set():
        return [interrupted(run) for run in order.runs]
    plugins.import_all(order.plugins, order.folder)
    outcomes: dict[int, Outcome] = {}
    opened: list[RunWriter] = []
    numbers: dict[int, RunOrder] = {}
    for run in order.runs:
        begun = begin(run, order.origin)
        if isinstance(begun, Outcome):
            outcomes[run.number] = begun
        else:
            opened.append(begun)
            numbers[id(begun)] = run

    def finished(writer: RunWriter) -> None:
        run = numbers[id(writer)]
        summary, record = writer.summary, writer.record
        value = None
        if summary is not None:
            value = summary["final"].get(writer.job.plan.monitor)
        outcomes[run.number] = Outcome(
            run.number, run.directory, writer.status, record.get("message"), value
        )
        close_log(writer.log)

    if opened:
        try:
            execute_stack(opened, on_finish=finished)
        except Interrupted:
            for writer in opened:
                close_log(writer.log)
            if order.parent == os.getpid():
                raise
            _stopping.set()
    return [outcomes.get(run.number) or interrupted(run) for run in order.runs]


def timed_work(order: Order) -> tuple[list[Outcome], float]:
    """The outcomes of an order, and the seconds that it took."""
    begun = time.perf_counter()
    outcomes = work(order)
    return outcomes, time.perf_counter() - begun


def interrupted(run: RunOrder) -> Outcome:
    return Outcome(run.number, run.directory, "interrupted")


def begin(run: RunOrder, origin: dict[str, Any]) -> RunWriter | Outcome:
    """The writer of a run, its directory claimed; or its outcome, where it cannot begin."""
    directory = RunDirectory(Path(run.directory))
    log = None
    try:
        interrupted_before = run.goes_on and reopened(directory)
        if not interrupted_before:
            directory.claim()
        log = run_log(directory.log)
        job = Job.of(plan(of_each_run(run.config)), keep=False)
        start = checkpoint_of(directory, job) if interrupted_before else None
        if interrupted_before and start is None:  # it starts from its first epoch
            close_log(log)
            directory.empty()
            log = run_log(directory.log)
        return RunWriter(job, directory, log=log, origin=origin, start=start, hydra=run.hydra)
    except Exception as error:
        message = str(error) or type(error).__name__
        if log is not None:
            log.error("The run failed: %s", error, exc_info=not isinstance(error, ExpError))
            close_log(log)
            record = {"status": "failed", "message": message, **origin}
            directory.write_all({directory.hydra / name: text for name, text in run.hydra.items()})
            directory.write_record(record)
        directory.release()
        return Outcome(run.number, run.directory, "failed", message)


def checkpoint_of(directory: RunDirectory, job: Job) -> Checkpoint | None:
    """The checkpoint of a run, where the run can go on from it."""
    try:
        return resume_point(directory, job)
    except (OSError, DamagedError):
        return None


def reopened(directory: RunDirectory) -> bool:
    """Whether there is a directory of a run that was interrupted; it is locked then, and the drafts
    of files in it are removed."""
    try:
        directory.hold()
    except FileNotFoundError:
        return False
    directory.clean()
    return True
