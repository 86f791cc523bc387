"""exp.log: how its lines look, as conf/hydra/job_logging/exp.yaml has them, and its file."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from pathlib import Path
from typing import Any

from exp.util.terminal import printable

DATED = "%(asctime)s %(levelname)-7s %(message)s"
WAIT = 1.0
"""Seconds for which a line of one run of many may wait for others; a warning does not."""


class LogFile(logging.FileHandler):
    """The file of a log. A line that a full disk does not take is left out in silence: the run
    ends with one clear error as soon as a file of its results cannot be written."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with control characters shown: a log is read on a terminal."""
        return printable(super().format(record))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)

    def close(self) -> None:
        with contextlib.suppress(OSError):  # what is left of the lines
            super().close()


class Lines(LogFile):
    """The log of one run of many: a hundred lines for each, which are not worth a write each."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8")
        self.setFormatter(logging.Formatter(DATED))
        self.due = time.monotonic() + WAIT

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            self.due = 0.0
        super().emit(record)

    def flush(self) -> None:
        if time.monotonic() >= self.due:
            self.write_out()

    def write_out(self) -> None:
        """Writes the lines that wait."""
        super().flush()
        self.due = time.monotonic() + WAIT


class RunLog(logging.Logger):
    """A logger of one run: not known to `logging`, which would keep it for ever."""

    def __init__(self, path: Path) -> None:
        super().__init__("exp", logging.INFO)
        self.addHandler(Lines(path))

    def findCaller(self, *_: Any) -> tuple[str, int, str, None]:  # noqa: N802 - logging's own name
        """Nobody is told which line of code has written a line."""
        return "", 0, "", None


def write_out(log: logging.Logger) -> None:
    """Has the file of a run's logger hold all of its lines."""
    for handler in log.handlers:
        if isinstance(handler, Lines):
            with contextlib.suppress(OSError):  # as in LogFile
                handler.write_out()


def end_log(log: logging.Logger) -> None:
    """Closes the files of a run's logger."""
    for handler in list(log.handlers):
        log.removeHandler(handler)
        handler.close()
