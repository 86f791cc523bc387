"""Hands the runs of a sweep to worker processes, as stacks."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exp import plugins
from exp.config import Sweeping
from exp.errors import ConfigError, Fault, Interrupted
from exp.runs import provenance
from exp.runs.signals import CODES
from exp.sweeps.chunks import chunks
from exp.sweeps.composed import hydra_files
from exp.sweeps.plans import Planned, Runs
from exp.sweeps.progress import Progress
from exp.sweeps.work import Order, Outcome, RunOrder, ready, work

if TYPE_CHECKING:
    from joblib import Parallel

Watch = Callable[[Planned, Outcome | None], None]


NEEDS = {"ray": "ray", "dask": "distributed"}
"""What a backend has to have installed."""


class Workers:
    """The worker processes of a sweep; they import what they need while it is still planned.

    Args:
        settings: of the sweep.
        runs: how many there are to do: no more processes than that.
        draws: whether they will draw figures.

    Raises:
        ConfigError: the backend is not installed.
    """

    def __init__(self, settings: Sweeping, runs: int, *, draws: bool = True) -> None:
        module = NEEDS.get(settings.backend)
        if module is not None and find_spec(module) is None:
            install = f"pip install 'exp[{settings.backend}]'"
            raise ConfigError([Fault("sweep.backend", f"{module} is not installed: {install}")])
        self.backend, self.draws = settings.backend, draws
        self.count = max(1, min(settings.n_jobs or cores(), runs))
        self._warm: Iterator[Any] | None = None

    def warm(self) -> None:
        """Starts them, where they are processes of this machine; returns at once."""
        if self.backend == "loky" and self.count > 1:
            with self._parallel() as parallel:
                from joblib import delayed

                self._warm = parallel(delayed(os.getpid)() for _ in range(self.count))

    def map(self, orders: Iterator[Order]) -> Iterator[tuple[list[Outcome], float]]:
        """The outcomes of each order and the seconds it took, as they come."""
        from joblib import delayed

        if self._warm is not None:
            list(self._warm)
            self._warm = None
        with self._parallel() as parallel:
            if self.backend == "loky":
                results = parallel(delayed(timed)(order) for order in orders)
                try:
                    yield from results
                finally:
                    ended(results)
            # The backends of clusters give no results before all are there: some at a time, then.
            while window := list(itertools.islice(orders, 4 * self.count)):
                yield from parallel(delayed(timed)(order) for order in window)

    @contextmanager
    def _parallel(self) -> Iterator[Parallel]:
        from joblib import Parallel, parallel_config

        options: dict[str, Any] = {}
        if self.backend == "loky" and self.count > 1:
            options = {"initializer": ready, "initargs": (os.getpid(), self.draws)}
        returns = "generator_unordered" if self.backend == "loky" else "list"
        with (
            connected(self.backend, self.count),
            parallel_config(self.backend, n_jobs=self.count, **options),
        ):
            yield Parallel(return_as=returns, batch_size=1, pre_dispatch="2*n_jobs")

    def stop(self) -> None:
        """Asks the processes of this machine to save what they train, and to end."""
        if self.backend == "loky" and self.count > 1:
            from joblib.externals.loky import reusable_executor

            for process in list(getattr(reusable_executor._executor, "_processes", None) or ()):
                with contextlib.suppress(OSError):
                    os.kill(process, signal.SIGTERM)

    def close(self) -> None:
        """Ends the processes of this machine at once, whatever they do."""
        if self._warm is not None:
            ended(self._warm)
        if self.backend == "loky" and self.count > 1:
            from joblib.externals.loky import get_reusable_executor

            get_reusable_executor().shutdown(wait=False, kill_workers=True)


def ended(results: Iterator[Any]) -> None:
    """Gives up what joblib would still compute; that nobody uses it is on purpose."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        results.close()  # type: ignore[attr-defined]


def cores() -> int:
    """Of the processor, as far as this process may use them."""
    from joblib import cpu_count

    return int(cpu_count())


@contextmanager
def connected(backend: str, workers: int) -> Iterator[None]:
    """Makes a cluster known to joblib: the one that its own environment variable names
    (RAY_ADDRESS, DASK_SCHEDULER_ADDRESS), else one of this machine that ends with the sweep.
    """
    if backend == "loky":
        yield
        return
    if backend == "ray":
        import ray
        from ray.util.joblib import register_ray

        own = not ray.is_initialized()
        if own:
            local = {} if "RAY_ADDRESS" in os.environ else {"num_cpus": workers}
            quiet = {"include_dashboard": False, "log_to_driver": False}
            ray.init(logging_level=logging.ERROR, **quiet, **local)
        register_ray()
        try:
            yield
        finally:
            if own:
                ray.shutdown()
        return
    import dask
    import distributed

    address = dask.config.get("scheduler-address", None)
    local = {} if address else {"n_workers": workers, "threads_per_worker": 1}
    with distributed.Client(address, dashboard_address=None, **local):
        yield


def timed(order: Order) -> tuple[list[Outcome], float]:
    begun = time.perf_counter()
    outcomes = work(order)
    return outcomes, time.perf_counter() - begun


def train_planned(
    found: Runs,
    runs: Sequence[Planned],
    root: Path,
    workers: Workers,
    settings: Sweeping,
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
        watch: called for each run when it is handed out, and again with its outcome.
        before: runs that the same sweep has done before these, as its progress tells.
        total: runs of the whole sweep, where these are not all.
    """
    where, origin = root.absolute(), provenance.origin()
    waiting: dict[int, list[Planned]] = {}
    halt = Halt(workers)

    def orders() -> Iterator[Order]:
        for piece in chunks(runs, found, workers=workers.count, most=settings.chunk):
            if halt.why is not None:
                return
            waiting[piece[0].number] = piece
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

    with Progress(before + len(runs) if total is None else total, before) as progress, halt:
        for number, why in found.alone.items():
            alone = [str(run.number) for run in runs if run.stack == number]
            if alone:
                some = ", ".join(alone[:5]) + (", ..." if len(alone) > 5 else "")
                progress.say(f"trained one by one (run {some}): {why}")
        for ended, seconds in workers.map(orders()):
            piece = waiting.pop(ended[0].number)
            progress.add(piece, ended, seconds)
            for run, outcome in zip(piece, ended, strict=True):
                if watch is not None:
                    watch(run, outcome)
            halt.look(ended, fail_fast=settings.fail_fast)
        left = before + len(runs) - progress.done
        if halt.why is not None and left:
            progress.say(f"{halt.why}: {left} runs were not started")


class Halt:
    """Whether nothing more is to be started, and why.

    While it is entered, the first signal to end lets the workers save what they train and come to
    an end; it is raised when they have. A second one ends them at once.

    Args:
        workers: that are told.
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
            self.why = "sweep.fail_fast"


def ordered(run: Planned, root: Path, goes_on: bool) -> RunOrder:
    place = str(root / run.subdir)
    files = hydra_files(
        run.texts, run.hydra, run.words, number=run.number, dirname=run.dirname, output=place
    )
    return RunOrder(run.number, place, run.config, files, goes_on)
