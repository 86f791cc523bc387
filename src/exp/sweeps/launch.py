"""Gives the runs of a sweep to worker processes, as stacks."""

from __future__ import annotations

import itertools
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from joblib import Parallel, cpu_count, delayed, parallel_config

from exp.config import plugins
from exp.config.settings import SweepSettings
from exp.runs import provenance
from exp.runs.signals import CODES
from exp.sweeps.chunks import chunks
from exp.sweeps.composer import hydra_files
from exp.sweeps.plans import Planned, Runs
from exp.sweeps.pool import Pool, Retry
from exp.sweeps.progress import Progress
from exp.sweeps.stack_size import LEAST
from exp.sweeps.work import Order, Outcome, RunOrder, retries_of, timed_work
from exp.util.errors import ConfigError, Fault, Interrupted

Watch = Callable[[Planned, Outcome | None], None]


NEEDS = {"ray": "ray", "dask": "distributed"}
"""What a backend has to have installed."""
START = 5.0
"""Seconds that worker processes take to start, about: they import what this process has already."""


class Workers:
    """Who does the runs of a sweep: worker processes, or this one.

    Where `sweep.n_jobs` is not set, and the work is so short that workers would
    hardly have started when it is done, it is done in this process: `decide`. That changes no
    bit of what comes out.

    Args:
        settings: of the sweep.
        runs: how many there are to do: no more processes than that.
        draws: whether they will draw figures.

    Attributes:
        count: how many there are; 1 is this process.

    Raises:
        ConfigError: the backend is not installed.
    """

    def __init__(self, settings: SweepSettings, runs: int, *, draws: bool = True) -> None:
        module = NEEDS.get(settings.backend)
        if module is not None and find_spec(module) is None:
            install = f"pip install 'exp[{settings.backend}]'"
            raise ConfigError([Fault("sweep.backend", f"{module} is not installed: {install}")])
        self.backend = settings.backend
        self.local = settings.backend == "loky"
        self.count = max(1, min(settings.n_jobs or cores(), runs))
        self.decided = settings.n_jobs is not None or not self.local or self.count == 1
        # So many runs take longer than workers do to start, whatever they train.
        if runs * LEAST * (1 - 1 / self.count) > START:
            self.decided = True
        self.pool = Pool(self.count, draws=draws)

    def warm(self) -> None:
        """Starts worker processes of this machine, where it is certain that they are wanted;
        returns at once, while they import what they need."""
        if self.decided and self.local and self.count > 1:
            self.pool.start()

    def decide(self, seconds: float) -> None:
        """Whether this process does the work by itself, if that is still open.

        Args:
            seconds: what it would take, about.
        """
        if not self.decided:
            saved = seconds * (1 - 1 / self.count)
            if saved < START:
                self.count = 1
            self.decided = True
        self.warm()

    def map(
        self, orders: Iterator[Order], *, retry: Retry, going: Callable[[], bool]
    ) -> Iterator[tuple[list[Outcome], float]]:
        """The outcomes of each order and the seconds it took, as they come.

        Args:
            retry, going: as of `Pool.map`.
        """
        if self.local and self.count > 1:
            yield from self.pool.map(orders, retry=retry, going=going)
        elif self.local:
            yield from map(timed_work, orders)
        else:
            yield from self._on_a_cluster(orders)

    def _on_a_cluster(self, orders: Iterator[Order]) -> Iterator[tuple[list[Outcome], float]]:
        with connected(self.backend, self.count), parallel_config(self.backend, n_jobs=self.count):
            parallel = Parallel(return_as="list", batch_size=1, pre_dispatch="2*n_jobs")
            # It gives no results before all are there: some at a time, then.
            while window := list(itertools.islice(orders, 4 * self.count)):
                yield from parallel(delayed(timed_work)(order) for order in window)

    def stop(self) -> None:
        """Asks the processes of this machine to save what they train, and to end."""
        self.pool.stop()

    def close(self) -> None:
        """Ends the processes of this machine at once, whatever they do."""
        self.pool.close()


def cores() -> int:
    """Of the processor, as far as this process may use them."""
    return int(cpu_count())


@contextmanager
def connected(backend: str, workers: int) -> Iterator[None]:
    """Makes a cluster known to joblib: the one that its environment variable names
    (RAY_ADDRESS, DASK_SCHEDULER_ADDRESS), else one of this machine that ends with the sweep.
    """
    if backend == "ray":
        import ray
        from ray.util.joblib import register_ray

        started_here = not ray.is_initialized()
        if started_here:
            local = {} if "RAY_ADDRESS" in os.environ else {"num_cpus": workers}
            quiet = {"include_dashboard": False, "log_to_driver": False}
            ray.init(logging_level=logging.ERROR, **quiet, **local)
        register_ray()
        try:
            yield
        finally:
            if started_here:
                ray.shutdown()
        return
    import dask
    import distributed

    address = dask.config.get("scheduler-address", None)
    local = {} if address else {"n_workers": workers, "threads_per_worker": 1}
    with distributed.Client(address, dashboard_address=None, **local):
        yield


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
        for ended, seconds in workers.map(orders(), retry=retry, going=going):
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
