"""The log of a run, exp.log, where Hydra does not write it."""

from __future__ import annotations

import contextlib
import logging
import time
from pathlib import Path
from typing import Any

DATED = "%(asctime)s %(levelname)-7s %(message)s"
"""How its lines look, as conf/hydra/job_logging/exp.yaml has them."""
WAIT = 1.0
"""Seconds for which a line may wait for others; a warning does not."""


class Lines(logging.FileHandler):
    """Writes the lines of one run of many: a hundred for each, which are not worth a write each."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8")
        self.setFormatter(logging.Formatter(DATED))
        self.written = time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        super().emit(record)
        if record.levelno >= logging.WARNING:
            super().flush()

    def flush(self) -> None:
        if time.monotonic() - self.written >= WAIT:
            super().flush()
            self.written = time.monotonic()


class RunLog(logging.Logger):
    """A logger of one run: not known to `logging`, which would keep it for ever."""

    def __init__(self, path: Path) -> None:
        super().__init__("exp", logging.INFO)
        self.addHandler(Lines(path))

    def findCaller(self, *_: Any) -> tuple[str, int, str, None]:  # noqa: N802 - logging's own name
        """Nobody is told which line of code has written a line."""
        return "", 0, "", None


def end_log(log: logging.Logger) -> None:
    """Closes the files of a run's logger."""
    for handler in list(log.handlers):
        log.removeHandler(handler)
        with contextlib.suppress(OSError):  # a full disk: run.json says what became of the run
            handler.close()
