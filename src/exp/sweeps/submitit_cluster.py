"""`sweep.backend=submitit`: each stack is a job of submitit, on Slurm or on this machine."""

from __future__ import annotations

import os
import secrets
import signal
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import submitit
import torch
from submitit.core.utils import FailedJobError, UncompletedJobError
from submitit.helpers import DelayedSubmission

from exp.config.trust import PLAIN_SETTINGS, PLAIN_TEXT
from exp.runs.processes.worker_pool import Retry, WorkerError
from exp.sweeps.job_session import Session, is_wanted, present
from exp.sweeps.retries import ended_before
from exp.sweeps.train_stack import Order, Outcome, interrupted, ready, work
from exp.util.errors import ConfigError, Fault, nearest, shown
from exp.util.terminal import one_line

POLL = 0.1
"""Seconds between two looks at the jobs."""
REQUEUED = 1000
"""So often a job that reaches its time limit is queued again; it goes on each time."""
PREFIXES = ("slurm_", "local_")
SHARED = {
    "name", "timeout_min", "mem_gb", "nodes", "cpus_per_task", "gpus_per_node", "tasks_per_node",
    "stderr_to_stdout",
}  # fmt: skip
"""Settings that submitit has for every cluster; the others begin with the name of theirs."""
PREEMPTED = "SUBMITIT_PREEMPT_SIGNAL"
"""The variable that names submitit's signal before a preemption or a time limit."""


@dataclass(frozen=True)
class StackJob:
    """What a job does: it trains the runs of an order, as far as they have not ended.

    submitit's signal makes it save the runs and asks for the job to be queued again; then it goes
    on where it was. On SIGTERM it saves them too, and ends without a result: who has cancelled or
    preempted the job decides whether it is started again.

    Attributes:
        session: the folder of its session.
        name: of the job there.
        gpus: what CUDA_VISIBLE_DEVICES is to be; empty: as it is.
    """

    session: Path
    name: str
    gpus: tuple[str, ...] = ()

    def __call__(self, order: Order) -> tuple[list[Outcome], float]:
        """The outcomes of the runs, in order, and the seconds that they took."""
        begun = time.perf_counter()
        if self.gpus:
            os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(self.gpus)
        number = signal.Signals[f"SIG{os.environ.get(PREEMPTED, 'USR2')}"]
        requeue = signal.getsignal(number)
        caught: list[int] = []

        def preempted(received: int, _: object) -> None:
            caught.append(received)
            signal.raise_signal(signal.SIGTERM)

        signal.signal(number, preempted)
        ready(draws=False)
        if not is_wanted(self.session):  # the process that has started this job is gone
            return [interrupted(run) for run in order.runs], 0.0
        with present(self.session, self.name):
            outcomes = work_left(order)
            stopped = any(outcome.status == "interrupted" for outcome in outcomes)
            wanted = is_wanted(self.session)
        if stopped and wanted:
            if caught and callable(requeue):
                requeue(number, None)  # ends this process
            sys.exit(128 + signal.SIGTERM)
        return outcomes, time.perf_counter() - begun

    def checkpoint(self, order: Order) -> DelayedSubmission:
        """What submitit queues again: the same job, which looks for what its runs have left."""
        return DelayedSubmission(self, order)


def work_left(order: Order) -> list[Outcome]:
    """The outcomes of the runs of an order, those that had ended before included."""
    ended = {run.number: outcome for run in order.runs if (outcome := ended_before(run))}
    # The job may have been here before, on another machine, whose process had any number.
    left = [replace(run, goes_on=True) for run in order.runs if run.number not in ended]
    if left:
        done = work(replace(order, runs=tuple(left), parent=-1))
        ended |= {outcome.number: outcome for outcome in done}
    return [ended[run.number] for run in order.runs]


