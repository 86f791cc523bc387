"""SIGINT and SIGTERM wait until training is between two epochs, where its state can be saved."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from exp.util.errors import Interrupted

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
"""Signal -> exit code of a process that it ends."""
ignore_repeats = False
"""Whether a second signal counts for nothing: in a worker process, which its parent ends at once
where that is wanted. One that is sent to every process of a sweep reaches a worker twice."""


class DelayedSignals:
    """The signal that has come in; a second one ends the process at once."""

    def __init__(self) -> None:
        self.code: int | None = None

    def receive(self, number: int, frame: FrameType | None) -> None:
        if self.code is None:
            self.code = CODES[signal.Signals(number)]
        elif not ignore_repeats:
            raise Interrupted(self.code)

    def raise_between_epochs(self) -> None:
        """
        Raises:
            Interrupted: a signal has come in.
        """
        if self.code is not None:
            raise Interrupted(self.code, between=True)


@contextmanager
def delayed_signals() -> Iterator[DelayedSignals]:
    """Delays SIGINT and SIGTERM within; one that nobody has raised by the end is raised then.

    Raises:
        Interrupted: a signal has come in.
    """
    signals = DelayedSignals()
    if threading.current_thread() is not threading.main_thread():
        yield signals  # Python handles signals in the main thread only
        return
    ignored = {n for n in CODES if signal.getsignal(n) is signal.SIG_IGN}
    before = {n: signal.signal(n, signals.receive) for n in CODES if n not in ignored}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if signals.code is not None:
        raise Interrupted(signals.code)
