"""Who trains the runs of a sweep: worker processes, a cluster of joblib's, or this process."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joblib import Parallel, cpu_count, delayed, parallel_config

from exp.config.settings import SweepSettings
from exp.runs.processes import forked
from exp.runs.processes.worker_pool import Pool, Retry
from exp.sweeps.stack_size import LEAST
from exp.sweeps.train_stack import Order, Outcome, ready, timed_work
from exp.util.errors import ConfigError, Fault

if TYPE_CHECKING:
    from exp.sweeps.submitit_cluster import Jobs

NEEDS = {"ray": "ray", "dask": "distributed", "submitit": "submitit"}
"""What a backend has to have installed."""
START = 5.0
"""Seconds that new interpreters take to start, about: they import what this process has already."""
JOBS = 16
"""Jobs of submitit at once, where `sweep.n_jobs` is not set."""
COPY = 0.1
"""Seconds that copies of this process take to start, about."""


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
        many = JOBS if self.backend == "submitit" else cores()
        self.count = max(1, min(settings.n_jobs or many, runs))
        self.decided = settings.n_jobs is not None or not self.local or self.count == 1
        # So many runs take longer than workers do to start, whatever they train.
        self.start = START
        if self.count > 1 and forked.possible():
            self.start = COPY
            forked.start_no_threads()
        if runs * LEAST * (1 - 1 / self.count) > self.start:
            self.decided = True
        self.jobs = jobs_of(settings, self.count) if self.backend == "submitit" else None
        self.pool = Pool(self.count, timed_work, prepare=partial(ready, draws=draws))

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
            if saved < self.start:
                self.count = 1
            self.decided = True
        self.warm()

    def map(
        self, orders: Iterator[Order], *, retry: Retry, going: Callable[[], bool], sweep: Path
    ) -> Iterator[tuple[list[Outcome], float]]:
        """The outcomes of each order and the seconds it took, as they come.

        Args:
            retry, going: as of `Pool.map`.
            sweep: the directory of the sweep.
        """
        if self.local and self.count > 1:
            yield from self.pool.map(orders, retry=retry, going=going)
        elif self.local:
            yield from map(timed_work, orders)
        elif self.jobs is not None:
            yield from self.jobs.map(orders, retry=retry, going=going, sweep=sweep)
        else:
            yield from self._on_a_cluster(orders)

    def _on_a_cluster(self, orders: Iterator[Order]) -> Iterator[tuple[list[Outcome], float]]:
        with connected(self.backend, self.count), parallel_config(self.backend, n_jobs=self.count):
            parallel = Parallel(return_as="list", batch_size=1, pre_dispatch="2*n_jobs")
            # It gives no results before all are there: some at a time, then.
            while window := list(itertools.islice(orders, 4 * self.count)):
                yield from parallel(delayed(timed_work)(order) for order in window)

    def stop(self) -> None:
        """Asks the processes of this machine, or the jobs, to save what they train, and to end."""
        self.pool.stop()
        if self.jobs is not None:
            self.jobs.stop()

    def close(self) -> None:
        """Ends the processes of this machine at once, whatever they do."""
        self.pool.close()


def jobs_of(settings: SweepSettings, count: int) -> Jobs:
    """Jobs of submitit.

    Raises:
        ConfigError: submitit cannot use the settings.
    """
    jobs: Jobs = cluster("submitit").Jobs(settings.submitit or {}, count)
    return jobs


def cores() -> int:
    """Of the processor, as far as this process may use them."""
    return int(cpu_count())


def connected(backend: str, workers: int) -> AbstractContextManager[object]:
    """Within it joblib knows a cluster: the one that an environment variable names
    (RAY_ADDRESS, DASK_SCHEDULER_ADDRESS), else one of this machine that ends with the sweep."""
    connection: AbstractContextManager[object] = cluster(backend).connected(workers)
    return connection


def cluster(backend: str) -> Any:
    """The module of a backend, which imports an extra."""
    return import_module(f"exp.sweeps.{backend}_cluster")
