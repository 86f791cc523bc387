"""Worker processes of this machine. Each does one order at a time and ends with this process.

If the system kills a worker, its order is known, and only that is lost. A worker leaves nothing
behind: no files, no shared memory, no semaphores.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from exp.runs.processes import forked
from exp.runs.processes.forked import Forked
from exp.util.errors import ExpError

# Not "-m": that would look for exp in the current folder first. The folder that holds this exp
# comes last on the path, for the case that it is not installed at all.
_CHILD = """
import sys
sys.path.append(sys.argv[1])
from exp.runs.processes.worker_process import main
main()
"""

Order = Any
"""What a worker is given to do; it can be pickled."""
Work = Callable[[Order], Any]
"""What a worker does with an order: a function of a module, which returns what came out and the
seconds that it took."""
Prepare = Callable[[], None]
"""What a worker does when it has started: a function of a module, or a `partial` of one."""
Retry = Callable[[Order, str], tuple[list[Any], list[Order]]]
"""What becomes of an order whose worker has died, and why that died: outcomes of the runs that have
ended, and orders for the others."""


class WorkerError(ExpError):
    """Worker processes cannot be started."""

    exit_code = 1


class Worker:
    """One process and the pipes to it.

    Args:
        work: what it does with each order.
        prepare: what it does before the first one.

    Attributes:
        order: what it does now; None where it waits.
        begun: when it was given that, by `time.perf_counter`.
        ready: whether it has come so far that it could begin.
    """

    def __init__(self, work: Work, prepare: Prepare) -> None:
        incoming, self._send = os.pipe()
        self._receive, outgoing = os.pipe()
        try:
            self.process = started(incoming, outgoing)
        except OSError as error:
            for descriptor in (self._send, self._receive):
                os.close(descriptor)
            raise WorkerError(f"a worker process cannot be started: {error}") from error
        finally:
            os.close(incoming)
            os.close(outgoing)
        self.orders = Connection(self._send, readable=False)
        self.answers = Connection(self._receive, writable=False)
        self.order: Order | None = None
        self.begun = 0.0
        self.ready = False
        self._post(sys.path)
        self._post((prepare, work))

    def _post(self, message: object) -> None:
        # Where it is gone, the end of its answers says so.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.orders.send_bytes(pickle.dumps(message))

    def give(self, order: Order) -> None:
        """Has it do an order."""
        self.order, self.begun = order, time.perf_counter()
        self._post(order)

    def answer(self) -> Any:
        """What it has to say: None where it is ready to begin, an error, or the outcomes of its
        order and the seconds that it took.

        Raises:
            EOFError: it is gone.
        """
        try:
            return self.answers.recv()
        except (OSError, pickle.UnpicklingError) as error:
            raise EOFError from error

    def end(self) -> int:
        """Ends it at once, whatever it does; returns its exit code."""
        self.process.kill()
        code = self.process.wait()
        self.orders.close()
        self.answers.close()
        return code


def started(incoming: int, outgoing: int) -> subprocess.Popen[bytes] | Forked:
    """A worker process: a copy of this one, or a new interpreter where that cannot work.

    Args:
        incoming, outgoing: its ends of the pipes, to read from and to write to.

    Raises:
        OSError: it cannot be started.
    """
    parent = os.getpid()
    if forked.possible():

        def work() -> None:
            from exp.runs.processes.worker_process import serve  # only a worker has it

            serve(incoming, outgoing, parent)

        return Forked(work)
    root = str(Path(__file__).resolve().parents[3])
    return subprocess.Popen(
        [sys.executable, "-P", "-c", _CHILD, root, *map(str, (incoming, outgoing, parent))],
        stdin=subprocess.DEVNULL,
        pass_fds=(incoming, outgoing),
        # Ctrl-C is for this process, which decides what becomes of the runs.
        process_group=0,
    )


class Pool:
    """Workers that do orders as they come.

    Args:
        count: how many.
        work: what they do with each order.
        prepare: what each does before its first order, such as imports.
    """

    def __init__(self, count: int, work: Work, *, prepare: Prepare) -> None:
        self.count, self.work, self.prepare = count, work, prepare
        self.workers: list[Worker] = []

    def start(self) -> None:
        """Starts those that are missing; returns at once, while they import what they need.

        Raises:
            WorkerError: no process can be started.
        """
        while len(self.workers) < self.count:
            self.workers.append(Worker(self.work, self.prepare))

    def map(
        self, orders: Iterator[Order], *, retry: Retry, going: Callable[[], bool]
    ) -> Iterator[tuple[Any, float]]:
        """What came out of each order, and the seconds it took, as they come.

        Args:
            retry: what becomes of an order whose worker has died.
            going: whether orders may still be given out.

        Raises:
            WorkerError: workers die before they begin.
            Exception: what work on an order has raised.
        """
        retries: deque[Order] = deque()
        while True:
            self._give_out(orders, retries, going)
            busy = {each.answers: each for each in self.workers if each.order is not None}
            if not busy:
                return
            for connection in wait(list(busy)):
                worker = busy[connection]  # type: ignore[index]
                try:
                    answer = worker.answer()
                except EOFError:
                    order = worker.order
                    assert order is not None
                    ended, more = retry(order, self._lost(worker))
                    retries += more
                    if ended:
                        yield ended, time.perf_counter() - worker.begun
                    continue
                if answer is None:
                    worker.ready = True
                    continue
                worker.order = None
                if isinstance(answer, BaseException):
                    raise answer
                yield answer

    def _give_out(
        self, orders: Iterator[Order], retries: deque[Order], going: Callable[[], bool]
    ) -> None:
        """Gives each worker that waits something to do, as long as there is some."""
        for place in range(self.count):
            waits = place >= len(self.workers) or self.workers[place].order is None
            if not waits or not going():
                continue
            order = retries.popleft() if retries else next(orders, None)
            if order is None:
                return
            if place >= len(self.workers):
                self.start()
            self.workers[place].give(order)

    def _lost(self, worker: Worker) -> str:
        """Takes a worker that has died out of the pool; returns why it did.

        Raises:
            WorkerError: it died by itself before it could begin, as the next would.
        """
        self.workers.remove(worker)
        with contextlib.suppress(subprocess.TimeoutExpired):  # its pipe may end a moment earlier
            worker.process.wait(5)
        code = worker.end()
        if code >= 0 and not worker.ready:
            raise WorkerError(f"a worker process ended with code {code} before it could begin")
        return reason(code)

    def stop(self) -> None:
        """Asks the workers to save what they train, and to end their orders."""
        for worker in self.workers:
            worker.process.send_signal(signal.SIGTERM)

    def close(self) -> None:
        """Ends the workers at once, whatever they do."""
        while self.workers:
            self.workers.pop().end()


def reason(code: int) -> str:
    """Why a worker process has died, by its exit code."""
    if code >= 0:
        return f"its worker process ended with code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    more = "; the system does that when memory runs out" if -code == signal.SIGKILL else ""
    return f"its worker process was killed by {name}{more}"
