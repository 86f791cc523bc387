"""Signals that wait until training stands between two epochs, where its state can be saved."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from exp.util.errors import Interrupted

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
only_once = False
"""Whether a second signal counts for nothing: in a worker process, which its parent ends at once
where that is wanted. One that is sent to every process of a sweep reaches a worker twice."""


class Patience:
    """What signals have come in; a second one is not waited with."""

    def __init__(self) -> None:
        self.code: int | None = None

    def take(self, number: int, frame: FrameType | None) -> None:
        if self.code is not None:
            if only_once:
                return
            raise Interrupted(self.code)
        self.code = CODES[signal.Signals(number)]

    def between_epochs(self) -> None:
        """Raises what has come in.

        Raises:
            Interrupted: a signal has asked for the end.
        """
        if self.code is not None:
            raise Interrupted(self.code, between=True)


@contextmanager
def patient() -> Iterator[Patience]:
    """Holds SIGINT and SIGTERM back; one that nobody has raised by the end is raised then.

    Raises:
        Interrupted: a signal has asked for the end.
    """
    patience = Patience()
    if threading.current_thread() is not threading.main_thread():
        yield patience  # only the main thread can be told of signals
        return
    ignored = {n for n in CODES if signal.getsignal(n) is signal.SIG_IGN}
    before = {n: signal.signal(n, patience.take) for n in CODES if n not in ignored}
    try:
        yield patience
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if patience.code is not None:
        raise Interrupted(patience.code)
