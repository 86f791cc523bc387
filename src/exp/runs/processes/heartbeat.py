"""A thread that shows other machines that this process is alive."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import IO

BEAT = 5.0
"""Seconds between two signs of life."""


class Heartbeat(threading.Thread):
    """Renews the time of modification of a file. A copy of this process can work without it.

    Args:
        file: an open file.
    """

    def __init__(self, file: IO[str]) -> None:
        super().__init__(name="exp-heartbeat", daemon=True)
        self.file, self.ended = file, threading.Event()

    def run(self) -> None:
        while not self.ended.wait(BEAT):
            with contextlib.suppress(OSError, ValueError):
                os.utime(self.file.fileno())

    def end(self) -> None:
        """Ends it; the file can be closed then."""
        self.ended.set()
        self.join()
