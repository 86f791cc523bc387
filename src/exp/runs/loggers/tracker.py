"""Has runs logged by a process beside this one, while they train."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

from exp.config import plugins

# Not "-m": that would look for exp in the current folder first. The folder that holds this exp
# comes last on the path, for the case that it is not installed at all.
_CHILD = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from exp.runs.loggers.tracker_process import main; main()"
)
PATIENCE = 10.0
"""Seconds that an interrupted run waits until the trackers know."""

left: list[subprocess.Popen[bytes]] = []
"""Processes that still logged when this one had to go on."""

Settings = Mapping[str, Any]
"""The node `logger` of a config: label -> name and parameters."""
Closed = list[tuple[str, bool]]
"""A line for each logger, and whether it could log everything."""


class Tracker:
    """The process that logs, as the one that trains sees it. It starts with the first message, or
    with `open`, and imports what it needs meanwhile.

    Args:
        sweep: the directory of the sweep that all runs belong to; None: they are single runs.

    Attributes:
        gone: the process could not be started, or has ended too early.
    """

    def __init__(self, sweep: Path | None = None) -> None:
        self.sweep = sweep
        self.process: subprocess.Popen[bytes] | None = None
        self.unanswered = 0
        self.gone = False

    def open(self) -> None:
        """Starts the process."""
        self.connection, other = Pipe()
        root = str(Path(__file__).resolve().parents[3])
        try:
            with other:
                self.process = subprocess.Popen(
                    [sys.executable, "-P", "-c", _CHILD, root, str(other.fileno())],
                    stdin=subprocess.DEVNULL,
                    pass_fds=(other.fileno(),),
                    # Ctrl-C is for this process.
                    process_group=0,
                )
        except OSError:
            self.gone = True
        sweep = None if self.sweep is None else str(self.sweep)
        named = {"path": sys.path, "folder": os.getcwd(), "plugins": plugins.loaded}
        self._send({**named, "sweep": sweep})

    def _send(self, message: Mapping[str, Any]) -> None:
        try:
            if not self.gone:
                self.connection.send_bytes(json.dumps(message).encode())
        except OSError:
            self.gone = True

    def _answer(self, until: float | None) -> Any:
        """The next answer; None: there is none by then, or the process has ended."""
        timeout = None if until is None else max(0.0, until - time.monotonic())
        try:
            if not self.gone and self.connection.poll(timeout):
                return json.loads(self.connection.recv_bytes())
        except (EOFError, OSError):
            self.gone = True
        return None

    def _take_answers(self, until: float | None) -> None:
        """Takes answers until all messages are answered, and prints what they say."""
        while self.unanswered and (lines := self._answer(until)) is not None:
            self.unanswered -= 1
            for line in lines:
                print(line, flush=True)

    def say(self, what: str, path: Path, loggers: Settings, **more: Any) -> None:
        """Tells the process something about a run."""
        if self.process is None and not self.gone:
            self.open()
        self._send({"do": what, "run": str(path), "loggers": loggers, **more})
        self.unanswered += 1
        self._take_answers(0.0)

    def idle(self) -> bool:
        """Whether the process has done everything."""
        self._take_answers(0.0)
        return not self.unanswered and not self.gone

    def close(self, *, killed: bool = False) -> Closed | None:
        """Waits until everything is logged.

        Args:
            killed: everything is marked as interrupted, and waited for only a while; the process
                then goes on by itself.

        Returns:
            None: the process has ended too early.
        """
        if self.process is None and not self.gone:
            return []
        until = time.monotonic() + PATIENCE if killed else None
        self._send({"do": "close", "killed": killed})
        self._take_answers(until)
        lines: Closed | None = None if self.unanswered else self._answer(until)
        late = until is not None and lines is None and not self.gone
        self.leave(0.0 if late else PATIENCE)
        return [] if late else lines

    def leave(self, patience: float = 0.0) -> None:
        """Lets the process go: it logs what it can and ends.

        Args:
            patience: seconds to wait for that.
        """
        if self.process is None or self.connection.closed:
            return
        self.connection.close()
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            left.append(self.process)


def print_closed(lines: Closed | None, *, again: str) -> None:
    """Prints what the loggers say at the end.

    Args:
        again: how to log what was not, where the process has ended too early.
    """
    for line, _ in lines or ():
        print(line, flush=True)
    if lines is None:
        text = f"the process that logs ended unexpectedly. To try again: {again}"
        print(text, flush=True)
