"""The process that logs: it gets runs and epochs from the process that trains, and is its only
connection to the trackers.

A slow or broken tracker thus costs no training time, no two processes write to one database, and
when the process that trains is killed, this one says so to the trackers.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from exp.config import plugins
from exp.config.plan import loggers_of
from exp.runs.loggers.finished_run import EvaluatedEpoch, FinishedSweep
from exp.runs.loggers.log_runs import Session, quiet, reason
from exp.runs.loggers.logger import is_live
from exp.runs.record import RunRecord

DYING = 5.0
"""Seconds until a killed process has ended, at most."""


def main() -> None:
    """The process: its argument is the descriptor of its connection."""
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for the process that trains
        signal.signal(number, signal.SIG_IGN)
    connection = Connection(int(sys.argv[2]))
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    first = json.loads(connection.recv_bytes())
    with quiet():
        Tracking(connection, first).serve()


class Tracking:
    """The runs that are logged, and the loggers.

    Args:
        connection: to the process that trains.
        first: its first message: the directory of the sweep or None, and what to import.
    """

    def __init__(self, connection: Connection, first: Mapping[str, Any]) -> None:
        self.connection = connection
        self.inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        sys.path[:] = first["path"]
        plugins.import_all(first["plugins"], first["folder"])
        self.sweep = None if first["sweep"] is None else FinishedSweep(Path(first["sweep"]))
        self.sessions: dict[str, list[Session]] = {}
        self.training: dict[Path, list[Session]] = {}

    def serve(self) -> None:
        """Does what the other process says, until that says `close` or has ended."""
        threading.Thread(target=self.receive, daemon=True).start()
        while (message := self.inbox.get()) is not None:
            if message["do"] == "close":
                self.answer(self.close(killed=message["killed"]))
                return
            self.answer(self.handle(message))
        self.left()

    def receive(self) -> None:
        """Takes in what the other process says, which never waits for this one."""
        try:
            while True:
                self.inbox.put(json.loads(self.connection.recv_bytes()))
        except (EOFError, OSError):
            self.inbox.put(None)

    def answer(self, content: Sequence[Any]) -> None:
        with contextlib.suppress(OSError):  # that it is gone shows with its next message
            self.connection.send_bytes(json.dumps(content).encode())

    def handle(self, message: Mapping[str, Any]) -> list[str]:
        """Does one thing; returns lines about loggers that failed meanwhile."""
        path = Path(message["run"])
        sessions = self.of(message["loggers"])
        marks = message.get("marks", ())
        if message["do"] == "start":
            self.training[path] = sessions
            return tried(sessions, lambda session: session.start(path))
        if message["do"] == "epochs":
            columns = message["columns"]
            rows = [
                EvaluatedEpoch(epoch, when, dict(zip(columns, map(float, texts), strict=True)))
                for epoch, when, texts in message["rows"]
            ]
            return tried(sessions, lambda session: session.epochs(path, rows))
        self.training.pop(path, None)
        for session in sessions:
            session.ended(path, marks)
        return []

    def of(self, settings: Mapping[str, Any]) -> list[Session]:
        """The loggers with these settings; the same ones for the same settings."""
        key = json.dumps(settings)
        if key not in self.sessions:
            chosen, _ = loggers_of(settings)
            self.sessions[key] = [
                Session(label, each, self.sweep, trusted=True)
                for label, each in chosen.items()
                if is_live(each)
            ]
        return self.sessions[key]

    def close(self, *, killed: bool) -> list[tuple[str, bool]]:
        every = [session for some in self.sessions.values() for session in some]
        return [session.close(killed=killed) for session in every]

    def left(self) -> None:
        """Logs what there is, once the process that trains has ended without a word."""
        for path, sessions in self.training.items():
            until = time.monotonic() + DYING
            while RunRecord.tolerant(path).status == "running" and time.monotonic() < until:
                time.sleep(0.05)
            for session in sessions:
                session.ended(path)
        self.close(killed=True)


def tried(sessions: Sequence[Session], do: Callable[[Session], None]) -> list[str]:
    lines = []
    for session in sessions:
        try:
            do(session)
        except Exception as error:
            what = "does not get the epochs while the run trains"
            lines.append(f"{session.label}: {what}: {reason(error)}")
    return lines