class Jobs:
    """Jobs of submitit that do orders.

    Args:
        settings: `sweep.submitit`: `cluster`, and what submitit's AutoExecutor takes.
        count: how many jobs there are at once, at most.

    Raises:
        ConfigError: submitit cannot use the settings.
    """

    def __init__(self, settings: Mapping[str, Any], count: int) -> None:
        self.settings, self.count = dict(settings), count
        self.cluster = self.settings.pop("cluster", None)
        if faults := list(unsafe(self.settings)):
            raise ConfigError(faults)
        for key in ("nodes", "tasks_per_node"):
            if self.settings.get(key, 1) != 1:
                what = "a stack trains in one process: expected 1, or nothing"
                raise ConfigError([Fault(f"sweep.submitit.{key}", what)])
        with tempfile.TemporaryDirectory() as folder:
            executor = self._executor(Path(folder))
        self.session: Session | None = None
        self.free: list[str] | None = None
        self.each = int(self.settings.get("gpus_per_node") or 0)
        if executor.cluster == "local" and self.each:
            self.free = visible_gpus()
            if len(self.free) < self.each:
                what = f"asks for {self.each} GPUs, and there are {len(self.free)}"
                raise ConfigError([Fault("sweep.submitit.gpus_per_node", what)])

    def _executor(self, folder: Path) -> submitit.AutoExecutor:
        """
        Raises:
            ConfigError: submitit cannot use the settings.
        """
        try:
            executor = submitit.AutoExecutor(
                folder=folder,
                cluster=self.cluster,
                slurm_max_num_timeout=REQUEUED,
                local_max_num_timeout=REQUEUED,
            )
            given = {"name": "exp", "timeout_min": 60, **self.settings}
            plain = {key for key in given if key not in SHARED and not key.startswith(PREFIXES)}
            executor.update_parameters(
                **{f"slurm_{key}" if key in plain else key: given[key] for key in given}
            )
        except (AssertionError, NameError, RuntimeError, TypeError, ValueError) as error:
            what = " ".join(str(error).split()) or type(error).__name__
            raise ConfigError([Fault("sweep.submitit", what)]) from None
        return executor

    def map(
        self, orders: Iterator[Order], *, retry: Retry, going: Callable[[], bool], sweep: Path
    ) -> Iterator[tuple[list[Outcome], float]]:
        """The outcomes of each order and the seconds it took, as they come.

        Args:
            retry, going: as of `Pool.map`.
            sweep: the directory of the sweep.

        Raises:
            WorkerError: a job has failed by a mistake of exp.
        """
        self.session = session = Session(sweep)
        executor = self._executor(session.path)
        running: dict[submitit.Job[Any], tuple[Order, StackJob]] = {}
        retries: deque[Order] = deque()
        lost = False
        try:
            while True:
                while going() and len(running) < self.count and self._has_gpus():
                    order = retries.popleft() if retries else next(orders, None)
                    if order is None:
                        break
                    what = StackJob(session.path, secrets.token_hex(4), self._take_gpus())
                    running[executor.submit(what, order)] = order, what
                if not running:
                    return
                time.sleep(POLL)
                for job in [job for job in running if job.done()]:
                    order, what = running.pop(job)
                    self._give_back(what.gpus)
                    try:
                        yield job.result()
                    except UncompletedJobError:
                        lost = True
                        session.forget(what.name)
                        if not going():
                            yield [interrupted(run) for run in order.runs], 0.0
                            continue
                        ended, more = retry(order, f"job {job.job_id} ended without a result")
                        retries += more
                        if ended:
                            yield ended, 0.0
                    except FailedJobError as error:
                        lost = True
                        raise WorkerError(f"job {job.job_id} has failed: {error}") from error
        finally:
            session.stop()
            for job in running:
                job.cancel(check=False)
            session.close(keep=lost)
            self.session = None

    def _has_gpus(self) -> bool:
        return self.free is None or len(self.free) >= self.each

    def _take_gpus(self) -> tuple[str, ...]:
        """GPUs of this machine for one job; Slurm gives them to its jobs itself."""
        if self.free is None:
            return ()
        taken, self.free = self.free[: self.each], self.free[self.each :]
        return tuple(taken)

    def _give_back(self, gpus: Sequence[str]) -> None:
        if self.free is not None:
            self.free += gpus

    def stop(self) -> None:
        """Asks the jobs to save what they train, and to end; those that wait in a queue end at
        once when they start."""
        if self.session is not None:
            self.session.stop()


def unsafe(settings: Mapping[str, Any]) -> Iterator[Fault]:
    """Settings that could put a command into the script of a job: a stranger may have written the
    config."""
    for key, value in settings.items():
        name = key.partition("_")[2] if key.startswith(PREFIXES) else key
        where = f"sweep.submitit.{one_line(key)}"
        if name not in PLAIN_SETTINGS["launcher"]:
            known = sorted(PLAIN_SETTINGS["launcher"])
            yield Fault(where, f"no such setting.{nearest(name, known)}")
        elif not PLAIN_TEXT.fullmatch(str(value)):
            yield Fault(where, f"expected plain text, found {shown(value)}")


def visible_gpus() -> list[str]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [name.strip() for name in named.split(",") if name.strip()]
    return [str(number) for number in range(torch.cuda.device_count())]
