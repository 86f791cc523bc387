"""What a worker process does: trains some runs as a stack and completes their directories."""

from __future__ import annotations

import os

# As `exp.cli` does: a worker on another machine has not come through there.
os.environ.setdefault("MKL_CBWR", "AUTO")

import shutil
import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exp import plugins
from exp.config import plan
from exp.errors import DamagedError, ExpError, Interrupted
from exp.runs.directory import RunDirectory
from exp.runs.log import RunLog, end_log

if TYPE_CHECKING:
    from exp.engine import Job
    from exp.runs.checkpoint import Checkpoint


@dataclass(frozen=True, slots=True)
class RunOrder:
    """One run to do: plain values, so that it can travel.

    Attributes:
        number: of the run in its sweep.
        directory: an absolute path.
        config: resolved.
        hydra: name -> content of the files of its .hydra folder.
        goes_on: whether its directory holds a checkpoint of this very run to go on from.
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
    """

    runs: tuple[RunOrder, ...]
    origin: dict[str, Any]
    parent: int
    folder: str
    plugins: tuple[str, ...] = ()


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


def ready(parent: int, draws: bool) -> None:
    """Prepares a worker process: it will not outlive its parent, it ends its work when that asks
    for it, and it has imported what it needs.

    Args:
        draws: whether it will draw figures, for which matplotlib takes a while to import.
    """
    watch(parent)
    # Ctrl-C reaches every process of a terminal: what is to be done about it the parent decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: _stopping.set())
    import sklearn.datasets  # noqa: F401

    import exp.engine

    if draws:
        import exp.figures.draw  # noqa: F401


_stopping = threading.Event()
"""Whether this process was asked to end its work."""
_watched: set[int] = set()


def watch(parent: int) -> None:
    """Ends this process soon after `parent` is gone, if that is what started it."""
    if os.getppid() != parent or parent in _watched:
        return
    _watched.add(parent)

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=look, daemon=True, name="exp-watch-parent").start()


def work(order: Order) -> list[Outcome]:
    """Does the runs of an order; whatever happens to one is in its outcome and its directory."""
    if _stopping.is_set():
        return [interrupted(run) for run in order.runs]
    watch(order.parent)
    plugins.import_all(order.plugins, order.folder)
    from exp.runs.execute import execute_stack
    from exp.runs.execution import Execution

    outcomes: dict[int, Outcome] = {}
    opened: list[Execution] = []
    numbers: dict[int, RunOrder] = {}
    for run in order.runs:
        begun = begin(run, order.origin)
        if isinstance(begun, Outcome):
            outcomes[run.number] = begun
        else:
            opened.append(begun)
            numbers[id(begun)] = run

    def finished(execution: Execution) -> None:
        run = numbers[id(execution)]
        summary, record = execution.summary, execution.record
        value = None
        if summary is not None:
            value = summary["final"].get(execution.job.plan.monitor)
        outcomes[run.number] = Outcome(
            run.number, run.directory, execution.status, record.get("message"), value
        )
        end_log(execution.log)

    if opened:
        try:
            execute_stack(opened, on_finish=finished)
        except Interrupted:
            for execution in opened:
                end_log(execution.log)
            if order.parent == os.getpid():
                raise
            _stopping.set()
    return [outcomes.get(run.number) or interrupted(run) for run in order.runs]


def interrupted(run: RunOrder) -> Outcome:
    return Outcome(run.number, run.directory, "interrupted")


def begin(run: RunOrder, origin: dict[str, Any]) -> Any:
    """The execution of a run, its directory claimed; or its outcome, where it cannot begin."""
    from exp.engine import Job
    from exp.runs.execution import Execution

    directory = RunDirectory(Path(run.directory))
    log = None
    try:
        start = left_off(directory) if run.goes_on else None
        if start is None:
            directory.claim()
        log = RunLog(directory.log)
        job = Job.of(plan(run.config), keep=False)
        if start is not None and (start := tried(directory, job)) is None:
            end_log(log)
            shutil.rmtree(directory.path)
            directory.claim()
            log = RunLog(directory.log)
        return Execution(job, directory, log=log, origin=origin, start=start, hydra=run.hydra)
    except Exception as error:
        message = str(error) or type(error).__name__
        if log is not None:
            log.error("The run failed: %s", error, exc_info=not isinstance(error, ExpError))
            end_log(log)
            record = {"status": "failed", "message": message, **origin}
            directory.draft({directory.hydra / name: text for name, text in run.hydra.items()})
            directory.write_record(record)
        return Outcome(run.number, run.directory, "failed", message)


def tried(directory: RunDirectory, job: Job) -> Checkpoint | None:
    """The checkpoint of a run, where the run can go on from it."""
    from exp.runs import checkpoint

    try:
        return checkpoint.to_go_on(directory, job)
    except (OSError, DamagedError):
        return None


def left_off(directory: RunDirectory) -> Checkpoint | None:
    """The newest checkpoint of a run that was broken off; where there is none that is whole, what
    it has left is removed, so that it can begin again."""
    from exp.runs import checkpoint

    try:
        return checkpoint.load(directory.checkpoints / "last.safetensors")
    except (OSError, DamagedError):
        shutil.rmtree(directory.path)
        return None
